"""Floating point that only moves codes: gone, with the bits that it has given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.lower.real_codes import real_values
from asc_tiny.compiler.passes.float_islands import without_float_islands
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all
from support.network_models import TflmNetwork
from support.tflite_builder import Builder, Value


class Net(Builder):
    """A network whose input has a scale and a zero point of its own."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.input = self.activation(shape, 0.037, 11)

    def numbers(self, *shape: int) -> Value:
        return self._tensor(shape, "FLOAT32", None, [], [])

    def real(self, codes: Value) -> Value:
        made = self.numbers(*codes.shape)
        self.operator("DEQUANTIZE", [codes], [made])
        return made

    def quantized(self, numbers: Value, scale: float, zero_point: int) -> Value:
        made = self.activation(numbers.shape, scale, zero_point)
        self.operator("QUANTIZE", [numbers], [made])
        return made

    def file(self, output: Value, name: str) -> ModelFile:
        return model_file(self.finish([self.input], [output]), name)


def split() -> ModelFile:
    """The parts of a dense layer's output go to layers of other scales, as in a GRU."""
    net = Net(1, 12)
    parts = [net.numbers(1, 4) for _ in range(3)]
    axis = net.constant(np.array(1, np.int32))
    net.operator("SPLIT", [axis, net.real(net.input)], parts, numSplits=3)
    # Finer, coarser and saturating
    first, second, third = (
        net.quantized(part, scale, zero)
        for part, scale, zero in zip(parts, (0.011, 0.3, 0.0001), (3, -100, 5), strict=True)
    )
    made = net.activation((1, 4), 0.05, 0)
    net.operator("ADD", [first, second], [made])
    last = net.activation((1, 4), 0.05, 0)
    net.operator("ADD", [made, third], [last])
    return net.file(last, "split")


def state(first: float | None) -> ModelFile:
    """States in floating point, as Keras has them; both begin with one constant."""
    net = Net(1, 5)
    olds = []
    for name in ("a", "b"):
        old = net.numbers(1, 5)
        net.operator("READ_VARIABLE", [net.handle(name)], [old])
        olds.append(net.quantized(old, 0.02, 4))
    total = net.activation((1, 5), 0.07, -3)
    net.operator("ADD", [olds[0], net.input], [total])
    last = net.activation((1, 5), 0.09, 9)
    net.operator("ADD", [olds[1], total], [last])
    for name, value in (("a", total), ("b", last)):
        net.operator("ASSIGN_VARIABLE", [net.handle(name), net.real(value)], [])
    if first is not None:
        for name in ("a", "b"):
            net.begin(name, np.full((1, 5), first, np.float32))
    return net.file(last, f"state {first}")


def from_zeros() -> ModelFile:
    return state(0.0)


def from_nothing() -> ModelFile:
    return state(None)


NETWORKS: list[Callable[[], ModelFile]] = [split, from_zeros, from_nothing]


@pytest.mark.parametrize("make", NETWORKS)
def test_only_codes_are_left(make: Callable[[], ModelFile]) -> None:
    graph = without_float_islands(make().graph)
    used = {i for each in graph.operators for i in (*each.inputs, *each.outputs) if i >= 0}
    assert "FLOAT32" not in {graph.tensor(index).dtype for index in used}
    assert "DEQUANTIZE" not in {operator.name for operator in graph.operators}


def test_bits_are_those_of_tensorflow_lite_micro(tmp_path: Path) -> None:
    models = [make() for make in NETWORKS]
    rng = np.random.default_rng(0)
    given = [
        [
            rng.integers(-128, 128, model.graph.tensor(0).shape).astype(np.int8)
            if number
            else np.linspace(-128, 127, model.graph.tensor(0).size).astype(np.int8)[None]
            for number in range(40)
        ]
        for model in models
    ]
    runtime = compiled_runtime()
    outputs = run_all(models, given, tmp_path / "c", runtime, {})
    for model, samples, made in zip(models, given, outputs, strict=True):
        reference = TflmNetwork(model.data)
        wanted = np.stack([reference.run(sample).copy() for sample in samples])
        assert np.array_equal(made, wanted), model.path


def test_numbers_that_are_computed_with_stay() -> None:
    net = Net(1, 5)
    real = net.real(net.input)
    total = net.numbers(1, 5)
    net.operator("ADD", [real, real], [total])
    graph = net.file(net.quantized(total, 0.1, 0), "sum").graph
    assert without_float_islands(graph) is graph


def test_an_operand_too_many_is_refused_before_its_operator_is_gone() -> None:
    net = Net(1, 5)
    real = net.numbers(1, 5)
    net.operator("DEQUANTIZE", [net.input, net.input], [real])
    model = net.file(net.quantized(real, 0.1, 0), "two")
    with pytest.raises(AscError, match=r"\(DEQUANTIZE.*: 2 inputs, must be 1"):
        compile_network(model)


def test_a_first_value_that_is_no_code_stays() -> None:
    graph = state(0.0123).graph
    assert without_float_islands(graph) is graph


def test_numbers_of_codes_are_those_of_dequantize() -> None:
    """In double precision, then rounded once."""
    values = real_values(0.1, -3)
    assert values.dtype == np.float32
    assert values[128] == np.float32(np.float64(0.1) * 3)
