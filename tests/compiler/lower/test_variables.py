"""Variables over several inferences: the values of TensorFlow Lite Micro, in the same order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all, run_all_emulated
from support.network_models import CNetwork, TflmNetwork
from support.tflite_builder import Builder, Value

SCALE, ZERO_POINT = 0.1, -7
INFERENCES = 9


class Net(Builder):
    """A network of one input, all of whose tensors have one quantisation."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.input = self.make(*shape)

    def make(self, *shape: int) -> Value:
        return self.activation(shape, SCALE, ZERO_POINT)

    def read(self, name: str, *shape: int) -> Value:
        value = self.make(*shape)
        self.operator("READ_VARIABLE", [self.handle(name)], [value])
        return value

    def assign(self, name: str, value: Value) -> None:
        self.operator("ASSIGN_VARIABLE", [self.handle(name), value], [])

    def add(self, first: Value, second: Value) -> Value:
        made = self.make(*first.shape)
        self.operator("ADD", [first, second], [made])
        return made

    def concat(self, axis: int, *parts: Value) -> Value:
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        made = self.make(*shape)
        self.operator("CONCATENATION", parts, [made], axis=axis)
        return made

    def rows(self, value: Value, begin: int, count: int) -> Value:
        made = self.make(1, count, *value.shape[2:])
        bounds = ([0, begin, *[0] * (len(value.shape) - 2)], list(made.shape))
        numbers = [self.constant(np.array(each, np.int32)) for each in bounds]
        self.operator("SLICE", [value, *numbers], [made])
        return made

    def file(self, output: Value, name: str) -> ModelFile:
        return model_file(self.finish([self.input], [output]), name)


def delay(first: np.ndarray | None = None) -> ModelFile:
    """What the input was, which the first inference finds as the zero point or a first value."""
    net = Net(1, 5)
    old = net.read("x", 1, 5)
    net.assign("x", net.input)
    if first is not None:
        net.begin("x", first)
    return net.file(net.add(old, net.input), "delay")


def delay_with_first_values() -> ModelFile:
    return delay(np.arange(-50, -45, dtype=np.int8).reshape(1, 5))


def running_sum() -> ModelFile:
    """A variable that is read again after it was assigned gives the new value."""
    net = Net(1, 5)
    total = net.add(net.read("total", 1, 5), net.input)
    net.assign("total", total)
    again = net.read("total", 1, 5)
    return net.file(net.add(again, net.input), "running sum")


def delay_line() -> ModelFile:
    """Variables that hand their old values on, in the order in which each destroys another's."""
    net = Net(1, 4)
    first, second = net.read("a", 1, 4), net.read("b", 1, 4)
    net.assign("a", net.input)
    net.assign("b", first)
    net.assign("c", net.add(second, net.read("c", 1, 4)))
    return net.file(net.read("c", 1, 4), "delay line")


def exchange() -> ModelFile:
    net = Net(1, 4)
    first, second = net.read("a", 1, 4), net.read("b", 1, 4)
    net.assign("a", second)
    net.assign("b", net.add(first, net.input))
    return net.file(net.add(second, net.input), "exchange")


def streaming(kept: int = 3, new: int = 2) -> ModelFile:
    """Rows of a window that stay from the inferences before, as streaming networks have them."""
    net = Net(1, new, 2, 3)
    window = net.concat(1, net.read("rows", 1, kept, 2, 3), net.input)
    net.assign("rows", net.rows(window, new, kept))
    rng = np.random.default_rng(5)
    weights = net.constant(rng.integers(-90, 90, (4, kept + new, 2, 3)).astype(np.int8), [0.02])
    made = net.activation((1, 1, 1, 4), 0.5, 3)
    options = {"padding": "VALID", "strideH": 1, "strideW": 1}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    net.operator("CONV_2D", [window, weights], [made], **options)
    return net.file(made, f"streaming {kept} + {new}")


def streaming_by_slice() -> ModelFile:
    """The same as older networks do it: the oldest row goes, then the new one is joined."""
    net = Net(1, 1, 2, 3)
    old = net.read("rows", 1, 4, 2, 3)
    window = net.concat(1, net.rows(old, 1, 3), net.input)
    net.assign("rows", window)
    made = net.make(1, 2, 3)
    axes = net.constant(np.array([1], np.int32))
    net.operator("REDUCE_MAX", [window, axes], [made], keepDims=False)
    return net.file(made, "streaming by slice")


def old_value_as_output() -> ModelFile:
    net = Net(1, 4)
    old = net.read("x", 1, 4)
    net.assign("x", net.add(old, net.input))
    return net.file(old, "old value")


