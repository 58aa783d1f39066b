"""Random int8 graphs of every supported operator, with extreme shapes and quantisations.

All choices come from one function that returns an integer of a range, so that a seed or Hypothesis
may make them; weights come from a generator that is seeded by one such choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from tflite_builder import Builder
from tflite_builder import Value as Tensor


@dataclass(frozen=True)
class Value(Tensor):
    """A tensor with a guess of the mean and deviation of its real values.

    Without it most graphs would end in saturated codes, which tell nothing.
    """

    mean: float = 0.0
    deviation: float = 0.0


Choose = Callable[[int, int], int]
"""Returns an integer from the first to the last, both included."""

_MOST_ELEMENTS = 3000


def seeded(seed: int) -> Choose:
    """Return choices that a seed makes."""
    rng = np.random.default_rng(seed)
    return lambda first, last: int(rng.integers(first, last + 1))


def random_graph(choose: Choose) -> bytes:
    """Return a .tflite file with one input and one output."""
    return _Maker(choose).graph()


def _present(*values: Value | None) -> list[Value]:
    """Leave out a bias that is absent: TensorFlow Lite Micro's convolutions do not look."""
    return [value for value in values if value is not None]


def _value(tensor: Tensor, mean: float, deviation: float) -> Value:
    known = {field.name: getattr(tensor, field.name) for field in fields(Tensor)}
    return Value(**known, mean=mean, deviation=deviation)


