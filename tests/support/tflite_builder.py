"""Builds .tflite files of int8 operators directly, much faster than a converter does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

OPTIONS = {
    "ADD": "Add",
    "ADD_N": "AddN",
    "ARG_MAX": "ArgMax",
    "ARG_MIN": "ArgMin",
    "AVERAGE_POOL_2D": "Pool2D",
    "BATCH_MATMUL": "BatchMatMul",
    "BATCH_TO_SPACE_ND": "BatchToSpaceND",
    "BROADCAST_TO": "BroadcastTo",
    "CALL_ONCE": "CallOnce",
    "CAST": "Cast",
    "CONCATENATION": "Concatenation",
    "CONV_2D": "Conv2D",
    "COS": "Cos",
    "CUMSUM": "Cumsum",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2D",
    "DEPTH_TO_SPACE": "DepthToSpace",
    "DEQUANTIZE": "Dequantize",
    "DIV": "Div",
    "EQUAL": "Equal",
    "EXP": "Exp",
    "EXPAND_DIMS": "ExpandDims",
    "FLOOR_DIV": "FloorDiv",
    "FLOOR_MOD": "FloorMod",
    "FULLY_CONNECTED": "FullyConnected",
    "FILL": "Fill",
    "GATHER": "Gather",
    "GATHER_ND": "GatherNd",
    "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterEqual",
    "HARD_SWISH": "HardSwish",
    "L2_NORMALIZATION": "L2Norm",
    "L2_POOL_2D": "Pool2D",
    "LEAKY_RELU": "LeakyRelu",
    "LESS": "Less",
    "LESS_EQUAL": "LessEqual",
    "LOGICAL_AND": "LogicalAnd",
    "LOGICAL_NOT": "LogicalNot",
    "LOGICAL_OR": "LogicalOr",
    "LOG_SOFTMAX": "LogSoftmax",
    "MAXIMUM": "MaximumMinimum",
    "MAX_POOL_2D": "Pool2D",
    "MEAN": "Reducer",
    "MINIMUM": "MaximumMinimum",
    "MIRROR_PAD": "MirrorPad",
    "MUL": "Mul",
    "NEG": "Neg",
    "NOT_EQUAL": "NotEqual",
    "PACK": "Pack",
    "PAD": "Pad",
    "PADV2": "PadV2",
    "QUANTIZE": "Quantize",
    "REDUCE_ALL": "Reducer",
    "REDUCE_MAX": "Reducer",
    "REDUCE_MIN": "Reducer",
    "RESHAPE": "Reshape",
    "RESIZE_BILINEAR": "ResizeBilinear",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor",
    "REVERSE_V2": "ReverseV2",
    "SELECT": "Select",
    "SELECT_V2": "SelectV2",
    "SHAPE": "Shape",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SPACE_TO_BATCH_ND": "SpaceToBatchND",
    "SPACE_TO_DEPTH": "SpaceToDepth",
    "SPLIT": "Split",
    "SPLIT_V": "SplitV",
    "SQUARE": "Square",
    "SQUARED_DIFFERENCE": "SquaredDifference",
    "SQUEEZE": "Squeeze",
    "STRIDED_SLICE": "StridedSlice",
    "SUB": "Sub",
    "SUM": "Reducer",
    "SVDF": "SVDF",
    "TILE": "Tile",
    "TRANSPOSE": "Transpose",
    "TRANSPOSE_CONV": "TransposeConv",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
    "UNPACK": "Unpack",
    "VAR_HANDLE": "VarHandle",
    "ZEROS_LIKE": "ZerosLike",
}
"""Name of the options' table of each operator that has one."""

_TYPES = {
    np.dtype(np.float32): "FLOAT32",
    np.dtype(np.int8): "INT8",
    np.dtype(np.int16): "INT16",
    np.dtype(np.int32): "INT32",
    np.dtype(np.int64): "INT64",
}


@dataclass(frozen=True)
class Value:
    """A tensor of the graph that is built: its number, shape and quantisation."""

    index: int
    shape: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0


