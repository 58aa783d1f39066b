"""Reading a .tflite file into plain, checked data (no TensorFlow)."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from asc_tiny.errors import AscError
from asc_tiny.files import read_bytes

ABSENT = -1
"""The tensor index that stands for an optional input that is not there, such as a bias."""

NUMPY_TYPES: Mapping[str, str] = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "FLOAT64": "<f8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "BOOL": "?",
}

# The options read for each operator: their table in the TFLite schema and its fields.
_CONV = ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
_OPTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "AVERAGE_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction"),
    ),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "CONV_2D": ("Conv2DOptions", (*_CONV, "FusedActivationFunction")),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        (*_CONV, "DepthMultiplier", "FusedActivationFunction"),
    ),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions",
        ("WeightsFormat", "KeepNumDims", "FusedActivationFunction"),
    ),
    "MAX_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction"),
    ),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "RESIZE_NEAREST_NEIGHBOR": (
        "ResizeNearestNeighborOptions",
        ("AlignCorners", "HalfPixelCenters"),
    ),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "SPLIT": ("SplitOptions", ("NumSplits",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset"),
    ),
    "TRANSPOSE_CONV": ("TransposeConvOptions", ("Padding", "StrideH", "StrideW")),
}
_DAMAGE = (
    struct.error,
    IndexError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
)


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the graph.

    Attributes:
        index: its number in the file.
        name: as the converter wrote it.
        shape: dimensions, all known; empty for a scalar.
        dtype: name in the TFLite schema, such as ``INT8``.
        scales, zero_points: affine quantisation ``value = scale * (code - zero_point)``; empty
            when the tensor is not quantised, one entry per channel when it is per channel. The
            scales are the file's float32 values, held in double precision.
        quantised_dimension: the axis that several scales run along.
        data: the constant's values with the tensor's shape, None for an activation.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantised_dimension: int
    data: NDArray[Any] | None

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the tensor's values."""
        return self.data is not None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def byte_count(self) -> int:
        """Bytes that the elements take."""
        return self.size * np.dtype(NUMPY_TYPES[self.dtype]).itemsize


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator: schema name, tensor indices (``ABSENT`` for a missing one) and options.

    ``options`` has the schema's field names in snake_case; ``padding`` is ``SAME`` or ``VALID``
    and ``fused_activation_function`` a name such as ``NONE``, ``RELU`` or ``RELU6``.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """A model of one subgraph: operators in execution order, tensors by index, metadata."""

    source: str
    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: Mapping[str, bytes]

    def tensor(self, index: int) -> Tensor:
        """Return the tensor with this index."""
        return self.tensors[index]

    def input_tensors(self, operator: Operator) -> list[Tensor]:
        """Return an operator's inputs that are present."""
        return [self.tensors[index] for index in operator.inputs if index != ABSENT]


def read_graph(path: Path) -> Graph:
    """Read the .tflite file at ``path``; errors as in ``parse_graph``."""
    return parse_graph(read_bytes(path), source=str(path))


def parse_graph(data: bytes, *, source: str) -> Graph:
    """Parse the bytes of a .tflite file.

    Args:
        data: the file's contents, a flatbuffer with identifier ``TFL3``.
        source: the file named in error messages.

    Raises:
        AscError: not a .tflite file, a damaged one, several subgraphs, or unknown dimensions.
    """
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise AscError(f"{source}: not a .tflite file (identifier TFL3 is missing)")
    try:
        return _Reader(data, source).graph()
    except _DAMAGE as error:
        raise AscError(f"{source}: damaged .tflite file ({_one_line(error)})") from error


