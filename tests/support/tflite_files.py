"""Writing small .tflite files without TensorFlow, by the flatbuffers library."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import tflite

from asc_tiny.tflite import ops, schema

Fields = Mapping[int, tuple[str, Any]]
"""Number of the field to its type, a letter of ``struct`` or ``offset``, and its value."""

_SLOTS = {"b": "Int8", "?": "Bool", "i": "Int32", "I": "Uint32", "f": "Float32", "Q": "Uint64"}
_PLAIN = ("BOOL", "INT64")
"""Types of tensors that are given no scale."""
_SIZES = {"i": 4, "f": 4, "q": 8, "B": 1}


@dataclass
class File:
    """A model's first subgraph, and the others; operators are added in the order they run."""

    tensors: list[tuple[tuple[int, ...], str, bytes | None]] = field(default_factory=list)
    operators: list[tuple[str, list[int], list[int], dict[str, Any]]] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    others: list[File] = field(default_factory=list)

    def tensor(
        self, *shape: int, dtype: str = "INT8", content: bytes | None = None, full: bool = False
    ) -> int:
        """Add a tensor, ``full`` for a constant of zeros; return its index."""
        if full:
            content = bytes(-(-math.prod(shape) * schema.TYPE_BITS[dtype] // 8))
        self.tensors.append((shape, dtype, content))
        return len(self.tensors) - 1

    def input(self, *shape: int) -> int:
        """Add an int8 input of the model."""
        self.inputs.append(self.tensor(*shape))
        return self.inputs[-1]

    def add(self, name: str, inputs: Sequence[int], *shape: int, **options: Any) -> int:
        """Add an operator with one int8 output; return the output's index."""
        (output,) = self.add_several(name, inputs, [shape], **options)
        return output

    def add_several(
        self, name: str, inputs: Sequence[int], shapes: Sequence[Sequence[int]], **options: Any
    ) -> list[int]:
        """Add an operator with int8 outputs; return their indices."""
        outputs = [self.tensor(*shape) for shape in shapes]
        self.operators.append((name, list(inputs), outputs, options))
        return outputs

    def integers(self, *values: int) -> int:
        """Add an int32 constant, such as axes; return its index."""
        content = struct.pack(f"<{len(values)}i", *values)
        return self.tensor(len(values), dtype="INT32", content=content)

    def conv(self, source: int, channels: int, kernel: int = 3) -> int:
        """Add a convolution with stride 1 and padding, with int8 weights and an int32 bias."""
        *sizes, depth = self.tensors[source][0]
        weights = self.tensor(channels, kernel, kernel, depth, full=True)
        bias = self.tensor(channels, dtype="INT32", full=True)
        options = {"padding": 0, "stride_w": 1, "stride_h": 1}
        return self.add("CONV_2D", [source, weights, bias], *sizes, channels, **options)

    def data(self) -> bytes:
        """Return the bytes of the file."""
        return Writer().model([self, *self.others])


class Writer:
    """Tables and vectors of a file, written from the leaves to the root."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(1024)

    def table(self, fields: Fields) -> int:
        self.builder.StartObject(max(fields, default=-1) + 1)
        for number, (kind, value) in fields.items():
            if kind == "offset":
                self.builder.PrependUOffsetTRelativeSlot(number, value, 0)
            else:
                # A default that no value has: every field is written.
                getattr(self.builder, f"Prepend{_SLOTS[kind]}Slot")(number, value, None)
        return int(self.builder.EndObject())

    def vector(self, kind: str, values: Sequence[Any]) -> int:
        prepend: dict[str, Callable[[Any], None]] = {
            "i": self.builder.PrependInt32,
            "f": self.builder.PrependFloat32,
            "q": self.builder.PrependInt64,
            "offset": self.builder.PrependUOffsetTRelative,
        }
        size = _SIZES.get(kind, 4)
        self.builder.StartVector(size, len(values), size)
        for value in reversed(values):
            prepend[kind](value)
        return int(self.builder.EndVector())

    def bytes(self, content: bytes) -> int:
        # As converters do: kernels read constants in place.
        self.builder.StartVector(1, len(content), 16)
        self.builder.head -= len(content)
        self.builder.Bytes[self.builder.head : self.builder.head + len(content)] = content
        return int(self.builder.EndVector())

    def model(self, files: Sequence[File]) -> bytes:
        # Buffer 0 is empty and belongs to tensors without content.
        contents = [b""]
        names = list(dict.fromkeys(name for file in files for name, *_ in file.operators))
        subgraphs = [self.subgraph(file, names, contents) for file in files]
        buffers = [
            self.table({0: ("offset", self.bytes(content))} if content else {})
            for content in contents
        ]
        return self.finish(subgraphs, [self.code(name) for name in names], buffers)

    def finish(self, subgraphs: list[int], codes: list[int], buffers: list[int]) -> bytes:
        model = {
            0: ("I", 3),
            1: ("offset", self.vector("offset", codes)),
            2: ("offset", self.vector("offset", subgraphs)),
            3: ("offset", self.builder.CreateString("written by a test")),
            4: ("offset", self.vector("offset", buffers)),
        }
        self.builder.Finish(self.table(model), file_identifier=b"TFL3")
        return bytes(self.builder.Output())

    def subgraph(self, file: File, names: list[str], contents: list[bytes]) -> int:
        """Write a subgraph; the last operator's outputs are its own if it states none."""
        tensors = []
        for number, (shape, dtype, content) in enumerate(file.tensors):
            if content is not None:
                contents.append(content)
            buffer = 0 if content is None else len(contents) - 1
            tensors.append(self.tensor(f"tensor {number}", shape, dtype, buffer))
        operators = [self.operator(operator, names) for operator in file.operators]
        outputs = file.outputs or file.operators[-1][2]
        return self.table(
            {
                0: ("offset", self.vector("offset", tensors)),
                1: ("offset", self.vector("i", file.inputs)),
                2: ("offset", self.vector("i", outputs)),
                3: ("offset", self.vector("offset", operators)),
                4: ("offset", self.builder.CreateString("main")),
            }
        )

    def code(self, name: str) -> int:
        number = ops.NAMES.index(name)
        return self.table({0: ("b", min(number, 127)), 2: ("i", 1), 3: ("i", number)})

    def tensor(self, name: str, shape: Sequence[int], dtype: str, buffer: int) -> int:
        quantization: dict[int, tuple[str, Any]] = {}
        if dtype not in _PLAIN:
            scales, zero_points = self.vector("f", [0.5]), self.vector("q", [0])
            quantization = {2: ("offset", scales), 3: ("offset", zero_points)}
        table = self.table(quantization)
        text = self.builder.CreateString(name)
        return self.table(
            {
                0: ("offset", self.vector("i", shape)),
                1: ("b", schema.TENSOR_TYPES.index(dtype)),
                2: ("I", buffer),
                3: ("offset", text),
                4: ("offset", table),
            }
        )

    def operator(
        self, operator: tuple[str, list[int], list[int], dict[str, Any]], names: list[str]
    ) -> int:
        name, inputs, outputs, options = operator
        fields: dict[int, tuple[str, Any]] = {
            0: ("I", names.index(name)),
            1: ("offset", self.vector("i", inputs)),
            2: ("offset", self.vector("i", outputs)),
        }
        op = ops.OPS[name]
        if op.table:
            given = {
                op.options[key].number: (op.options[key].type, value)
                for key, value in options.items()
            }
            fields[3] = ("b", getattr(tflite.BuiltinOptions, f"{op.table}Options"))
            fields[4] = ("offset", self.table(given))
        return self.table(fields)


def convolutions(channels: Sequence[int], *, size: int = 8) -> bytes:
    """Return a model of 3 x 3 convolutions in a row, each with so many channels."""
    file = File()
    last = file.input(1, size, size, 2)
    for count in channels:
        last = file.conv(last, count)
    return file.data()