def input_as_value() -> ModelFile:
    """The input itself is kept, and read long after the network began to use its memory."""
    net = Net(1, 6, 2, 3)
    net.assign("x", net.input)
    made = net.input
    for _ in range(3):
        made = net.add(made, net.input)
    return net.file(net.add(made, net.read("x", 1, 6, 2, 3)), "input")


def other_shapes() -> ModelFile:
    """A variable is bytes: it may be read in other shapes than it was assigned."""
    net = Net(1, 4, 2, 3)
    flat = net.read("x", 1, 24)
    image = net.read("x", 1, 2, 4, 3)
    net.assign("x", net.input)
    pooled = net.make(1, 3)
    axes = net.constant(np.array([1, 2], np.int32))
    net.operator("REDUCE_MAX", [image, axes], [pooled], keepDims=False)
    joined = net.concat(1, flat, pooled)
    return net.file(joined, "other shapes")


def never_assigned() -> ModelFile:
    """What only the first call assigns is a constant."""
    net = Net(1, 5)
    net.begin("c", np.arange(5, dtype=np.int8).reshape(1, 5))
    return net.file(net.add(net.read("c", 1, 5), net.input), "constant")


def never_read() -> ModelFile:
    net = Net(1, 5)
    net.assign("x", net.input)
    return net.file(net.add(net.input, net.input), "never read")


NETWORKS: list[Callable[[], ModelFile]] = [
    delay,
    delay_with_first_values,
    running_sum,
    delay_line,
    exchange,
    streaming,
    lambda: streaming(1, 4),
    streaming_by_slice,
    old_value_as_output,
    input_as_value,
    other_shapes,
    never_assigned,
    never_read,
]


def samples(model: ModelFile) -> list[np.ndarray]:
    shape = model.graph.tensor(model.graph.inputs[0]).shape
    rng = np.random.default_rng(0)
    return [rng.integers(-60, 60, shape).astype(np.int8) for _ in range(INFERENCES)]


def expected(model: ModelFile) -> np.ndarray:
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples(model)])


@pytest.mark.parametrize("schedule", [None, "rows", "layers"])
def test_inferences_in_a_row(schedule: str | None, tmp_path: Path) -> None:
    models = [make() for make in NETWORKS]
    runtime = compiled_runtime(tmp_path / "runtime")
    given = [samples(model) for model in models]
    options = {"options": Options(schedule=schedule)}
    outputs = run_all(models, given, tmp_path / "c", runtime, options)
    for model, made in zip(models, outputs, strict=True):
        assert np.array_equal(made, expected(model)), model.path


@pytest.mark.slow
@pytest.mark.qemu
def test_inferences_on_an_emulated_core(tmp_path: Path) -> None:
    models = [make() for make in NETWORKS]
    given = [samples(model) for model in models]
    outputs = run_all_emulated(models, given, tmp_path, "mps2-an386")
    for model, made in zip(models, outputs, strict=True):
        assert np.array_equal(made, expected(model)), model.path


@pytest.mark.parametrize("make", [delay_with_first_values, streaming])
def test_reset_forgets_all_inferences(make: Callable[[], ModelFile], tmp_path: Path) -> None:
    model = make()
    network = CNetwork(model, tmp_path)
    for _ in range(2):
        network.reset()
        made = np.stack([network.run(sample) for sample in samples(model)])
        assert np.array_equal(made, expected(model))


def test_only_states_lie_at_the_begin_of_the_arena(tmp_path: Path) -> None:
    network = CNetwork(streaming(), tmp_path)
    assert network.macro("STATE_SIZE") == 32 < network.macro("ARENA_SIZE")


@pytest.mark.parametrize("make", [never_assigned, never_read])
def test_what_does_not_last_takes_no_memory(make: Callable[[], ModelFile]) -> None:
    header = compiled.generate(make())["asc_net.h"]
    assert "STATE_SIZE" not in header and "reset" not in header


def refused(model: ModelFile, words: str, options: Options = compiled.DEFAULT) -> None:
    with pytest.raises(AscError, match=words):
        compiled.compile_network(model, options)


def test_a_streamed_input_is_refused() -> None:
    refused(streaming(), "keeps values between inferences", Options(schedule="time"))


def test_a_value_of_another_size_is_refused() -> None:
    net = Net(1, 5)
    net.assign("x", net.input)
    net.assign("x", net.concat(1, net.input, net.input))
    refused(net.file(net.read("x", 1, 5), "sizes"), "value of 10 bytes for variable x of 5")


def test_a_first_value_after_use_is_refused() -> None:
    model = delay_with_first_values()
    operators = [*model.graph.operators[1:], model.graph.operators[0]]
    graph = replace(model.graph, operators=tuple(operators))
    refused(replace(model, graph=graph), "gives variable x a first value after it is used")