class _Reader:
    """Walks the flatbuffer; anything out of place raises one of ``_DAMAGE`` or ``AscError``."""

    def __init__(self, data: bytes, source: str) -> None:
        self.data = data
        self.source = source
        self.model = tflite.Model.GetRootAs(data, 0)

    def graph(self) -> Graph:
        if self.model.SubgraphsLength() != 1:
            count = self.model.SubgraphsLength()
            raise AscError(f"{self.source}: has {count} subgraphs, only models with one are read")
        subgraph = self.model.Subgraphs(0)
        tensors = tuple(
            self.tensor(index, subgraph.Tensors(index))
            for index in range(self.count(subgraph.TensorsLength()))
        )
        operators = tuple(
            self.operator(index, subgraph.Operators(index), len(tensors))
            for index in range(self.count(subgraph.OperatorsLength()))
        )
        inputs = self.indices(subgraph.Inputs, subgraph.InputsLength(), len(tensors))
        outputs = self.indices(subgraph.Outputs, subgraph.OutputsLength(), len(tensors))
        if not inputs or not outputs or not operators or ABSENT in inputs + outputs:
            raise AscError(f"{self.source}: has no input, no output or no operator")
        graph = Graph(self.source, operators, tensors, inputs, outputs, self.metadata())
        _check_order(graph)
        return graph

    def count(self, length: int) -> int:
        # A damaged length must not make us loop over billions of entries.
        if length > len(self.data):
            raise ValueError(f"a list of {length} entries in {len(self.data)} bytes")
        return length

    def indices(
        self, entry: Callable[[int], int], length: int, tensor_count: int
    ) -> tuple[int, ...]:
        values = tuple(int(entry(i)) for i in range(self.count(length)))
        for value in values:
            if not ABSENT <= value < tensor_count:
                raise ValueError(f"tensor {value} of {tensor_count}")
        return values

    def tensor(self, index: int, table: Any) -> Tensor:
        name = (table.Name() or b"").decode("utf-8", "replace")
        shape = tuple(int(table.Shape(i)) for i in range(self.count(table.ShapeLength())))
        signature = [
            table.ShapeSignature(i) for i in range(self.count(table.ShapeSignatureLength()))
        ]
        if any(size < 0 for size in (*shape, *signature)):
            raise AscError(
                f"{self.source}: tensor {index} has unknown dimensions "
                f"{list(signature or shape)}, convert the model with batch size 1"
            )
        dtype = _enum_name(tflite.TensorType, table.Type())
        if dtype not in NUMPY_TYPES:
            allowed = ", ".join(sorted(NUMPY_TYPES))
            raise AscError(f"{self.source}: tensor {index} is {dtype}, allowed: {allowed}")
        scales, zero_points, dimension = self.quantisation(table.Quantization())
        if dimension and not 0 <= dimension < len(shape):
            raise ValueError(f"tensor {index}: scales along axis {dimension}")
        data = self.constant(table.Buffer(), shape, dtype)
        return Tensor(index, name, shape, dtype, scales, zero_points, dimension, data)

    def quantisation(self, table: Any) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        if table is None or table.ScaleLength() == 0:
            return (), (), 0
        scales = tuple(float(table.Scale(i)) for i in range(self.count(table.ScaleLength())))
        zeros = tuple(int(table.ZeroPoint(i)) for i in range(self.count(table.ZeroPointLength())))
        if not all(math.isfinite(scale) and scale >= 0.0 for scale in scales):
            raise ValueError("a scale is negative or not finite")
        return scales, zeros or (0,) * len(scales), int(table.QuantizedDimension())

    def buffer(self, index: int) -> bytes | None:
        if not 0 <= index < self.model.BuffersLength():
            raise ValueError(f"buffer {index} of {self.model.BuffersLength()}")
        table = self.model.Buffers(index)
        # Converters put the data of large models after the flatbuffer; 0 and 1 mean "inside".
        if table.Offset() > 1:
            data = self.data[table.Offset() : table.Offset() + table.Size()]
            if len(data) != table.Size():
                raise ValueError(f"buffer {index} ends beyond the file")
            return data
        if table.DataLength() == 0:
            return None
        return bytes(table.DataAsNumpy().tobytes())

    def constant(self, buffer: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any] | None:
        data = self.buffer(buffer)
        if data is None:
            return None
        values = np.frombuffer(data, dtype=NUMPY_TYPES[dtype]).reshape(shape)
        values.flags.writeable = False
        return values

    def operator(self, index: int, table: Any, tensor_count: int) -> Operator:
        if not 0 <= table.OpcodeIndex() < self.model.OperatorCodesLength():
            raise ValueError(f"operator code {table.OpcodeIndex()}")
        code = self.model.OperatorCodes(table.OpcodeIndex())
        # Old files hold the code in the first field, new ones in the second.
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        name = _enum_name(tflite.BuiltinOperator, number)
        if name == "CUSTOM":
            name = "CUSTOM " + (code.CustomCode() or b"?").decode("utf-8", "replace")
        inputs = self.indices(table.Inputs, table.InputsLength(), tensor_count)
        outputs = self.indices(table.Outputs, table.OutputsLength(), tensor_count)
        if not outputs or ABSENT in outputs:
            raise ValueError(f"operator {index} ({name}) has no output")
        return Operator(index, name, inputs, outputs, self.options(name, table))

    def options(self, name: str, table: Any) -> dict[str, Any]:
        if name not in _OPTIONS:
            return {}
        type_name, fields = _OPTIONS[name]
        options = getattr(tflite, type_name)()
        content = table.BuiltinOptions()
        if content is None:
            # All fields at their defaults: an empty table reads as such.
            content = _EMPTY_TABLE
        options.Init(content.Bytes, content.Pos)
        values = {_snake(field): getattr(options, field)() for field in fields}
        if "padding" in values:
            values["padding"] = _enum_name(tflite.Padding, values["padding"])
        if "fused_activation_function" in values:
            code = values["fused_activation_function"]
            values["fused_activation_function"] = _enum_name(tflite.ActivationFunctionType, code)
        return values

    def metadata(self) -> dict[str, bytes]:
        entries: dict[str, bytes] = {}
        for i in range(self.count(self.model.MetadataLength())):
            entry = self.model.Metadata(i)
            name = (entry.Name() or b"").decode("utf-8", "replace")
            entries[name] = self.buffer(entry.Buffer()) or b""
        return entries


class _EmptyTable:
    # A flatbuffer table without fields at position 4, its vtable at position 0.
    Bytes = bytes([4, 0, 4, 0, 4, 0, 0, 0])
    Pos = 4


_EMPTY_TABLE = _EmptyTable()


def _check_order(graph: Graph) -> None:
    """Check that every tensor is written once, and before it is read."""
    known = {tensor.index for tensor in graph.tensors if tensor.is_constant} | set(graph.inputs)
    for operator in graph.operators:
        for index in operator.inputs:
            if index != ABSENT and index not in known and graph.tensors[index].size:
                raise ValueError(f"operator {operator.index} reads tensor {index} before it exists")
        for index in operator.outputs:
            if index in known:
                raise ValueError(f"operator {operator.index} writes tensor {index} again")
            known.add(index)
    missing = [index for index in graph.outputs if index not in known]
    if missing:
        raise ValueError(f"no operator writes output tensor {missing[0]}")


def _enum_name(enum: Any, value: int) -> str:
    for name, number in vars(enum).items():
        if number == value and not name.startswith("_"):
            return str(name)
    raise ValueError(f"unknown {enum.__name__} {value}")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
