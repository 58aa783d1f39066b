"""Models of single operators, of each type that a kernel takes, and models of several subgraphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np

from support.paths import FILES
from support.tflite_builder import Builder, Value, schema

CONVERTED = FILES / "converted"
FLOAT, INT8, INT16, BOOL = "FLOAT32", "INT8", "INT16", "BOOL"


class Maker:
    """Builds a model of one operator between two that keep what they are given."""

    def __init__(self, dtype: str) -> None:
        self.builder, self.dtype = Builder(), dtype
        self.inputs: list[Value] = []

    def value(self, *shape: int, dtype: str | None = None, scale: float = 0.1) -> Value:
        dtype = dtype or self.dtype
        if dtype in (INT8, INT16, "INT32"):
            return self.builder.activation(shape, scale, 0, dtype)
        return self.builder._tensor(shape, dtype, None, [], [])

    def input(self, *shape: int, dtype: str | None = None) -> Value:
        self.inputs.append(self.value(*shape, dtype=dtype))
        return self.inputs[-1]

    def integers(self, *values: int) -> Value:
        return self.builder.constant(np.array(values, np.int32))

    def weights(self, *shape: int, per: int = 0, axis: int = 0) -> Value:
        if self.dtype == FLOAT:
            return self.builder.constant(np.ones(shape, np.float32))
        return self.builder.constant(np.ones(shape, np.int8), [0.01] * (per or 1), axis=axis)

    def bias(self, size: int) -> Value:
        if self.dtype == FLOAT:
            return self.builder.constant(np.zeros(size, np.float32))
        kind = np.int64 if self.dtype == INT16 else np.int32
        return self.builder.constant(np.zeros(size, kind), [0.001] * size)

    def add(self, name: str, inputs: list[Value | None], *outputs: Value, **options: Any) -> bytes:
        self.builder.operator(name, inputs, outputs, **options)
        self.output = outputs[0]
        return self.builder.finish(self.inputs, list(outputs))


SAME = {"padding": "SAME", "strideW": 1, "strideH": 1}
WINDOW = {"padding": "VALID", "strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}


def unary(name: str, **options: Any) -> Callable[[Maker], bytes]:
    return lambda m: m.add(name, [m.input(1, 5, 7)], m.value(1, 5, 7), **options)


def binary(name: str, dtype: str | None = None, **options: Any) -> Callable[[Maker], bytes]:
    return lambda m: m.add(
        name, [m.input(1, 5, 7), m.input(1, 5, 7)], m.value(1, 5, 7, dtype=dtype), **options
    )


def moved(
    name: str, shape: tuple[int, ...], out: tuple[int, ...], *settings: tuple[int, ...], **o: Any
) -> Callable[[Maker], bytes]:
    """An operator with lists of integers behind its input."""
    return lambda m: m.add(
        name, [m.input(*shape), *(m.integers(*each) for each in settings)], m.value(*out), **o
    )


def conv(m: Maker) -> bytes:
    weights, bias = m.weights(6, 3, 3, 4, per=6), m.bias(6)
    return m.add("CONV_2D", [m.input(1, 5, 7, 4), weights, bias], m.value(1, 5, 7, 6), **SAME)


def depthwise(m: Maker) -> bytes:
    inputs = [m.input(1, 5, 7, 4), m.weights(1, 3, 3, 4, per=4, axis=3), m.bias(4)]
    output = m.value(1, 5, 7, 4)
    return m.add("DEPTHWISE_CONV_2D", inputs, output, depthMultiplier=1, **SAME)


def transposed(m: Maker) -> bytes:
    size, weights, bias = m.integers(1, 10, 14, 6), m.weights(6, 3, 3, 4, per=6), m.bias(6)
    inputs = [size, weights, m.input(1, 5, 7, 4), bias]
    strides = {"padding": "SAME", "strideW": 2, "strideH": 2}
    return m.add("TRANSPOSE_CONV", inputs, m.value(1, 10, 14, 6), **strides)


def dense(m: Maker) -> bytes:
    inputs = [m.input(1, 20), m.weights(33, 20), None]
    return m.add("FULLY_CONNECTED", inputs, m.value(1, 33))


def matmul(m: Maker) -> bytes:
    return m.add("BATCH_MATMUL", [m.input(1, 5, 7), m.input(1, 7, 9)], m.value(1, 5, 9))


def svdf(m: Maker) -> bytes:
    state = m.value(1, 12 * 7, dtype=FLOAT if m.dtype == FLOAT else INT16, scale=0.1)
    m.builder.graph.tensors[state.index].isVariable = True
    if m.dtype == FLOAT:
        features, time = m.weights(12, 10), m.weights(12, 7)
        bias = m.builder.constant(np.zeros(6, np.float32))
    else:
        features = m.builder.constant(np.ones((12, 10), np.int8), [0.01])
        time = m.builder.constant(np.ones((12, 7), np.int16), [0.01])
        bias = m.builder.constant(np.zeros(6, np.int32), [0.001])
    inputs: list[Value | None] = [m.input(1, 10), features, time, bias, state]
    return m.add("SVDF", inputs, m.value(1, 6), rank=2)


def lstm(m: Maker) -> bytes:
    x = m.input(1, 6, 5)
    matrices = [m.weights(8, 5) for _ in range(4)] + [m.weights(8, 8) for _ in range(4)]
    if m.dtype == FLOAT:
        biases = [m.bias(8) for _ in range(4)]
        state, cells = m.value(1, 8), m.value(1, 8)
    else:
        biases = [m.builder.constant(np.zeros(8, np.int32), [0.001]) for _ in range(4)]
        state, cells = m.value(1, 8), m.value(1, 8, dtype=INT16, scale=2.0**-11)
    for each in (state, cells):
        m.builder.graph.tensors[each.index].isVariable = True
    inputs = [x, *matrices, None, None, None, *biases, None, None, state, cells, *[None] * 4]
    name = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    options = {"fusedActivationFunction": "TANH", "cellClip": 10.0}
    return m.add(name, inputs, m.value(1, 6, 8), **options)


def several(name: str, count: int, out: tuple[int, ...], **o: Any) -> Callable[[Maker], bytes]:
    return lambda m: m.add(name, [m.input(1, 5, 7) for _ in range(count)], m.value(*out), **o)


def split(m: Maker) -> bytes:
    axis, x = m.integers(2), m.input(1, 5, 8)
    return m.add("SPLIT", [axis, x], m.value(1, 5, 4), m.value(1, 5, 4), numSplits=2)


def split_v(m: Maker) -> bytes:
    x, sizes, axis = m.input(1, 5, 8), m.integers(5, 3), m.integers(2)
    outputs = m.value(1, 5, 5), m.value(1, 5, 3)
    return m.add("SPLIT_V", [x, sizes, axis], *outputs, numSplits=2)


def unpack(m: Maker) -> bytes:
    outputs = [m.value(1, 7) for _ in range(5)]
    return m.add("UNPACK", [m.input(1, 5, 7)], *outputs, num=5, axis=1)


def select(m: Maker) -> bytes:
    condition = m.input(1, 5, 7, dtype=BOOL)
    return m.add("SELECT_V2", [condition, m.input(1, 5, 7), m.input(1, 5, 7)], m.value(1, 5, 7))


def logical(name: str, count: int) -> Callable[[Maker], bytes]:
    return lambda m: m.add(
        name, [m.input(1, 5, 7, dtype=BOOL) for _ in range(count)], m.value(1, 5, 7, dtype=BOOL)
    )


def all_of(m: Maker) -> bytes:
    x, axes = m.input(1, 5, 7, dtype=BOOL), m.integers(1, 2)
    return m.add("REDUCE_ALL", [x, axes], m.value(1, dtype=BOOL))


def squashing(name: str, **options: Any) -> Callable[[Maker], bytes]:
    """A function whose output has the scale that its kernel wants."""

    def make(m: Maker) -> bytes:
        scale, zero_point = {
            ("LOGISTIC", INT8): (2.0**-8, -128),
            ("LOGISTIC", INT16): (2.0**-15, 0),
            ("SOFTMAX", INT8): (2.0**-8, -128),
            ("SOFTMAX", INT16): (2.0**-15, 0),
            ("LOG_SOFTMAX", INT8): (2.0**-4, 127),
            ("TANH", INT8): (2.0**-7, 0),
            ("TANH", INT16): (2.0**-15, 0),
        }.get((name, m.dtype), (0.1, 0))
        x = m.input(1, 5, 7)
        if m.dtype == FLOAT:
            return m.add(name, [x], m.value(1, 5, 7), **options)
        y = m.builder.activation((1, 5, 7), scale, zero_point, m.dtype)
        return m.add(name, [x], y, **options)

    return make


def looked_up(m: Maker) -> bytes:
    table = m.builder.constant(np.ones((9, 7), np.int8), [0.1])
    rows = m.input(3, dtype="INT32")
    return m.add("EMBEDDING_LOOKUP", [rows, table], m.value(3, 7, scale=0.1))


def gathered_nd(m: Maker) -> bytes:
    places = m.builder.constant(np.array([[0, 1], [0, 3]], np.int32))
    return m.add("GATHER_ND", [m.input(1, 5, 7), places], m.value(2, 7))


def filled(m: Maker) -> bytes:
    return m.add("FILL", [m.integers(1, 5, 7), m.input()], m.value(1, 5, 7))


def shape_of(m: Maker) -> bytes:
    output = m.value(3, dtype="INT32")
    return m.add("SHAPE", [m.input(1, 5, 7)], output, outType="INT32")


def broadcast_args(m: Maker) -> bytes:
    shapes = [m.input(3, dtype="INT32") for _ in range(2)]
    return m.add("BROADCAST_ARGS", shapes, m.value(3, dtype="INT32"))


def updated(m: Maker) -> bytes:
    inputs = [m.input(1, 5, 7), m.input(1, 2, 7), m.integers(0, 1, 0)]
    return m.add("DYNAMIC_UPDATE_SLICE", inputs, m.value(1, 5, 7))


def four_bits(name: str) -> Callable[[Maker], bytes]:
    """Weights of four bits, for which kernels ask for as many bytes."""

    def make(m: Maker) -> bytes:
        data = {"CONV_2D": conv, "DEPTHWISE_CONV_2D": depthwise, "FULLY_CONNECTED": dense}[name](m)
        tensor = m.builder.graph.tensors[m.builder.graph.operators[0].inputs[1]]
        assert data
        tensor.type = schema.TensorType.INT4
        buffer = m.builder.model.buffers[tensor.buffer]
        buffer.data = buffer.data[: -(-len(buffer.data) // 2)]
        return m.builder.finish(m.inputs, [m.output])

    return make


def largest(name: str) -> Callable[[Maker], bytes]:
    return lambda m: m.add(
        name, [m.input(1, 5, 7), m.integers(2)], m.value(1, 5, dtype="INT32"), outputType="INT32"
    )


def padded(m: Maker) -> bytes:
    x = m.input(1, 5, 7)
    amounts = m.builder.constant(np.array([[0, 0], [1, 2], [2, 0]], np.int32))
    return m.add("MIRROR_PAD", [x, amounts], m.value(1, 8, 9), mode="REFLECT")


def pad(name: str) -> Callable[[Maker], bytes]:
    def make(m: Maker) -> bytes:
        x = m.input(1, 5, 7)
        amounts = m.builder.constant(np.array([[0, 0], [1, 2], [2, 0]], np.int32))
        inputs = [x, amounts] + ([m.input(1)] if name == "PADV2" else [])
        return m.add(name, inputs, m.value(1, 8, 9))

    return make


def prelu(m: Maker) -> bytes:
    return m.add("PRELU", [m.input(1, 5, 7), m.weights(1, 1, 7)], m.value(1, 5, 7))


def converted(name: str, source: str, target: str) -> Callable[[Maker], bytes]:
    return lambda m: m.add(name, [m.input(1, 5, 7, dtype=source)], m.value(1, 5, 7, dtype=target))


F, Q = (FLOAT,), (FLOAT, INT8)
W = (FLOAT, INT8, INT16)
# An operator's types, and what makes a model of it
CASES: dict[str, tuple[tuple[str, ...], Callable[[Maker], bytes]]] = {
    **{name: (F, unary(name)) for name in ("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "LOG")},
    **{name: (F, unary(name)) for name in ("NEG", "ROUND", "RSQRT", "SIN", "SQRT", "SQUARE")},
    **{name: (Q, unary(name)) for name in ("HARD_SWISH", "L2_NORMALIZATION")},
    **{name: (W, unary(name)) for name in ("RELU", "RELU6")},
    **{name: (W, squashing(name)) for name in ("LOGISTIC", "TANH")},
    "LOG_SOFTMAX": (Q, squashing("LOG_SOFTMAX")),
    "ZEROS_LIKE": (F, unary("ZEROS_LIKE")),
    "BROADCAST_ARGS": (F, broadcast_args),
    "DYNAMIC_UPDATE_SLICE": (Q, updated),
    "EMBEDDING_LOOKUP": (F, looked_up),
    "FILL": (Q, filled),
    "GATHER_ND": (Q, gathered_nd),
    "SHAPE": (Q, shape_of),
    **{name: (W, binary(name)) for name in ("ADD", "MUL", "SUB")},
    **{name: (W, binary(name)) for name in ("MAXIMUM", "MINIMUM")},
    **{name: (Q, binary(name)) for name in ("DIV", "SQUARED_DIFFERENCE")},
    **{name: (F, binary(name)) for name in ("FLOOR_DIV", "FLOOR_MOD")},
    **{name: (Q, binary(name, BOOL)) for name in ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS")},
    **{name: (Q, binary(name, BOOL)) for name in ("LESS_EQUAL", "NOT_EQUAL")},
    "ADD_N": (Q, several("ADD_N", 5, (1, 5, 7))),
    "ARG_MAX": (Q, largest("ARG_MAX")),
    "ARG_MIN": (Q, largest("ARG_MIN")),
    "AVERAGE_POOL_2D": (W, moved("AVERAGE_POOL_2D", (1, 6, 8, 3), (1, 3, 4, 3), **WINDOW)),
    "BATCH_MATMUL": (Q, matmul),
    "BATCH_TO_SPACE_ND": (
        Q,
        moved("BATCH_TO_SPACE_ND", (1, 5, 7, 3), (1, 5, 7, 3), (1, 1), (0, 0, 0, 0)),
    ),
    "BROADCAST_TO": (Q, moved("BROADCAST_TO", (1, 1, 7), (1, 5, 7), (1, 5, 7))),
    "CAST": ((FLOAT,), converted("CAST", FLOAT, INT8)),
    "CONCATENATION": (W, several("CONCATENATION", 3, (1, 5, 21), axis=2)),
    "CONV_2D": (W, conv),
    "CUMSUM": (Q, moved("CUMSUM", (1, 5, 7), (1, 5, 7), (2,))),
    "DEPTHWISE_CONV_2D": (W, depthwise),
    "DEPTH_TO_SPACE": (Q, moved("DEPTH_TO_SPACE", (1, 3, 4, 8), (1, 6, 8, 2), blockSize=2)),
    "DEQUANTIZE": ((INT8, INT16), lambda m: converted("DEQUANTIZE", m.dtype, FLOAT)(m)),
    "EXPAND_DIMS": (W, moved("EXPAND_DIMS", (1, 5, 7), (1, 1, 5, 7), (1,))),
    "FULLY_CONNECTED": (W, dense),
    "GATHER": (Q, moved("GATHER", (1, 5, 7), (1, 3, 7), (2, 0, 1), axis=1)),
    "L2_POOL_2D": (F, moved("L2_POOL_2D", (1, 6, 8, 3), (1, 3, 4, 3), **WINDOW)),
    "LEAKY_RELU": (W, unary("LEAKY_RELU", alpha=0.1)),
    "LOGICAL_AND": (F, logical("LOGICAL_AND", 2)),
    "LOGICAL_NOT": (F, logical("LOGICAL_NOT", 1)),
    "LOGICAL_OR": (F, logical("LOGICAL_OR", 2)),
    "MAX_POOL_2D": (W, moved("MAX_POOL_2D", (1, 6, 8, 3), (1, 3, 4, 3), **WINDOW)),
    "MEAN": (W, moved("MEAN", (1, 5, 7, 9), (1, 9), (1, 2))),
    "MIRROR_PAD": (Q, padded),
    "PACK": (W, several("PACK", 3, (1, 3, 5, 7), axis=1, valuesCount=3)),
    "PAD": (W, pad("PAD")),
    "PADV2": (W, pad("PADV2")),
    "PRELU": (W, prelu),
    "QUANTIZE": ((INT8, INT16), lambda m: converted("QUANTIZE", FLOAT, m.dtype)(m)),
    "REDUCE_ALL": (F, all_of),
    "REDUCE_MAX": (Q, moved("REDUCE_MAX", (1, 5, 7, 9), (1, 9), (1, 2))),
    "REDUCE_MIN": (Q, moved("REDUCE_MIN", (1, 5, 7, 9), (1, 9), (1, 2))),
    "RESHAPE": (W, moved("RESHAPE", (1, 5, 7), (1, 35), (1, 35))),
    "RESIZE_BILINEAR": (Q, moved("RESIZE_BILINEAR", (1, 3, 4, 2), (1, 6, 8, 2), (6, 8))),
    "RESIZE_NEAREST_NEIGHBOR": (
        W,
        moved("RESIZE_NEAREST_NEIGHBOR", (1, 3, 4, 2), (1, 6, 8, 2), (6, 8)),
    ),
    "REVERSE_V2": (Q, moved("REVERSE_V2", (1, 5, 7), (1, 5, 7), (2,))),
    "SELECT_V2": (Q, select),
    "SLICE": (W, moved("SLICE", (1, 5, 7), (1, 3, 4), (0, 1, 2), (1, 3, 4))),
    "SOFTMAX": (W, squashing("SOFTMAX", beta=1.0)),
    "SPACE_TO_BATCH_ND": (
        Q,
        moved("SPACE_TO_BATCH_ND", (1, 5, 7, 3), (1, 5, 7, 3), (1, 1), (0, 0, 0, 0)),
    ),
    "SPACE_TO_DEPTH": (Q, moved("SPACE_TO_DEPTH", (1, 6, 8, 2), (1, 3, 4, 8), blockSize=2)),
    "SPLIT": (W, split),
    "SPLIT_V": (W, split_v),
    "SQUEEZE": (W, moved("SQUEEZE", (1, 1, 5, 7), (1, 5, 7), squeezeDims=[1])),
    "STRIDED_SLICE": (
        W,
        moved("STRIDED_SLICE", (1, 5, 7), (1, 3, 4), (0, 1, 2), (1, 4, 6), (1, 1, 1)),
    ),
    "SUM": (W, moved("SUM", (1, 5, 7, 9), (1, 9), (1, 2))),
    "SVDF": (Q, svdf),
    "TRANSPOSE": (W, moved("TRANSPOSE", (1, 5, 7), (1, 7, 5), (0, 2, 1))),
    "TRANSPOSE_CONV": (W, transposed),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (Q, lstm),
    "UNPACK": (W, unpack),
}
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
CASES |= {f"{name} of INT4": ((INT8,), four_bits(name)) for name in WEIGHTED}
ALL = [(name, dtype) for name, (dtypes, _) in CASES.items() for dtype in dtypes]
"""Each operator with each of its types."""


def variable(*, alone: bool) -> bytes:
    """A model with its weights in a variable; ``alone`` without the subgraph for training."""
    data = (CONVERTED / "variable_weights.tflite").read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    if alone:
        del model.subgraphs[1]
        model.signatureDefs = None
        model.subgraphs[0].operators[0].builtinOptions.initSubgraphIndex = 1
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def planned_offline(count: int = 4, offsets: Sequence[int] = (0, -1, -1, 0)) -> bytes:
    """A file that says where its tensors lie: input, weights, bias, output."""
    m = Maker(INT8)
    conv(m)
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = "OfflineMemoryAllocation", len(m.builder.model.buffers)
    buffer.data = np.frombuffer(np.array([1, 0, count, *offsets], np.int32).tobytes(), np.uint8)
    m.builder.model.buffers.append(buffer)
    m.builder.model.metadata = [entry]
    return m.builder.finish(m.inputs, [m.output])