class Builder:
    """One subgraph: tensors first, then the operators between them in order of execution."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [_buffer(None)]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.codes: dict[str, int] = {}
        self.initial: Builder | None = None

    def variable(
        self, shape: Sequence[int], scale: float, zero_point: int, dtype: str = "INT8"
    ) -> Value:
        """Add a tensor that keeps its values from one inference to the next."""
        value = self.activation(shape, scale, zero_point, dtype)
        self.graph.tensors[value.index].isVariable = True
        return value

    def handle(self, name: str) -> Value:
        """Add an operator that names a variable."""
        handle = self._tensor((), "RESOURCE", None, [], [])
        self.operator("VAR_HANDLE", [], [handle], container="", sharedName=name)
        return handle

    def begin(self, name: str, value: Any) -> None:
        """Let a subgraph that is called once assign a constant to a variable."""
        if self.initial is None:
            self.initial = Builder()
            # One file: the same buffers and operator codes.
            self.initial.model, self.initial.codes = self.model, self.codes
        inner = self.initial
        inner.operator("ASSIGN_VARIABLE", [inner.handle(name), inner.constant(value)], [])

    def activation(
        self, shape: Sequence[int], scale: float, zero_point: int, dtype: str = "INT8"
    ) -> Value:
        """Add a tensor that an operator writes, or the input."""
        scale = float(np.float32(scale))
        return self._tensor(tuple(map(int, shape)), dtype, None, [scale], [zero_point])

    def constant(
        self,
        data: Any,
        scales: Sequence[float] = (),
        zero_points: Sequence[int] = (),
        axis: int = 0,
    ) -> Value:
        """Add a constant of type int8, int16, int32, int64 or float32."""
        data = np.asarray(data)
        scales = [float(np.float32(scale)) for scale in scales]
        zero_points = list(zero_points) or [0] * len(scales)
        return self._tensor(data.shape, _TYPES[data.dtype], data, scales, zero_points, axis)

    def _tensor(
        self,
        shape: tuple[int, ...],
        dtype: str,
        data: np.ndarray | None,
        scales: list[float],
        zero_points: list[int],
        axis: int = 0,
    ) -> Value:
        tensor = schema.TensorT()
        tensor.shape, tensor.name = list(shape), f"t{len(self.graph.tensors)}"
        tensor.type = getattr(schema.TensorType, dtype)
        tensor.buffer = 0 if data is None else len(self.model.buffers)
        if data is not None:
            self.model.buffers.append(_buffer(data))
        if scales:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = zero_points
            tensor.quantization.quantizedDimension = axis
        self.graph.tensors.append(tensor)
        first = scales[0] if scales else 0.0
        return Value(len(self.graph.tensors) - 1, shape, first, (zero_points or [0])[0])

    def operator(
        self, name: str, inputs: Sequence[Value | None], outputs: Sequence[Value], **options: Any
    ) -> None:
        """Add an operator; options have the schema's names, enumerations as names or numbers."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(name)
        operator.inputs = [-1 if value is None else value.index for value in inputs]
        operator.outputs = [value.index for value in outputs]
        if name in OPTIONS:
            table = f"{OPTIONS[name]}Options"
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            operator.builtinOptions = getattr(schema, f"{table}T")()
            for option, value in options.items():
                assert hasattr(operator.builtinOptions, option), option
                setattr(operator.builtinOptions, option, _number(option, value))
        self.graph.operators.append(operator)

    def _code(self, name: str) -> int:
        if name not in self.codes:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            # TensorFlow Lite Micro looks for these versions nowhere, but the field must be there.
            code.version = 1
            self.codes[name] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        return self.codes[name]

    def finish(self, inputs: Sequence[Value], outputs: Sequence[Value]) -> bytes:
        """Return the file."""
        self.graph.inputs = [value.index for value in inputs]
        self.graph.outputs = [value.index for value in outputs]
        self.model.subgraphs = [self.graph]
        if self.initial is not None:
            self.operator("CALL_ONCE", [], [], initSubgraphIndex=1)
            self.graph.operators.insert(0, self.graph.operators.pop())
            self.initial.graph.inputs = self.initial.graph.outputs = []
            self.model.subgraphs.append(self.initial.graph)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _buffer(data: np.ndarray | None) -> Any:
    buffer = schema.BufferT()
    if data is not None:
        buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
    return buffer


def _number(option: str, value: Any) -> Any:
    if isinstance(value, str) and option not in ("container", "sharedName"):
        kinds = {
            "padding": schema.Padding,
            "mode": schema.MirrorPadMode,
            "outType": schema.TensorType,
            "outputType": schema.TensorType,
        }
        return getattr(kinds.get(option, schema.ActivationFunctionType), value)
    return value
