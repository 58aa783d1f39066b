"""Graphs of one or few operators on 16-bit activations with 8-bit weights (16x8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from asc_tiny.model.model_file import ModelFile
from support.graph_batch import model_file
from support.tflite_builder import Builder, Value, schema

CODES = (-32768, 32767)


class Int16(Builder):
    """A graph of one or few operators on 16-bit codes."""

    def __init__(self, *shape: int, scale: float = 0.0003) -> None:
        super().__init__()
        self.rng = np.random.default_rng(0)
        self.source = self.int16(*shape, scale=scale)

    def int16(self, *shape: int, scale: float = 0.001, zero_point: int = 0) -> Value:
        return self.activation(shape, scale, zero_point, "INT16")

    def weights(self, *shape: int, axis: int = 0, extreme: bool = False, per: int = 0) -> Value:
        values = self.rng.integers(-127, 128, shape)
        if extreme:
            values = np.where(values < 0, -127, 127)
        scales = self.rng.uniform(0.005, 0.02, per or shape[axis])
        return self.constant(values.astype(np.int8), scales.tolist(), axis=axis)

    def bias(self, size: int, reach: int = 2**24, dtype: Any = np.int64) -> Value:
        values = self.rng.integers(-reach, reach, size, dtype, endpoint=True)
        return self.constant(values, [1e-6] * size)

    def numbers(self, *values: Any) -> Value:
        return self.constant(np.array(values, np.int32))

    def made(self, name: str, inputs: Sequence[Value | None], output: Value, **o: Any) -> ModelFile:
        self.operator(name, inputs, [output], **o)
        return model_file(self.finish([self.source], [output]), name)


def conv(
    *kernel: int, stride: int = 1, dilation: int = 1, bias: Any = np.int64, fused: str = "NONE"
) -> ModelFile:
    b = Int16(1, 7, 6, 5)
    own = None if bias is None else b.bias(4, 2**24, bias)
    reach = [(size - 1) * dilation + 1 for size in kernel]
    size = [-(-(n - r + 1) // stride) for n, r in zip((7, 6), reach, strict=True)]
    given = [b.source, b.weights(4, *kernel, 5), *([own] if own else [])]
    y = b.int16(1, *size, 4, scale=0.005)
    return b.made(
        "CONV_2D",
        given,
        y,
        padding="VALID",
        strideH=stride,
        strideW=stride,
        dilationHFactor=dilation,
        dilationWFactor=dilation,
        fusedActivationFunction=fused,
    )


def padded_conv(bias: Any = np.int64, stated: int = 0) -> ModelFile:
    b = Int16(1, 7, 6, 3)
    given = [b.source, b.weights(5, 4, 3, 3), *([b.bias(5, 2**20, bias)] if bias else [])]
    same = {"padding": "SAME", "strideH": 2, "strideW": 1}
    same |= {"dilationHFactor": 1, "dilationWFactor": 2, "quantizedBiasType": stated}
    return b.made("CONV_2D", given, b.int16(1, 4, 6, 5, scale=0.004), **same)


def depthwise(multiplier: int, dilation: int = 1) -> ModelFile:
    b = Int16(1, 6, 8, 4)
    count = 4 * multiplier
    given = [b.source, b.weights(1, 3, 5, count, axis=3), b.bias(count)]
    options: dict[str, Any] = {"padding": "SAME", "strideH": 1, "strideW": 2}
    options |= {"dilationHFactor": 1, "dilationWFactor": dilation, "depthMultiplier": multiplier}
    if dilation > 1:
        options["strideW"] = 1
    y = b.int16(1, 6, 8 // options["strideW"], count, scale=0.003)
    return b.made("DEPTHWISE_CONV_2D", given, y, fusedActivationFunction="RELU", **options)


def transposed(stride: tuple[int, int], padding: str, bias: Any = np.int64) -> ModelFile:
    b = Int16(1, 4, 5, 3)
    kernel = (3, 4)
    size = [
        n * s if padding == "SAME" else (n - 1) * s + k
        for n, s, k in zip((4, 5), stride, kernel, strict=True)
    ]
    own = [b.bias(2, 30_000, bias)] if bias else []
    given = [b.numbers(1, *size, 2), b.weights(2, *kernel, 3), b.source, *own]
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
    return b.made("TRANSPOSE_CONV", given, b.int16(1, *size, 2, scale=0.003), **options)


def dense(depth: int, bias: Any, *, per: int = 1, reach: int = 2**24) -> ModelFile:
    """A dense layer whose sums leave 32 bits where ``depth`` is large."""
    b = Int16(1, depth)
    own = b.bias(3, reach, bias) if bias else None
    if own and per == 1:
        own = b.constant(b.rng.integers(-reach, reach, 3, bias), [0.0003 * 0.01])
    weights = b.weights(3, depth, extreme=True, per=per)
    b.graph.tensors[weights.index].quantization.scale = [float(np.float32(0.01))] * per
    y = b.int16(1, 3, scale=0.0003 * 0.01 * max(depth * 40, reach / 2**14))
    return b.made("FULLY_CONNECTED", [b.source, weights, own], y)


def rows_of_dense() -> ModelFile:
    b = Int16(1, 4, 3, 6)
    weights = b.weights(5, 6, per=5)
    y = b.int16(1, 4, 3, 5, scale=0.002)
    return b.made("FULLY_CONNECTED", [b.source, weights, b.bias(5)], y, keepNumDims=True)


def pool(name: str, padding: str) -> ModelFile:
    b = Int16(1, 7, 6, 3, scale=0.001)
    size = (4, 6) if padding == "SAME" else (3, 4)
    options = {"padding": padding, "strideH": 2, "strideW": 1, "filterHeight": 2, "filterWidth": 3}
    y = b.int16(1, *size, 3)
    return b.made(name, [b.source], y, fusedActivationFunction="RELU6", **options)


def reduced(name: str, axes: tuple[int, ...], keeps: bool, scale: float = 0.0004) -> ModelFile:
    shape = (1, 5, 6, 7)
    b = Int16(*shape)
    left = [1 if a in axes else n for a, n in enumerate(shape) if keeps or a not in axes]
    if name == "SUM":
        scale *= 20
    return b.made(name, [b.source, b.numbers(*axes)], b.int16(*left, scale=scale), keepDims=keeps)


def binary(name: str, shape: tuple[int, ...], scales: tuple[float, float], **o: Any) -> ModelFile:
    b = Int16(1, 4, 3, 5, scale=scales[0])
    other = b.constant(b.rng.integers(*CODES, shape, np.int16, endpoint=True), [scales[1]])
    target = scales[0] * scales[1] * 2**15 if name == "MUL" else scales[0]
    return b.made(name, [b.source, other], b.int16(1, 4, 3, 5, scale=target), **o)


def squared(shape: tuple[int, ...], first: float, second: float) -> ModelFile:
    b = Int16(1, 4, 3, 5, scale=first)
    other = b.constant(b.rng.integers(*CODES, shape, np.int16, endpoint=True), [second])
    target = b.int16(1, 4, 3, 5, scale=2**15 * max(first, second) ** 2)
    return b.made("SQUARED_DIFFERENCE", [b.source, other], target)


def nothing() -> ModelFile:
    """A state that begins with 0, as the converter writes it, times a gate; then another sum."""
    b = Int16(1, 8, scale=0.001)
    zeros, kept = b.constant(np.zeros((1, 8), np.int16), [0.0]), b.int16(1, 8, scale=3.6e-43)
    b.operator("MUL", [b.source, zeros], [kept])
    return b.made("ADD", [kept, b.source], b.int16(1, 8))


def prelu() -> ModelFile:
    b = Int16(1, 4, 3, 5)
    slopes = b.constant(b.rng.integers(-128, 128, (1, 1, 5)).astype(np.int8), [0.01], [17])
    return b.made("PRELU", [b.source, slopes], b.int16(1, 4, 3, 5, scale=0.0002))


def unary(name: str, scale: float, target: float, **options: Any) -> ModelFile:
    b = Int16(1, 5, 33, scale=scale)
    return b.made(name, [b.source], b.int16(1, 5, 33, scale=target), **options)


def rsqrt(scale: float, target: float) -> ModelFile:
    """Of no number below 0, with which TensorFlow Lite Micro stops."""
    b = Int16(1, 5, 33, scale=scale)
    x = b.int16(1, 5, 33, scale=scale)
    b.operator("RELU", [b.source], [x])
    return b.made("RSQRT", [x], b.int16(1, 5, 33, scale=target))


def matmul(*shape: int, batch: int = 2, depth: int = 7, turns: bool = False) -> ModelFile:
    """A product with a constant of extreme codes, or of a tensor with itself."""
    b = Int16(batch, 5, depth)
    scale = 0.0003 * 0.01 * 2**15
    options = {"adjX": turns, "adjY": turns}
    if not shape:
        y = b.int16(batch, 5, 5, scale=scale)
        return b.made("BATCH_MATMUL", [b.source, b.source], y, adjX=False, adjY=True)
    other = b.constant(b.rng.choice((*CODES, 1, -9), shape).astype(np.int16), [0.01])
    columns, rows = shape[-2] if turns else shape[-1], depth if turns else 5
    y = b.int16(batch, rows, columns, scale=scale)
    return b.made("BATCH_MATMUL", [b.source, other], y, **options)


def converted(*steps: Any) -> ModelFile:
    """Codes brought to types and scales one after the other.

    The operators around are none that may be left out at the ends of a network.
    """
    b = Int16(1, 5, 33)
    x = b.int16(1, 5, 33, scale=0.0003)
    b.operator("RELU6", [b.source], [x])
    for kind, scale in zip(steps[::2], steps[1::2], strict=True):
        y = b.activation((1, 5, 33), scale, -20 if kind == "INT8" else 0, kind)
        b.operator("QUANTIZE", [x], [y])
        x = y
    if kind == "INT16":
        y = b.int16(1, 5, 33, scale=scale)
        b.operator("RELU", [x], [y])
    return model_file(b.finish([b.source], [y]), "QUANTIZE")


_UNIT = 2.0**-15


def moved(name: str, shape: tuple[int, ...], *settings: Any, **options: Any) -> ModelFile:
    b = Int16(1, 4, 6, 3)
    given = [b.source, *(b.numbers(*each) for each in settings)]
    return b.made(name, given, b.int16(*shape, scale=0.0003), **options)


def padded(value: int | None) -> ModelFile:
    b = Int16(1, 4, 6, 3)
    given = [b.source, b.numbers((0, 0), (1, 2), (2, 0), (0, 1))]
    if value is not None:
        given.append(b.constant(np.array(value, np.int16), [0.0003]))
    name = "PAD" if value is None else "PADV2"
    return b.made(name, given, b.int16(1, 7, 8, 4, scale=0.0003))


def joined(name: str, axis: int) -> ModelFile:
    """A tensor beside another, of which one is made in place."""
    b = Int16(1, 4, 6, 3)
    clamped = b.int16(1, 4, 6, 3, scale=0.0003)
    b.operator("RELU", [b.source], [clamped])
    shape = [1, 4, 6, 3]
    if name == "PACK":
        shape.insert(axis, 2)
        options = {"valuesCount": 2, "axis": axis}
    else:
        shape[axis] *= 2
        options = {"axis": axis}
    y = b.int16(*shape, scale=0.0003)
    return b.made(name, [clamped, b.source], y, **options)


def split(axis: int) -> ModelFile:
    """The difference of two halves."""
    b = Int16(1, 4, 6, 8)
    shape = [1, 4, 6, 8]
    shape[axis] //= 2
    halves = [b.int16(*shape, scale=0.0003) for _ in range(2)]
    b.operator("SPLIT", [b.numbers(axis), b.source], halves, numSplits=2)
    return b.made("SUB", halves, b.int16(*shape, scale=0.0006))


MODELS: dict[str, Callable[[], ModelFile]] = {
    "conv 1x1": lambda: conv(1, 1),
    "conv 3x2": lambda: conv(3, 2, fused="RELU6"),
    "conv strided": lambda: conv(2, 3, stride=2),
    "conv dilated": lambda: conv(2, 3, dilation=2),
    "conv with a bias of 32 bits": lambda: conv(3, 3, bias=np.int32),
    "conv without bias": lambda: conv(3, 3, bias=None),
    "conv padded": padded_conv,
    "conv padded, sums of 32 bits": lambda: padded_conv(None, schema.TensorType.INT32),
    "depthwise": lambda: depthwise(1),
    "depthwise of several": lambda: depthwise(3),
    "depthwise dilated": lambda: depthwise(1, 2),
    **{
        f"transposed {stride} {padding}": lambda s=stride, p=padding: transposed(s, p)
        for stride in ((1, 1), (2, 2), (3, 2), (1, 5))
        for padding in ("SAME", "VALID")
    },
    "transposed with a bias of 16 bits": lambda: transposed((2, 2), "SAME", np.int16),
    "transposed without bias": lambda: transposed((2, 2), "VALID", None),
    "dense": lambda: dense(40, np.int64),
    "dense of sums beyond 32 bits": lambda: dense(1600, np.int64, reach=2**40),
    "dense of a block of products": lambda: dense(508, np.int64),
    "dense of more": lambda: dense(509, np.int64, per=3),
    "dense with a bias of 32 bits": lambda: dense(200, np.int32),
    "dense without bias": lambda: dense(77, None),
    "dense on rows": rows_of_dense,
    **{
        f"{name} {padding}": lambda n=name, p=padding: pool(n, p)
        for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
        for padding in ("SAME", "VALID")
    },
    **{
        f"{name} {axes} {keeps}": lambda n=name, a=axes, k=keeps: reduced(n, a, k)
        for name in ("MEAN", "SUM")
        for axes in ((1, 2), (3,), (2,), (1,), (2, 3), (1, 2, 3), (1, 3))
        for keeps in (False, True)
    },
    "MEAN of a finer scale": lambda: reduced("MEAN", (1, 2), True, 0.00001),
    **{
        f"{name} {shape} {scales}": lambda n=name, sh=shape, sc=scales: binary(n, sh, sc)
        for name in ("ADD", "SUB", "MUL")
        for shape in ((1, 4, 3, 5), (5,), (1, 4, 1, 1), (1, 1, 3, 5), (1, 4, 1, 5), ())
        for scales in ((0.001, 0.0007), (0.0001, 0.001))
    },
    "MUL by nothing": nothing,
    "ADD fused": lambda: binary(
        "ADD", (5,), (0.001, 0.001), fusedActivationFunction="RELU_N1_TO_1"
    ),
    **{
        f"SQUARED_DIFFERENCE {shape} {scales}": lambda sh=shape, sc=scales: squared(sh, *sc)
        for shape in ((1, 4, 3, 5), (5,), (1, 4, 1, 1))
        for scales in ((0.001, 0.001), (0.0001, 0.0007))
    },
    "BATCH_MATMUL": matmul,
    "BATCH_MATMUL by a constant": lambda: matmul(2, 7, 3),
    "BATCH_MATMUL by one constant": lambda: matmul(7, 4),
    "BATCH_MATMUL turned": lambda: matmul(2, 3, 5, turns=True),
    "BATCH_MATMUL of many products": lambda: matmul(1, 600, 2, batch=1, depth=600),
    **{
        f"ABS {scale} {target}": lambda s=scale, t=target: unary("ABS", s, t)
        for scale, target in ((0.0003, 0.0003), (0.0003, 0.0006), (0.0003, 0.00007), (0.07, 0.0003))
    },
    **{
        f"RSQRT {scale} {target}": lambda s=scale, t=target: rsqrt(s, t)
        for scale, target in ((0.0003, 0.0003), (0.0003, 0.01), (1.7, 0.00003), (1e-6, 2.5))
    },
    "MAXIMUM": lambda: binary("MAXIMUM", (1, 1, 3, 5), (0.001, 0.001)),
    "MINIMUM": lambda: binary("MINIMUM", (5,), (0.001, 0.001)),
    "PRELU": prelu,
    "RELU": lambda: unary("RELU", 0.0003, 0.0002),
    "RELU to a coarse scale": lambda: unary("RELU", 0.0003, 0.02),
    "RELU6": lambda: unary("RELU6", 0.0003, 0.0003),
    "LEAKY_RELU": lambda: unary("LEAKY_RELU", 0.0003, 0.0002, alpha=0.3),
    "LEAKY_RELU downwards": lambda: unary("LEAKY_RELU", 0.0003, 0.0004, alpha=-1.3),
    **{
        f"{name} {scale}": lambda n=name, s=scale: unary(n, s, _UNIT)
        for name in ("LOGISTIC", "TANH")
        for scale in (2.0**-12, 2.0**-11, 2.0**-10, 0.0003, 0.0007, 1e-6, 2.5)
    },
    **{
        f"SOFTMAX {scale} {beta}": lambda s=scale, b=beta: unary("SOFTMAX", s, _UNIT, beta=b)
        for scale, beta in ((0.0003, 1.0), (0.0001, 0.5), (0.01, 1.0), (1e-7, 1.0))
    },
    "QUANTIZE": lambda: unary("QUANTIZE", 0.0003, 0.0001),
    "QUANTIZE to 8 bits": lambda: converted("INT8", 0.05),
    "QUANTIZE to 32 bits": lambda: converted("INT32", 0.0000003),
    "QUANTIZE from 8 bits": lambda: converted("INT8", 0.05, "INT16", 0.0004),
    "PAD": lambda: padded(None),
    "PADV2": lambda: padded(-32000),
    "RESHAPE": lambda: moved("RESHAPE", (1, 8, 9), (1, 8, 9)),
    "SQUEEZE": lambda: moved("SQUEEZE", (4, 6, 3), squeezeDims=[0]),
    "EXPAND_DIMS": lambda: moved("EXPAND_DIMS", (1, 4, 1, 6, 3), (2,)),
    "RESIZE_NEAREST_NEIGHBOR": lambda: moved("RESIZE_NEAREST_NEIGHBOR", (1, 8, 9, 3), (8, 9)),
    **{f"CONCATENATION {axis}": lambda a=axis: joined("CONCATENATION", a) for axis in (0, 1, 2, 3)},
    **{f"PACK {axis}": lambda a=axis: joined("PACK", a) for axis in (0, 2, 4)},
    **{f"SPLIT {axis}": lambda a=axis: split(a) for axis in (1, 2, 3)},
    "TRANSPOSE": lambda: moved("TRANSPOSE", (1, 3, 4, 6), (0, 3, 1, 2)),
    "SLICE of channels": lambda: moved("SLICE", (1, 3, 5, 2), (0, 1, 1, 1), (1, 3, 5, 2)),
    "STRIDED_SLICE": lambda: moved(
        "STRIDED_SLICE", (1, 2, 3, 3), (0, 3, 0, 0), (1, 0, 6, 3), (1, -2, 2, 1)
    ),
    "SLICE of rows": lambda: moved("SLICE", (1, 2, 6, 3), (0, 1, 0, 0), (1, 2, 6, 3)),
}
