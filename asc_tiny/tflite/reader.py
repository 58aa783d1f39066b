"""Reading a .tflite file into plain, checked data."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from asc_tiny.tflite import schema, schema_tables
from asc_tiny.tflite.flatbuffer import DamagedError, Table
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.tflite.ops import CUSTOM, NAMES, VELA, custom_name, custom_operator, row
from asc_tiny.tflite.option_check import check_fields
from asc_tiny.tflite.schema_tables import Field
from asc_tiny.tflite.shapes.check import check_shapes
from asc_tiny.tflite.shapes.rule import shape_rule
from asc_tiny.tflite.subgraph_calls import check_calls, check_variables
from asc_tiny.tflite.verifier import check_structure
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

_MOST_DIMENSIONS = 8
# Of other types, readers keep a zero point in 32 bits.
_ANY_ZERO_POINT = (-(2**31), 2**31 - 1)
_TYPE_ADVICE: Mapping[str, str] = {
    "COMPLEX128": "compute spectra before the model, and begin it with real numbers",
    "STRING": "turn texts into numbers before the model: leave TextVectorization and lookups out",
    "VARIANT": "leave lists of tensors out: unroll=True in recurrent layers of Keras",
}
_LFS_POINTER = b"version https://git-lfs"
_SUFFIX_ADVICE: Mapping[str, str] = {
    ".keras": "asc-tiny quantize makes one of it",
    ".h5": "save the model as .keras, of which asc-tiny quantize makes one",
    ".onnx": "docs/how_to/other_models.md says how it becomes one",
    ".pt": "docs/how_to/other_models.md says how it becomes one",
    ".pth": "docs/how_to/other_models.md says how it becomes one",
    ".h": "it holds C code; give the file that this was made of",
    ".cc": "it holds C code; give the file that this was made of",
    ".c": "it holds C code; give the file that this was made of",
}
"""What people have in place of a .tflite file, by how its name ends."""
_OTHER_TYPE = "convert anew with numbers of these types"
_DAMAGE = (DamagedError, struct.error, OverflowError, MemoryError)


def read_graph(path: Path) -> Graph:
    """Read the .tflite file at ``path``; errors as in ``parse_graph``."""
    return parse_graph(read_bytes(path), source=str(path))


def parse_graph(data: bytes, *, source: str, is_interpreted: bool = False) -> Graph:
    """Parse the bytes of a .tflite file.

    Args:
        data: the file's contents, a flatbuffer with identifier ``TFL3``.
        source: the file named in error messages.
        is_interpreted: whether an interpreter runs the file as it is: then sizes that its signature
            leaves open are those that it states, and it may be code for an NPU, or only hand
            inputs and constants on.

    Raises:
        AscError: not a .tflite file, a damaged one, or unknown dimensions.
    """
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise _another_file(data, source)
    try:
        check_structure(data)
        return _Reader(data, source, is_interpreted).graph()
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise AscError(f"{source}: damaged .tflite file ({reason})") from error


def _another_file(data: bytes, source: str) -> AscError:
    """Return the error that says of something else how a .tflite file is had of it."""
    advice = _SUFFIX_ADVICE.get(PurePath(source).suffix.lower(), "")
    if data.startswith(_LFS_POINTER):
        advice = "it is a pointer of Git LFS, git lfs pull brings the file"
    known = f"; {advice}" if advice else ""
    return AscError(f"{source}: not a .tflite file (identifier TFL3 is missing){known}")


class _Reader:
    """Walks the flatbuffer; anything out of place raises ``DamagedError`` or ``AscError``."""

    def __init__(self, data: bytes, source: str, is_interpreted: bool) -> None:
        self.data = data
        self.source = source
        self.is_interpreted = is_interpreted
        self.read = 0
        self.model = Table.root(data)
        version = self.model.number(schema.MODEL_VERSION, "I")
        if version != schema.VERSION:
            raise AscError(
                f"{source}: schema version {version}, this version reads {schema.VERSION}"
            )
        self.buffers = self.model.tables(schema.MODEL_BUFFERS)
        self.contents: dict[int, bytes | None] = {}
        self.open: dict[int, tuple[int, ...]] = {}
        """The signatures of a subgraph's tensors in which a dimension is unknown."""
        self.codes = [
            self.operator_name(code) for code in self.model.tables(schema.MODEL_OPERATOR_CODES)
        ]

    def graph(self) -> Graph:
        tables = self.model.tables(schema.MODEL_SUBGRAPHS)
        if not tables:
            raise AscError(f"{self.source}: has no subgraph")
        first, *others = [self.subgraph(table) for table in tables]
        for graph in (first, *others):
            check_calls(graph, others)
            check_shapes(graph)
            check_fields(graph)
        check_variables((first, *others))
        if not first.inputs or not first.outputs:
            raise AscError(f"{self.source}: has no input or no output")
        return Graph(
            self.source,
            first.operators,
            first.tensors,
            first.inputs,
            first.outputs,
            self.metadata(),
            tuple(others),
        )

    def subgraph(self, table: Table) -> Graph:
        self.open = {}
        tensors = tuple(
            self.tensor(index, each)
            for index, each in enumerate(self.counted(table.tables(schema.SUBGRAPH_TENSORS)))
        )
        operators = tuple(
            self.operator(index, each, len(tensors))
            for index, each in enumerate(self.counted(table.tables(schema.SUBGRAPH_OPERATORS)))
        )
        inputs = self.indices(table, schema.SUBGRAPH_INPUTS, len(tensors))
        outputs = self.indices(table, schema.SUBGRAPH_OUTPUTS, len(tensors))
        if ABSENT in inputs + outputs:
            raise DamagedError("an input or output is absent")
        if any(tensors[index].is_constant for index in inputs):
            raise DamagedError("an input is a constant")
        graph = Graph(self.source, operators, tensors, inputs, outputs)
        if not self.is_interpreted:
            _check_vela(graph)
            self.check_open(graph)
        _check_order(graph)
        return graph

    def check_open(self, graph: Graph) -> None:
        """Check that dimensions which the signatures leave open are known all the same.

        An interpreter allocates the shape that the file states. It is what the model computes where
        only the batch of an input is open, which is 1, and where a rule checks that the shape
        follows from known ones. A vector of any length, and what depends on values, has none.
        """
        inputs = {index: self.open[index] for index in graph.inputs if index in self.open}
        for index, signature in inputs.items():
            if len(signature) == 1 or min(signature[1:]) < 0:
                raise self.unknown(index, signature)
        for index, signature in self.open.items():
            if inputs and min(signature[1:], default=0) >= 0:
                continue
            operator = graph.producers.get(index)
            if operator is None or not _has_known_shape(graph, operator):
                raise self.unknown(index, signature)

    def unknown(self, index: int, shape: Sequence[int]) -> AscError:
        return AscError(
            f"{self.source}: tensor {index} has unknown dimensions {list(shape)}; only the batch "
            f"may be any, convert the model with all other sizes known (keras.Input with a shape, "
            f"litert-torch with sample arguments of it)"
        )

    def counted(self, values: Sequence[Any]) -> Sequence[Any]:
        # Tables may share a list: a damaged or hostile file must not make us read one for ever.
        self.read += len(values)
        if self.read > len(self.data):
            raise DamagedError(f"more than {len(self.data)} entries in {len(self.data)} bytes")
        return values

    def indices(self, table: Table, field: int, tensor_count: int) -> tuple[int, ...]:
        values = tuple(self.counted(table.numbers(field, "i")))
        for value in values:
            if not ABSENT <= value < tensor_count:
                raise DamagedError(f"tensor {value} of {tensor_count}")
        return values

    def tensor(self, index: int, table: Table) -> Tensor:
        shape = tuple(self.counted(table.numbers(schema.TENSOR_SHAPE, "i")))
        signature = tuple(self.counted(table.numbers(schema.TENSOR_SIGNATURE, "i")))
        dimensions = max(len(shape), len(signature))
        if dimensions > _MOST_DIMENSIONS:
            raise DamagedError(f"tensor {index} has {dimensions} dimensions")
        # The signature is what the model was made for, the shape what an interpreter allocates: an
        # unknown batch is 1.
        if min(shape, default=0) < 0:
            raise self.unknown(index, signature or shape)
        if min(signature, default=0) < 0:
            if len(shape) != len(signature):
                raise self.unknown(index, signature)
            self.open[index] = signature
        dtype = _name(schema.TENSOR_TYPES, table.number(schema.TENSOR_TYPE, "b"), "type")
        if dtype not in schema.TYPE_BITS:
            allowed = ", ".join(sorted(schema.TYPE_BITS))
            raise AscError(
                f"{self.source}: tensor {index} is {dtype}, allowed: {allowed}; "
                f"{_TYPE_ADVICE.get(dtype, _OTHER_TYPE)}"
            )
        name = str(self.counted(table.text(schema.TENSOR_NAME)))
        scales, zero_points, dimension = self.quantization(
            index, name, table.table(schema.TENSOR_QUANTIZATION)
        )
        # One scale, or one dimension, leaves no choice of an axis: files state any there.
        if len(scales) < 2 or len(shape) < 2:
            dimension = 0
        if not 0 <= dimension < max(1, len(shape)):
            raise DamagedError(f"tensor {index}: scales along axis {dimension}")
        if len(scales) > 1 and shape[dimension : dimension + 1] != (len(scales),):
            raise DamagedError(f"tensor {index}: {len(scales)} scales for {list(shape)}")
        _check_zero_points(index, dtype, zero_points)
        buffer = table.number(schema.TENSOR_BUFFER, "I")
        tensor = Tensor(
            index,
            name,
            shape,
            dtype,
            scales,
            zero_points,
            dimension,
            self.buffer(buffer),
            buffer,
            bool(table.number(schema.TENSOR_VARIABLE, "?")),
        )
        if tensor.is_constant and tensor.is_variable:
            raise DamagedError(f"tensor {index} is a constant and a variable")
        if tensor.content is not None and len(tensor.content) != tensor.byte_count:
            raise DamagedError(
                f"tensor {index}: {len(tensor.content)} bytes for {list(shape)} {dtype}"
            )
        return tensor

    def quantization(
        self, index: int, name: str, table: Table | None
    ) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        scales = tuple(self.counted(table.numbers(schema.QUANTIZATION_SCALE, "f"))) if table else ()
        if table is None or not scales:
            return (), (), 0
        zeros = tuple(self.counted(table.numbers(schema.QUANTIZATION_ZERO_POINT, "q")))
        for scale in scales:
            if not math.isfinite(scale) or scale < 0.0:
                raise AscError(
                    f"{self.source}: tensor {index} ({printable(name)}) has the scale {scale}; "
                    f"convert the model anew, with calibration data that reach all layers"
                )
        if zeros and len(zeros) != len(scales):
            raise DamagedError(f"{len(scales)} scales, {len(zeros)} zero points")
        dimension = table.number(schema.QUANTIZATION_DIMENSION, "i")
        return scales, zeros, dimension

    def buffer(self, index: int) -> bytes | None:
        if index >= len(self.buffers):
            raise DamagedError(f"buffer {index} of {len(self.buffers)}")
        if index not in self.contents:
            self.contents[index] = self.content(index)
        return self.contents[index]

    def content(self, index: int) -> bytes | None:
        table = self.buffers[index]
        # Converters put the data of large models after the flatbuffer; 0 and 1 mean "inside".
        offset = table.number(schema.BUFFER_OFFSET, "Q")
        if offset > 1:
            size = table.number(schema.BUFFER_SIZE, "Q")
            if offset + size > len(self.data):
                raise DamagedError(f"buffer {index} ends beyond the file")
            # Interpreters differ in which of two contents they take.
            if table.octets(schema.BUFFER_DATA):
                raise DamagedError(f"buffer {index} has contents in two places")
            return self.data[offset : offset + size]
        return bytes(self.counted(table.octets(schema.BUFFER_DATA))) or None

    def operator_name(self, table: Table) -> str:
        # Old files hold the code in the first field, new ones in the second and what fits a byte
        # in the first.
        old, new = table.number(schema.CODE_DEPRECATED, "b"), table.number(schema.CODE_BUILTIN, "i")
        if old and new and old != min(new, schema.LARGEST_OLD_CODE):
            raise DamagedError(f"an operator of the codes {old} and {new}")
        number = max(old, new)
        name = _name(NAMES, number, "operator")
        if name != CUSTOM:
            return name
        own = printable(str(self.counted(table.text(schema.CODE_CUSTOM))))
        return custom_operator(own or "?")

    def operator(self, index: int, table: Table, tensor_count: int) -> Operator:
        code = table.number(schema.OPERATOR_CODE, "I")
        if code >= len(self.codes):
            raise DamagedError(f"operator code {code} of {len(self.codes)}")
        inputs = self.indices(table, schema.OPERATOR_INPUTS, tensor_count)
        outputs = self.indices(table, schema.OPERATOR_OUTPUTS, tensor_count)
        name = self.codes[code]
        if ABSENT in outputs:
            raise DamagedError(f"operator {index} ({name}) has an output that is absent")
        _check_own(index, name, table)
        return Operator(index, name, inputs, outputs, self.options(name, table))

    def options(self, name: str, table: Table) -> dict[str, Any]:
        options = table.table(schema.OPERATOR_OPTIONS)
        kind = schema_tables.OPTION_NAMES[table.number(schema.OPERATOR_OPTIONS_KIND, "B")]
        op = row(name)
        if options and op.table not in ("", kind):
            raise DamagedError(f"an operator {name} with the options of {kind}")
        values: dict[str, Any] = {}
        for option, field in op.options.items():
            value = self.option(options, field)
            names = schema.OPTION_NAMES.get(option)
            values[option] = _name(names, value, option) if names else value
        return values

    def option(self, options: Table | None, field: Field) -> Any:
        if field.type == "s":
            return str(self.counted(options.text(field.number))) if options else ""
        is_vector = field.type.startswith("[")
        if options is None:
            return () if is_vector else field.default
        if is_vector:
            return tuple(self.counted(options.numbers(field.number, field.type[1])))
        return options.number(field.number, field.type, field.default)

    def metadata(self) -> dict[str, bytes]:
        return {
            entry.text(schema.METADATA_NAME): self.buffer(entry.number(schema.METADATA_BUFFER, "I"))
            or b""
            for entry in self.model.tables(schema.MODEL_METADATA)
        }


