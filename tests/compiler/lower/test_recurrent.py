"""SVDF and LSTM over several inferences, bit for bit those of TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler.lower.unary_s16 import logistic_values
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all, run_all_emulated
from support.network_models import CNetwork, TflmNetwork
from support.recurrent_networks import lstm, svdf
from support.tflite_builder import Builder, Value

INFERENCES = 8


def one(
    make: Callable[..., Value], shape: tuple[int, ...], scale: float = 0.05, **settings: Any
) -> ModelFile:
    b, rng = Builder(), np.random.default_rng(len(settings) + sum(shape))
    x = b.activation(shape, scale, 4)
    y = make(b, rng, x, **settings)
    return model_file(b.finish([x], [y]), f"{make.__name__} of {shape} {settings}")


def stacked() -> ModelFile:
    """Layers of all kinds, each with a state of its own."""
    b, rng = Builder(), np.random.default_rng(1)
    x = b.activation((1, 6, 5), 0.03, -10)
    y = lstm(b, rng, lstm(b, rng, x, units=7), units=3)
    flat = b.activation((1, 18), y.scale, y.zero_point)
    b.operator("RESHAPE", [y, b.constant(np.array([1, 18], np.int32))], [flat])
    z = svdf(b, rng, flat, units=6, rank=2, memory=4)
    z = svdf(b, rng, z, units=4, rank=1, memory=3, dtype="INT16")
    return model_file(b.finish([x], [z]), "stacked")


def keyword() -> ModelFile:
    """Scores of 16 bits with a zero point, and the same as 32 bits, as keyword spotters have."""
    b, rng = Builder(), np.random.default_rng(2)
    x = b.activation((1, 12), 0.03, -10)
    y = svdf(b, rng, x, units=4, rank=1, memory=5, dtype="INT16")
    fine = b.activation((1, 4), 1.0 / 65535, -32768, "INT16")
    scores = b.activation((1, 4), 2.0 / 65535, 0, "INT32")
    b.operator("SOFTMAX", [y], [fine], beta=1.0)
    b.operator("QUANTIZE", [fine], [scores])
    return model_file(b.finish([x], [scores]), "keyword")


def models() -> list[ModelFile]:
    wide = {"units": 5, "rank": 2, "memory": 7}
    return [
        one(svdf, (1, 9), **wide),
        one(svdf, (1, 9), **wide, dtype="INT16"),
        one(svdf, (1, 9), **wide, state_zero_point=11),
        one(svdf, (3, 4), units=2, rank=1, memory=3),
        one(svdf, (2, 4), units=2, rank=3, memory=3, dtype="INT16"),
        one(svdf, (1, 3), units=1, rank=1, memory=1),
        # Sums may leave 32 bits.
        one(svdf, (1, 4), units=1, rank=2, memory=500, dtype="INT16"),
        keyword(),
        one(svdf, (1, 40), units=16, rank=1, memory=10, output_scale=0.01),
        one(lstm, (1, 1, 1), units=1),
        one(lstm, (1, 6, 5), units=9),
        one(lstm, (6, 1, 5), units=9, time_major=True),
        one(lstm, (3, 4, 5), units=6),
        one(lstm, (4, 3, 5), units=6, time_major=True),
        one(lstm, (1, 6, 5), units=4, clip=0.5),
        one(lstm, (1, 6, 5), units=4, cell_scale=2.0**-15, weight_scale=0.03),
        one(lstm, (1, 6, 5), units=4, cell_scale=2.0**-9, scale=0.5),
        one(lstm, (1, 5, 3), units=5, hidden_zero_point=-128, scale=2.0, weight_scale=0.1),
        stacked(),
    ]


def samples(model: ModelFile) -> list[np.ndarray]:
    shape = model.graph.tensor(model.graph.inputs[0]).shape
    rng = np.random.default_rng(0)
    values = [rng.integers(-128, 128, shape).astype(np.int8) for _ in range(INFERENCES - 2)]
    return [*values[:3], *(np.full(shape, code, np.int8) for code in (-128, 127)), *values[3:]]


def expected(model: ModelFile) -> np.ndarray:
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples(model)])


def check(all_models: list[ModelFile], outputs: list[np.ndarray]) -> None:
    for model, made in zip(all_models, outputs, strict=True):
        wanted = expected(model)
        assert np.array_equal(made, wanted), f"{model.path}\n{made}\n{wanted}"
        assert len(np.unique(wanted)) > 2, model.path


def test_inferences_in_a_row(tmp_path: Path) -> None:
    found = models()
    runtime = compiled_runtime()
    check(found, run_all(found, [samples(each) for each in found], tmp_path / "c", runtime, {}))


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547", "virt-rv32"])
def test_inferences_on_emulated_cores(board: str, tmp_path: Path) -> None:
    found = models()
    check(found, run_all_emulated(found, [samples(each) for each in found], tmp_path, board))


def test_reset_forgets_all_inferences(tmp_path: Path) -> None:
    model = stacked()
    network = CNetwork(model, tmp_path)
    for _ in range(2):
        network.reset()
        made = np.stack([network.run(sample) for sample in samples(model)])
        assert np.array_equal(made, expected(model))


def test_the_state_is_all_that_lasts(tmp_path: Path) -> None:
    """Cells of 16 and hidden states of 8 bits; no scratch memory for gates."""
    plan = compiled.compile_network(one(lstm, (3, 4, 5), units=6))
    (state,) = plan.lowered.states
    assert state.size == 3 * 6 * (2 + 1)
    assert plan.lowered.stages[0].scratch == 0


def test_the_table_is_that_of_tensorflow_lite() -> None:
    """Its first and last values, as in sigmoid_table_uint16."""
    table = logistic_values().tolist()
    assert table[:6] == [32768, 33451, 34133, 34813, 35493, 36169]
    assert table[-5:] == [65534, 65534, 65534, 65534, 65535]
    assert len(table) == 256


def changed(model: ModelFile, position: int, **changes: Any) -> ModelFile:
    """Return a model in which an input of the only operator is another tensor."""
    index = model.graph.operators[0].inputs[position]
    tensors = [replace(t, **changes) if t.index == index else t for t in model.graph.tensors]
    return replace(model, graph=replace(model.graph, tensors=tuple(tensors)))


@pytest.mark.parametrize(
    ("position", "changes", "words"),
    [
        (18, {"is_variable": False}, "input 18 must be a variable tensor"),
        (1, {"scales": (0.1,) * 9, "zero_points": (0,) * 9}, "input 1 must have one scale"),
        (19, {"scales": (16.0,)}, "cells have the scale 16, at most 4"),
    ],
)
def test_what_the_kernel_cannot_is_refused(
    position: int, changes: dict[str, Any], words: str
) -> None:
    model = changed(one(lstm, (1, 6, 5), units=9), position, **changes)
    with pytest.raises(AscError, match=words):
        compiled.compile_network(model)


def test_peepholes_are_refused() -> None:
    model = one(lstm, (1, 6, 5), units=9)
    (operator,) = model.graph.operators
    inputs = [*operator.inputs]
    inputs[9] = inputs[12]
    graph = replace(model.graph, operators=(replace(operator, inputs=tuple(inputs)),))
    with pytest.raises(AscError, match="has peepholes, which TensorFlow Lite Micro has not"):
        compiled.compile_network(replace(model, graph=graph))