class _Maker:
    def __init__(self, choose: Choose) -> None:
        self.choose = choose
        self.rng = np.random.default_rng(choose(0, 2**16))
        self.builder = Builder()
        # Tensors that later operators may read again
        self.made: list[Value] = []

    def graph(self) -> bytes:
        source = x = self.activation(self.input_shape(), self.scale(), self.zero_point())
        layers = self.choose(1, 7)
        for _ in range(layers):
            self.made.append(x)
            x = self.layer(x)
        if x == source:
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
        names = list(_ANY)
        if len(x.shape) == 4:
            # Two in three
            names += 2 * list(_IMAGE)
        for _ in range(8):
            name = self.one_of(names)
            made: Value | None = getattr(self, name)(x)
            if made is not None:
                return made
        return self.relu(x)

    # Choices

    def one_of(self, values: Sequence[Any]) -> Any:
        return values[self.choose(0, len(values) - 1)]

    def chance(self, of: int) -> bool:
        return self.choose(1, of) == 1

    def scale(self) -> float:
        if self.chance(20):
            return float(10.0 ** self.choose(-6, 3))
        return float(0.002 * 1.37 ** self.choose(0, 20))

    def zero_point(self) -> int:
        return int(self.one_of((-128, 127, 0, self.choose(-128, 127), self.choose(-128, 127))))

    def gain(self) -> float:
        """How much wider than its values the range of an output is."""
        if self.chance(25):
            return float(self.one_of((0.004, 0.05, 20.0, 300.0)))
        return float(self.one_of((0.5, 1.0, 1.3, 2.0)))

    def fused(self, y: Value) -> str:
        """Choose an activation of an output that leaves some of its values apart, mostly."""
        names = ["NONE", "NONE", "RELU"]
        if 0.2 < y.deviation < 20.0 or self.chance(10):
            names += ["RELU6", "RELU_N1_TO_1"]
        return str(self.one_of(names))

    def activation(
        self,
        shape: Sequence[int],
        scale: float,
        zero_point: int,
        mean: float | None = None,
        deviation: float | None = None,
    ) -> Value:
        tensor = self.builder.activation(shape, scale, zero_point)
        middle = -zero_point * scale if mean is None else mean
        return _value(tensor, middle, 50.0 * scale if deviation is None else deviation)

    def result(self, shape: Sequence[int], mean: float, deviation: float) -> Value:
        """Return an output whose range suits values of this mean and deviation."""
        scale = float(np.clip(deviation * self.gain() / 40.0, 1e-9, 1e9))
        zero_point = int(np.clip(round(-mean / scale), -128, 127))
        if self.chance(12):
            zero_point = self.zero_point()
        return self.activation(shape, scale, zero_point, mean, deviation)

    def moved(self, x: Value, shape: Sequence[int]) -> Value:
        """Return an output with the quantisation of its input."""
        return self.activation(shape, x.scale, x.zero_point, x.mean, x.deviation)

    def constant(
        self, shape: Sequence[int], scale: float, zero_point: int, middle: int | None = None
    ) -> Value:
        data = self.rng.integers(-128, 128, shape).astype(np.int8)
        if middle is not None:
            data = np.clip(data / 3 + middle, -128, 127).astype(np.int8)
        tensor = self.builder.constant(data, [scale], [zero_point])
        real = (data.astype(float) - zero_point) * scale
        return _value(tensor, float(real.mean()), float(real.std()) + scale)

    def emit(
        self, name: str, inputs: Sequence[Value | None], output: Value, **options: Any
    ) -> Value:
        self.builder.operator(name, inputs, [output], **options)
        return output

    def numbers(self, *values: int) -> Value:
        return self.builder.constant(np.array(values, np.int32))

    def codes(self, shape: Sequence[int]) -> np.ndarray:
        if self.chance(8):
            return self.rng.choice(np.array([-127, 127], np.int8), shape)
        return np.clip(self.rng.normal(0, 50, shape), -127, 127).astype(np.int8)

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
            reach = self.one_of((30, 3000, 2**18))
            values = self.rng.integers(-reach, reach, channels).astype(np.int32)
            bias = self.builder.constant(values, [s * source.scale for s in scales])
        power = math.hypot(source.mean, source.deviation)
        return weights, bias, 50.0 * max(scales) * power * math.sqrt(depth)

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
        kernel = (self.choose(1, 4), self.choose(1, 4))
        strides = (self.choose(1, 3), self.choose(1, 3))
        padding = self.one_of(("SAME", "VALID"))
        sizes = []
        for size, reach, stride in zip((height, width), kernel, strides, strict=True):
            same = padding == "SAME"
            # All output sizes that a convolution would bring to this input
            least = (size - 1) * stride + (1 if same else reach)
            sizes.append(least + self.choose(0, stride - 1))
        filters = self.choose(1, 6)
        if math.prod(sizes) * filters > _MOST_ELEMENTS:
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

    def mean(self, x: Value) -> Value | None:
        rank = len(x.shape)
        first = self.choose(1, rank - 1)
        last = self.choose(first, rank - 1)
        if rank == 4 and self.chance(2):
            first, last = 1, 2
        keeps = self.chance(2) or last - first == rank - 2
        axes = range(first, last + 1)
        shape = [1 if a in axes else n for a, n in enumerate(x.shape) if keeps or a not in axes]
        if self.chance(4):
            return self.emit(
                "REDUCE_MAX", [x, self.numbers(*axes)], self.moved(x, shape), keepDims=keeps
            )
        name = self.one_of(("MEAN", "MEAN", "MEAN", "SUM"))
        count = math.prod(x.shape[first : last + 1])
        total = 1 if name == "MEAN" else count
        y = self.result(shape, x.mean * total, x.deviation * total / math.sqrt(1 + count / 3))
        return self.emit(name, [x, self.numbers(*axes)], y, keepDims=keeps)

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
        gate = self.activation((1, 1, 1, channels), 0.05, self.choose(-20, 20))
        one = {"padding": "SAME", "strideH": 1, "strideW": 1}
        one.update(dilationHFactor=1, dilationWFactor=1)
        self.emit("CONV_2D", _present(mean, weights, bias), gate, **one)
        gates = self.logistic(gate)
        y = self.result(x.shape, x.mean * 0.5, x.deviation * 0.5)
        return self.emit("MUL", [x, gates], y)

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

    def absolute(self, x: Value) -> Value:
        return self.emit("ABS", [x], self.rectified(x))

    def elu(self, x: Value) -> Value:
        return self.emit("ELU", [x], self.rectified(x))

    def softmax(self, x: Value) -> Value | None:
        if x.shape[-1] > 511:
            return None
        share = 1.0 / x.shape[-1]
        y = self.activation(x.shape, 1.0 / 256.0, -128, share, share)
        return self.emit("SOFTMAX", [x], y, beta=float(self.one_of((1.0, 1.0, 0.5, 2.0))))

    # Movement

    def resize(self, x: Value) -> Value | None:
        size = (self.choose(1, 2 * x.shape[1] + 1), self.choose(1, 2 * x.shape[2] + 1))
        y = self.moved(x, (1, *size, x.shape[3]))
        if math.prod(y.shape) > _MOST_ELEMENTS:
            return None
        kind = self.choose(0, 2)
        name = self.one_of(("RESIZE_BILINEAR", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"))
        return self.emit(
            name,
            [x, self.numbers(*size)],
            y,
            alignCorners=kind == 1,
            halfPixelCenters=kind == 2,
        )

    def pad(self, x: Value) -> Value | None:
        if math.prod(x.shape) > 600:
            return None
        amounts = [(0, 0)] + [(self.choose(0, 2), self.choose(0, 2)) for _ in x.shape[1:]]
        y = self.moved(x, [n + sum(a) for n, a in zip(x.shape, amounts, strict=True)])
        inputs = [x, self.builder.constant(np.array(amounts, np.int32))]
        if self.chance(3):
            value = np.array(self.choose(-128, 127), np.int8).reshape(())
            inputs.append(self.builder.constant(value, [x.scale], [x.zero_point]))
        return self.emit("PADV2" if len(inputs) == 3 else "PAD", inputs, y)

    def concatenation(self, x: Value) -> Value | None:
        axis = self.choose(1, len(x.shape) - 1)
        if math.prod(x.shape) > 1200:
            return None
        others = [
            each
            for each in (*self.made, x)
            if (each.scale, each.zero_point) == (x.scale, x.zero_point)
            and len(each.shape) == len(x.shape)
            and each.shape[:axis] == x.shape[:axis]
            and each.shape[axis + 1 :] == x.shape[axis + 1 :]
        ]
        branch = self.moved(x, x.shape)
        self.emit("MAXIMUM", [x, self.one_of([x, *self.same_codes(x)])], branch)
        fixed = self.constant(x.shape, x.scale, x.zero_point)
        parts = [self.one_of([*others, branch, branch, fixed]) for _ in range(self.choose(1, 2))]
        parts.insert(self.choose(0, len(parts)), x)
        shape = list(x.shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return self.emit("CONCATENATION", parts, self.moved(x, shape), axis=axis)

    def same_codes(self, x: Value) -> list[Value]:
        return [
            each
            for each in self.made
            if (each.shape, each.scale, each.zero_point) == (x.shape, x.scale, x.zero_point)
        ]

    def split(self, x: Value) -> Value | None:
        axis = self.choose(1, len(x.shape) - 1)
        size = x.shape[axis]
        if size < 2:
            return None
        if self.chance(2):
            count = next(n for n in (2, 3, 5, 7, 11, 13, size) if size % n == 0)
            sizes = [size // count] * count
        else:
            first = self.choose(1, size - 1)
            sizes = [first, size - first]
        outputs = [self.moved(x, (*x.shape[:axis], n, *x.shape[axis + 1 :])) for n in sizes]
        if len(set(sizes)) == 1 and self.chance(2):
            inputs = [self.numbers(axis), x]
            self.builder.operator("SPLIT", inputs, outputs, numSplits=len(sizes))
        else:
            inputs = [x, self.numbers(*sizes), self.numbers(axis)]
            self.builder.operator("SPLIT_V", inputs, outputs, numSplits=len(sizes))
        chosen = self.one_of(outputs)
        twins = [each for each in outputs if each.shape == chosen.shape and each != chosen]
        if not twins or self.chance(2):
            return chosen
        # Halves that meet again
        y = self.result(chosen.shape, 2 * x.mean, 1.4 * x.deviation)
        return self.emit("ADD", [chosen, self.one_of(twins)], y)

    def depth_to_space(self, x: Value) -> Value | None:
        _, height, width, channels = x.shape
        block = self.one_of((2, 2, 3))
        if channels % block**2 == 0:
            y = self.moved(x, (1, height * block, width * block, channels // block**2))
            return self.emit("DEPTH_TO_SPACE", [x], y, blockSize=block)
        if height % block or width % block:
            return None
        y = self.moved(x, (1, height // block, width // block, channels * block**2))
        return self.emit("SPACE_TO_DEPTH", [x], y, blockSize=block)

    def pack(self, x: Value) -> Value | None:
        if len(x.shape) > 3 or math.prod(x.shape) > 1200:
            return None
        axis = self.choose(1, len(x.shape))
        parts = [self.one_of([x, *self.same_codes(x)]) for _ in range(self.choose(1, 3))]
        y = self.moved(x, (*x.shape[:axis], len(parts), *x.shape[axis:]))
        return self.emit("PACK", parts, y, valuesCount=len(parts), axis=axis)

    def unpack(self, x: Value) -> Value | None:
        axis = self.choose(1, len(x.shape) - 1)
        if len(x.shape) < 3 or x.shape[axis] > 8:
            return None
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        outputs = [self.moved(x, shape) for _ in range(x.shape[axis])]
        self.builder.operator("UNPACK", [x], outputs, num=len(outputs), axis=axis)
        return self.one_of(outputs)

    def slice(self, x: Value) -> Value:
        begins = [0] + [self.choose(0, size - 1) for size in x.shape[1:]]
        pairs = list(zip(x.shape, begins, strict=True))
        counts = [1] + [self.choose(1, size - begin) for size, begin in pairs[1:]]
        bounds = [self.numbers(*begins), self.numbers(*counts)]
        return self.emit("SLICE", [x, *bounds], self.moved(x, counts))

    def strided_slice(self, x: Value) -> Value:
        bounds, shape, masks = [(0, 1, 1)], [1], {"begin": 0, "end": 0, "shrink": 0}
        for axis, size in enumerate(x.shape[1:], 1):
            begin, end = self.choose(0, size - 1), size
            step = self.one_of((1, 1, 2, -1, -2, 3))
            if self.chance(6) and len(x.shape) - masks["shrink"].bit_count() > 2:
                masks["shrink"] |= 1 << axis
                bounds.append((begin, begin + 1, 1))
                continue
            # An end before the first element can only be left out.
            if step < 0 or self.chance(3):
                masks["end"] |= 1 << axis
            elif self.chance(2):
                end = self.choose(begin + 1, size)
            if self.chance(4):
                masks["begin"] |= 1 << axis
                begin = 0 if step > 0 else size - 1
            taken = range(begin, -1 if step < 0 else end, step)
            shape.append(len(taken))
            bounds.append((begin - size if self.chance(5) else begin, end, step))
        inputs = [x, *(self.numbers(*each) for each in zip(*bounds, strict=True))]
        return self.emit(
            "STRIDED_SLICE",
            inputs,
            self.moved(x, shape),
            beginMask=masks["begin"],
            endMask=masks["end"],
            shrinkAxisMask=masks["shrink"],
        )

    def reshape(self, x: Value) -> Value:
        size = math.prod(x.shape)
        divisor = self.one_of([n for n in range(1, min(size, 40) + 1) if size % n == 0])
        rest = size // divisor
        other = self.one_of([n for n in range(1, min(rest, 40) + 1) if rest % n == 0])
        shape = self.one_of(((1, size), (1, rest // other, other, divisor), (1, rest, divisor)))
        return self.emit("RESHAPE", [x, self.numbers(*shape)], self.moved(x, shape))

    def expand_dims(self, x: Value) -> Value | None:
        if len(x.shape) > 3:
            return None
        axis = self.choose(1, len(x.shape))
        y = self.moved(x, (*x.shape[:axis], 1, *x.shape[axis:]))
        return self.emit("EXPAND_DIMS", [x, self.numbers(axis)], y)

    def squeeze(self, x: Value) -> Value | None:
        axes = [axis for axis, size in enumerate(x.shape) if size == 1 and axis]
        if len(x.shape) < 3 or not axes:
            return None
        axis = self.one_of(axes)
        y = self.moved(x, (*x.shape[:axis], *x.shape[axis + 1 :]))
        return self.emit("SQUEEZE", [x], y, squeezeDims=[axis])

    def transpose(self, x: Value) -> Value:
        order = [0]
        axes = list(range(1, len(x.shape)))
        while axes:
            order.append(axes.pop(self.choose(0, len(axes) - 1)))
        y = self.moved(x, [x.shape[axis] for axis in order])
        return self.emit("TRANSPOSE", [x, self.numbers(*order)], y)


_ANY = (
    "absolute",
    "binary",
    "choice",
    "concatenation",
    "dense",
    "elu",
    "expand_dims",
    "hard_swish",
    "leaky_relu",
    "logistic",
    "mean",
    "pack",
    "pad",
    "prelu",
    "quantize",
    "relu",
    "relu6",
    "reshape",
    "slice",
    "softmax",
    "split",
    "squeeze",
    "strided_slice",
    "tanh",
    "transpose",
    "unpack",
)
_IMAGE = (
    "binary",
    "conv",
    "conv",
    "depth_to_space",
    "depthwise",
    "pool",
    "resize",
    "squeeze_and_excite",
    "transposed",
)