def _check_vela(graph: Graph) -> None:
    """Check that a model was not compiled for an NPU: its operators are code for that alone."""
    for operator in graph.operators:
        if custom_name(operator.name) == VELA:
            raise AscError(
                f"{graph.source}: was compiled by Vela for an Ethos-U NPU, operator "
                f"{operator.index} is code for it; give the .tflite file that Vela was given, "
                f"or run this one by --runtime tflm"
            )


def _has_known_shape(graph: Graph, operator: Operator) -> bool:
    """Whether a rule checks that an operator's output follows from shapes and constants."""
    if shape_rule.get(operator.name) is None:
        return False
    settings = [n for n in row(operator.name).settings if n < len(operator.inputs)]
    operands = [operator.inputs[position] for position in settings]
    return all(index == ABSENT or graph.tensor(index).is_constant for index in operands)


def _check_zero_points(index: int, dtype: str, zero_points: Sequence[int]) -> None:
    """Check that the codes that stand for 0 are codes of the type."""
    lowest, highest = schema.CODES.get(dtype, _ANY_ZERO_POINT)
    for value in zero_points:
        if not lowest <= value <= highest:
            raise DamagedError(
                f"tensor {index}: zero point {value}, {dtype} allows {lowest} to {highest}"
            )


def _check_own(index: int, name: str, table: Table) -> None:
    """Check that an operator has nothing that only operators of other kinds have."""
    if custom_name(name) is None and table.octets(schema.OPERATOR_CUSTOM):
        raise DamagedError(f"operator {index} ({name}) has options of a custom operator")
    if "LSTM" not in name and table.numbers(schema.OPERATOR_INTERMEDIATES, "i"):
        raise DamagedError(f"operator {index} ({name}) has intermediate tensors")


def _check_order(graph: Graph) -> None:
    """Check that every tensor is written once, and before it is read."""
    known = {t.index for t in graph.tensors if t.is_constant or t.is_variable} | set(graph.inputs)
    for operator in graph.operators:
        # Memory that only an NPU writes and reads.
        for index in () if custom_name(operator.name) == VELA else operator.inputs:
            if index != ABSENT and index not in known and graph.tensors[index].size:
                raise DamagedError(
                    f"operator {operator.index} reads tensor {index} before it exists"
                )
        for index in operator.outputs:
            if index in known:
                raise DamagedError(f"operator {operator.index} writes tensor {index} again")
            known.add(index)
    missing = [index for index in graph.outputs if index not in known]
    if missing:
        raise DamagedError(f"no operator writes output tensor {missing[0]}")


def _name(names: Sequence[str], number: int, kind: str) -> str:
    if not 0 <= number < len(names):
        raise DamagedError(f"unknown {kind} {number}")
    return names[number]
