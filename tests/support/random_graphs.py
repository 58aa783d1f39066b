"""Random int8 graphs of every supported operator, with extreme shapes and quantisations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from support.random_arithmetic import Arithmetic
from support.random_choices import Choices
from support.random_movement import MOST_ELEMENTS, Movement
from support.random_rearranging import Rearranging
from support.random_states import STATE, States
from support.random_tensors import Choose, Value


def seeded(seed: int) -> Choose:
    """Return choices that a seed makes."""
    rng = np.random.default_rng(seed)
    return lambda first, last: int(rng.integers(first, last + 1))


def random_graph(choose: Choose) -> bytes:
    """Return a .tflite file with one input and one output."""
    return Maker(choose).graph()


def _present(*values: Value | None) -> list[Value]:
    """Leave out a bias that is absent: TensorFlow Lite Micro's convolutions do not look."""
    return [value for value in values if value is not None]


class Maker(Movement, Rearranging, Arithmetic, Choices, States):
    """A random graph of int8 operators.

    Attributes:
        any, image: names of the methods for tensors of any shape, and for images besides.
    """

    any: Sequence[str] = ()
    image: Sequence[str] = ()

    def graph(self) -> bytes:
        self.keeps_state = self.fine == 1 and self.chance(5)
        source = x = self.activation(self.input_shape(), self.scale(), self.zero_point())
        layers = self.choose(1, 7)
        for _ in range(layers):
            self.made.append(x)
            x = self.layer(x)
        if self.chance(10):
            x = self.place(x)
        elif x == source:
            x = self.quantize(x)
        return self.builder.finish([source], [x])

    def input_shape(self) -> tuple[int, ...]:
        kind = self.choose(0, 9)
        if kind == 0:
            return (1, self.choose(1, 40))
        if kind == 1:
            return (1, self.choose(1, 12), self.choose(1, 7))
        return (1, self.choose(1, 13), self.choose(1, 12), self.choose(1, 9))

    def layer(self, x: Value) -> Value:
        names = list(self.any)
        if len(x.shape) == 4:
            # Two in three
            names += 2 * list(self.image)
        if self.keeps_state:
            names += 4 * list(STATE)
        for _ in range(8):
            name = self.one_of(names)
            made: Value | None = getattr(self, name)(x)
            if made is not None:
                return made
        return self.relu(x)

    # Operators with weights

    def weights(
        self, shape: Sequence[int], axis: int, depth: int, source: Value
    ) -> tuple[Any, ...]:
        """Return weights, bias and the deviation of the sums."""
        channels = shape[axis]
        count = channels if self.chance(2) else 1
        scales = [0.01 * 1.5 ** self.choose(-4, 4)] * count
        if count > 1:
            scales = [each * float(self.rng.uniform(0.3, 1.0)) for each in scales]
        weights = self.builder.constant(self.codes(shape), scales, axis=axis if count > 1 else 0)
        bias = None
        if not self.chance(4):
            bias = self.bias(channels, [s * source.scale for s in scales])
        power = math.hypot(source.mean, source.deviation)
        return weights, bias, 50.0 * max(scales) * power * math.sqrt(depth)

    def bias(self, channels: int, scales: Sequence[float]) -> Any:
        """Return the bias of so many channels."""
        reach = self.one_of((30, 3000, 2**18))
        values = self.rng.integers(-reach, reach, channels).astype(np.int32)
        return self.builder.constant(values, scales)

    def window(self, x: Value, most: int = 4) -> dict[str, Any] | None:
        _, height, width, _ = x.shape
        self.kernel = (
            self.choose(1, min(most, height + 1)),
            self.choose(1, min(most, width + 1)),
        )
        strides = (self.choose(1, 3) if self.chance(2) else 1, 1 + (self.chance(3)))
        padding = self.one_of(("SAME", "VALID"))
        return {"padding": padding, "strideH": strides[0], "strideW": strides[1]}

    def slid(self, x: Value, options: dict[str, Any]) -> tuple[int, int] | None:
        """Return height and width of what a window makes."""
        sizes = []
        for axis, name in enumerate("HW"):
            reach = (self.kernel[axis] - 1) * options.get(f"dilation{name}Factor", 1) + 1
            size, stride = x.shape[axis + 1], options[f"stride{name}"]
            fitting = size if options["padding"] == "SAME" else size - reach + 1
            sizes.append(-(-fitting // stride))
        return (sizes[0], sizes[1]) if min(sizes) > 0 else None

    def dilated(self, options: dict[str, Any]) -> dict[str, Any]:
        once = self.chance(4)
        return {
            **options,
            "dilationHFactor": self.choose(1, 3) if once else 1,
            "dilationWFactor": self.choose(1, 3) if once else 1,
        }

    def conv(self, x: Value) -> Value | None:
        options = self.dilated(self.window(x) or {})
        size = self.slid(x, options)
        if size is None:
            return None
        filters, groups = self.choose(1, 11), 1
        if self.chance(6):
            groups = self.one_of([n for n in range(1, x.shape[3] + 1) if x.shape[3] % n == 0])
            filters = groups * self.choose(1, 3)
        shape = (filters, *self.kernel, x.shape[3] // groups)
        weights, bias, width = self.weights(shape, 0, math.prod(shape[1:]), x)
        y = self.result((1, *size, filters), 0.0, width)
        options["fusedActivationFunction"] = self.fused(y)
        return self.emit("CONV_2D", _present(x, weights, bias), y, **options)

    def depthwise(self, x: Value) -> Value | None:
        options = self.dilated(self.window(x) or {})
        size = self.slid(x, options)
        if size is None:
            return None
        multiplier = self.choose(1, 3) if x.shape[3] < 6 else 1
        filters = x.shape[3] * multiplier
        weights, bias, width = self.weights(
            (1, *self.kernel, filters), 3, math.prod(self.kernel), x
        )
        y = self.result((1, *size, filters), 0.0, width)
        options.update(depthMultiplier=multiplier, fusedActivationFunction=self.fused(y))
        return self.emit("DEPTHWISE_CONV_2D", _present(x, weights, bias), y, **options)

    def transposed(self, x: Value) -> Value | None:
        _, height, width, channels = x.shape
        kernel = (self.choose(1, 6), self.choose(1, 6))
        strides = (self.one_of((1, 2, 2, 3)), self.one_of((1, 2, 2, 3)))
        padding = self.one_of(("SAME", "VALID"))
        sizes = []
        for size, reach, stride in zip((height, width), kernel, strides, strict=True):
            same = padding == "SAME"
            # All output sizes that a convolution would bring to this input
            least = (size - 1) * stride + (1 if same else reach)
            fits = least + self.choose(0, stride - 1)
            # Or another size, in which the result is cut, or the bias alone is behind it
            sizes.append(self.choose(1, fits + 2) if self.chance(4) else fits)
        filters = self.choose(1, 6)
        if math.prod(sizes) * filters > MOST_ELEMENTS:
            return None
        shape = (filters, *kernel, channels)
        weights, bias, width = self.weights(shape, 0, math.prod(kernel) * channels, x)
        y = self.result((1, *sizes, filters), 0.0, width)
        inputs = _present(self.numbers(*y.shape), weights, x, bias)
        fused = self.fused(y)
        return self.emit(
            "TRANSPOSE_CONV",
            inputs,
            y,
            padding=padding,
            strideH=strides[0],
            strideW=strides[1],
            fusedActivationFunction=fused,
        )

    def dense(self, x: Value) -> Value | None:
        depth, size = x.shape[-1], math.prod(x.shape)
        if len(x.shape) == 4 and self.chance(2):
            depth = size
        units = self.choose(1, 13)
        weights, bias, width = self.weights((units, depth), 0, depth, x)
        keeps = depth == x.shape[-1] and self.chance(2)
        y = self.result((*x.shape[:-1], units) if keeps else (size // depth, units), 0.0, width)
        return self.emit(
            "FULLY_CONNECTED",
            [x, weights, bias],
            y,
            keepNumDims=keeps,
            fusedActivationFunction=self.fused(y),
        )

    # Pools and reductions

    def pool(self, x: Value) -> Value | None:
        options = self.window(x) or {}
        size = self.slid(x, options)
        if size is None:
            return None
        options.update(filterHeight=self.kernel[0], filterWidth=self.kernel[1])
        y = self.moved(x, (1, *size, x.shape[3]))
        name = self.one_of(("AVERAGE_POOL_2D", "MAX_POOL_2D"))
        return self.emit(name, [x], y, fusedActivationFunction=self.fused(y), **options)

    def axes(self, x: Value) -> tuple[list[int], list[int], bool]:
        """Choose axes, and return what is left of the shape and whether dimensions of 1 stay."""
        rank = len(x.shape)
        first = self.choose(1, rank - 1)
        last = self.choose(first, rank - 1)
        if rank == 4 and self.chance(2):
            first, last = 1, 2
        keeps = self.chance(2) or last - first == rank - 2
        axes = list(range(first, last + 1))
        if last - first > 1 and self.chance(3):
            axes.remove(first + 1)
        shape = [1 if a in axes else n for a, n in enumerate(x.shape) if keeps or a not in axes]
        return axes, shape, keeps

    def extreme(self, x: Value) -> Value:
        axes, shape, keeps = self.axes(x)
        name = self.one_of(("REDUCE_MAX", "REDUCE_MIN"))
        return self.emit(name, [x, self.numbers(*axes)], self.moved(x, shape), keepDims=keeps)

    def mean(self, x: Value) -> Value:
        axes, shape, keeps = self.axes(x)
        name = self.one_of(("MEAN", "MEAN", "MEAN", "SUM"))
        count = math.prod(x.shape[axis] for axis in axes)
        total = 1 if name == "MEAN" else count
        y = self.result(shape, x.mean * total, x.deviation * total / math.sqrt(1 + count / 3))
        return self.emit(name, [x, self.numbers(*axes)], y, keepDims=keeps)

    def place(self, x: Value) -> Value:
        """Add the last operator of a graph: its numbers have no scale."""
        axis = self.choose(0, len(x.shape) - 1)
        y = self.numbered([n for a, n in enumerate(x.shape) if a != axis])
        stated = self.numbers(axis if self.chance(2) else axis - len(x.shape))
        name = self.one_of(("ARG_MAX", "ARG_MIN"))
        return self.emit(name, [x, stated], y, outputType="INT32")

    # Two tensors

    def partner(self, x: Value) -> Value:
        """Return a tensor that combines with another."""
        same = [each for each in self.made if each.shape == x.shape]
        if same and self.chance(2):
            return self.one_of(same)
        if len(x.shape) == 4 and self.chance(3):
            means = self.result((1, 1, 1, x.shape[3]), x.mean, x.deviation * 0.3)
            return self.emit("MEAN", [x, self.numbers(1, 2)], means, keepDims=True)
        shape = [1 if self.chance(2) else n for n in x.shape]
        shape = shape[self.choose(0, len(shape) - 1) :]
        scale = self.scale() if self.chance(3) else x.scale * self.one_of((0.3, 1.0, 2.0))
        return self.constant(shape, scale, self.zero_point())

    def binary(self, x: Value) -> Value | None:
        name = self.one_of(("ADD", "ADD", "SUB", "MUL", "MUL"))
        other = self.partner(x)
        a, b = pair = [x, other] if self.chance(2) else [other, x]
        if name == "MUL":
            mean = a.mean * b.mean
            power = math.hypot(a.mean, a.deviation) * math.hypot(b.mean, b.deviation)
            deviation = math.sqrt(max(power**2 - mean**2, 1e-12 * power**2))
        else:
            mean = a.mean + b.mean if name == "ADD" else a.mean - b.mean
            deviation = math.hypot(a.deviation, b.deviation)
        y = self.result(x.shape, mean, deviation)
        return self.emit(name, pair, y, fusedActivationFunction=self.fused(y))

    def choice(self, x: Value) -> Value | None:
        shape = [1 if self.chance(2) else n for n in x.shape]
        other = self.constant(shape, x.scale, x.zero_point, round(x.mean / x.scale) + x.zero_point)
        return self.emit(self.one_of(("MAXIMUM", "MINIMUM")), [x, other], self.moved(x, x.shape))

    def squeeze_and_excite(self, x: Value) -> Value | None:
        channels = x.shape[3]
        mean = self.result((1, 1, 1, channels), x.mean, x.deviation * 0.3)
        self.emit("MEAN", [x, self.numbers(1, 2)], mean, keepDims=True)
        weights, bias, _ = self.weights((channels, 1, 1, channels), 0, channels, mean)
        gate = self.activation((1, 1, 1, channels), 0.05 / self.fine, self.middle())
        one = {"padding": "SAME", "strideH": 1, "strideW": 1}
        one.update(dilationHFactor=1, dilationWFactor=1)
        self.emit("CONV_2D", _present(mean, weights, bias), gate, **one)
        gates = self.logistic(gate)
        y = self.result(x.shape, x.mean * 0.5, x.deviation * 0.5)
        return self.emit("MUL", [x, gates], y)

    def middle(self) -> int:
        """Return a zero point that is no extreme."""
        return self.choose(-20, 20)

    # One tensor

    def logistic(self, x: Value) -> Value:
        return self.emit("LOGISTIC", [x], self.activation(x.shape, 1.0 / 256.0, -128, 0.5, 0.2))

    def tanh(self, x: Value) -> Value:
        return self.emit("TANH", [x], self.activation(x.shape, 1.0 / 128.0, 0, 0.0, 0.5))

    def rectified(self, x: Value) -> Value:
        return self.result(x.shape, max(x.mean, 0.4 * x.deviation), 0.7 * x.deviation)

    def hard_swish(self, x: Value) -> Value:
        return self.emit("HARD_SWISH", [x], self.rectified(x))

    def leaky_relu(self, x: Value) -> Value:
        alpha = float(self.one_of((0.1, 0.2, 0.3, 1.5, 0.0, -0.5)))
        return self.emit("LEAKY_RELU", [x], self.rectified(x), alpha=alpha)

    def prelu(self, x: Value) -> Value:
        shape = x.shape[1:-1] if self.chance(4) else (1,) * (len(x.shape) - 2)
        scale = 0.004 * self.choose(1, 9)
        slopes = self.constant((*shape, x.shape[-1]), scale, self.zero_point())
        return self.emit("PRELU", [x, slopes], self.rectified(x))

    def relu(self, x: Value) -> Value:
        return self.emit("RELU", [x], self.rectified(x))

    def relu6(self, x: Value) -> Value:
        return self.emit("RELU6", [x], self.moved(x, x.shape))

    def quantize(self, x: Value) -> Value:
        return self.emit("QUANTIZE", [x], self.result(x.shape, x.mean, x.deviation))

    def through_real(self, x: Value) -> Value:
        """Leave codes and come back, with nothing in between or with a slice."""
        numbers = self.builder._tensor(x.shape, "FLOAT32", None, [], [])
        self.builder.operator("DEQUANTIZE", [x], [numbers])
        if self.chance(2):
            counts = (*x.shape[:-1], self.choose(1, x.shape[-1]))
            bounds = [self.numbers(*[0] * len(counts)), self.numbers(*counts)]
            part = self.builder._tensor(counts, "FLOAT32", None, [], [])
            self.builder.operator("SLICE", [numbers, *bounds], [part])
            numbers = part
        return self.emit("QUANTIZE", [numbers], self.result(numbers.shape, x.mean, x.deviation))

    def absolute(self, x: Value) -> Value:
        return self.emit("ABS", [x], self.rectified(x))

    def reciprocal_root(self, x: Value) -> Value:
        """Add an RSQRT of no number below 0, with which TensorFlow Lite Micro stops."""
        positive = self.relu(x)
        typical = 1.0 / math.sqrt(positive.deviation)
        return self.emit("RSQRT", [positive], self.result(x.shape, typical, typical))

    def elu(self, x: Value) -> Value:
        return self.emit("ELU", [x], self.rectified(x))

    def softmax(self, x: Value) -> Value | None:
        if x.shape[-1] > 511:
            return None
        share = 1.0 / x.shape[-1]
        y = self.activation(x.shape, 1.0 / 256.0, -128, share, share)
        return self.emit("SOFTMAX", [x], y, beta=float(self.one_of((1.0, 1.0, 0.5, 2.0))))


Maker.any = (
    "absolute",
    "add_n",
    "binary",
    "broadcast_to",
    "choice",
    "chosen",
    "concatenation",
    "cumsum",
    "dense",
    "elu",
    "expand_dims",
    "extreme",
    "filled",
    "gather",
    "gather_nd",
    "hard_swish",
    "l2_norm",
    "leaky_relu",
    "log_softmax",
    "logistic",
    "looked_up",
    "matmul",
    "mean",
    "mirror_pad",
    "pack",
    "pad",
    "prelu",
    "quantize",
    "quotient",
    "reciprocal_root",
    "relu",
    "relu6",
    "reshape",
    "reverse",
    "slice",
    "softmax",
    "split",
    "squared_difference",
    "squeeze",
    "strided_slice",
    "tanh",
    "through_real",
    "transpose",
    "unpack",
    "zeros",
)
Maker.image = (
    "binary",
    "blocks",
    "conv",
    "conv",
    "depth_to_space",
    "depthwise",
    "pool",
    "resize",
    "squeeze_and_excite",
    "transposed",
)
