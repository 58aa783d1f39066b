"""Networks of more stages than 8 bits number: their plan and their bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import ModelFile
from support.graph_batch import compiled_runtime, model_file, run_all
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Builder

LAYERS = 300


def deep(layers: int) -> ModelFile:
    """Return a network of layers that alternate between 3x3 and 1x1, two channels each."""
    builder, random = Builder(), np.random.default_rng(0)
    first = last = builder.activation((1, 5, 5, 2), 0.1, 0)
    for layer in range(layers):
        size = 1 if layer % 2 else 3
        weights = random.integers(-127, 128, (2, size, size, 2), np.int8)
        kernel = builder.constant(weights, [0.01 / size])
        bias = builder.constant(random.integers(-900, 900, 2, np.int32), [0.001 / size])
        output = builder.activation(last.shape, 0.1, int(random.integers(-9, 9)))
        strides = {"strideW": 1, "strideH": 1}
        builder.operator("CONV_2D", [last, kernel, bias], [output], padding="SAME", **strides)
        last = output
    return model_file(builder.finish([first], [last]), "deep.tflite")


@pytest.mark.parametrize("schedule", [None, "rows", "layers"])
def test_deep_network_is_equal_to_tflm(schedule: str | None, tmp_path: Path) -> None:
    model, options = deep(LAYERS), Options(schedule=schedule)
    assert len(compile_network(model, options).lowered.stages) == LAYERS
    samples = inputs((1, 5, 5, 2), 4)
    settings = {"options": options}
    (found,) = run_all([model], [samples], tmp_path, compiled_runtime(), settings)
    reference = TflmNetwork(model.data)
    expected = np.stack([reference.run(sample).ravel() for sample in samples])
    assert np.array_equal(found, expected)
    assert len(np.unique(expected)) > 10
