"""Small networks that keep variables from one inference to the next."""

from __future__ import annotations

import numpy as np

from asc_tiny.model.model_file import ModelFile
from support.graph_batch import model_file
from support.tflite_builder import Builder, Value

SCALE, ZERO_POINT = 0.1, -7


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
