"""Fields that converters do not write, and that mean something all the same, against TFLM's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all
from support.hand_made_files import image, numbers, transposed
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Builder, Value


def batch_of_images(b: Builder) -> tuple[Value, Value]:
    """Halves of several images, which lie apart."""
    x, y = image(b, 3, 4, 2, 3), image(b, 3, 2, 2, 3)
    first, second = image(b, 3, 2, 2, 3), image(b, 3, 2, 2, 3)
    b.operator("SPLIT", [numbers(b, 1), x], [first, second], numSplits=2)
    b.operator("ADD", [first, second], [y])
    return x, y


def image_of_a_batch(b: Builder) -> tuple[Value, Value]:
    """Every other pixel of the second of three images, from the last column to the first."""
    x, y, z = image(b, 3, 5, 6, 4), image(b, 1, 3, 3, 2), image(b, 1, 3, 3, 2)
    bounds = [numbers(b, 1, 0, 5, 1), numbers(b, 2, 5, 0, 4), numbers(b, 1, 2, -2, 2)]
    b.operator("STRIDED_SLICE", [x, *bounds], [y])
    b.operator("RELU", [y], [z])
    return x, z


def batch_from_images(b: Builder) -> tuple[Value, Value]:
    """Two images become a batch."""
    x, y, z = image(b, 1, 4, 3, 2), image(b, 1, 4, 3, 2), image(b, 2, 4, 3, 2)
    b.operator("RELU", [x], [y])
    b.operator("CONCATENATION", [x, y], [z], axis=0)
    return x, z


def step_of_one_element(b: Builder) -> tuple[Value, Value]:
    """Two steps that are never taken, beyond 16 and beyond 32 bits in bytes."""
    x, y, z = image(b, 1, 5, 6, 4), image(b, 1, 1, 1, 2), image(b, 1, 1, 1, 2)
    bounds = [numbers(b, 0, 2, 3, 0), numbers(b, 1, 3, 4, 4)]
    b.operator("STRIDED_SLICE", [x, *bounds, numbers(b, 1, 2**30, 2**31 - 1, 2)], [y])
    b.operator("RELU", [y], [z])
    return x, z


def test_unusual_fields_that_mean_something(tmp_path: Path) -> None:
    models = []
    for build in (batch_of_images, image_of_a_batch, batch_from_images, step_of_one_element):
        builder = Builder()
        source, last = build(builder)
        models.append(model_file(builder.finish([source], [last]), build.__name__))
    samples = [inputs(model.graph.tensor(model.graph.inputs[0]).shape, 8) for model in models]
    made = run_all(models, samples, tmp_path / "c", compiled_runtime(), {})
    for model, each, given in zip(models, made, samples, strict=True):
        reference = TflmNetwork(model.data)
        assert np.array_equal(each, [reference.run(sample).copy() for sample in given])


def test_strides_beyond_the_output_compute_the_same(tmp_path: Path) -> None:
    """With one pixel of input no stride is ever taken."""
    cases = [
        ((4, 3), (65535, 65535), "VALID"),
        ((6, 7), (7, 65535), "VALID"),
        ((6, 5), (65535, 6), "SAME"),
        ((2, 2), (65535, 65535), "SAME"),
    ]
    models = [model_file(transposed(*case), str(case)) for case in cases]
    samples = [inputs((1, 1, 1, 2), 8)] * len(models)
    made = run_all(models, samples, tmp_path / "c", compiled_runtime(), {})
    for model, each in zip(models, made, strict=True):
        reference = TflmNetwork(model.data)
        assert np.array_equal(each, [reference.run(sample).copy() for sample in samples[0]])
        assert len(np.unique(each)) > 5
