"""Writing the metadata entry that makes a ``.tflite`` file carry all that later commands need.

The file's bytes stay as they are, and stand behind a front of a new root table with new lists of
buffers and metadata: flatbuffers refer forward, so that the front refers to what stands behind it.
Whatever the file holds, known to this tool or not, keeps its meaning, and can be taken out again.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from asc_tiny.tflite import schema
from asc_tiny.tflite.flatbuffer import DamagedError, Table
from asc_tiny.tflite.verifier import check_structure

NAME = "asc_tiny"
SCHEMA = 1

_IDENTIFIER = b"TFL3"
_MARK = b"asc-tiny front\0\0"
"""What stands at ``_MARK_AT`` of a file that has a front, with the number of its bytes behind."""

_MARK_AT = 8
_ALIGNMENT = 16
"""``force_align`` of Buffer.data in the TFLite schema: kernels read int32 in place."""

_KEPT = (1, 2, 3, 5, 7)
"""Fields of a model that are references and are kept: operator codes, subgraphs, description,
places of metadata in old files, signatures."""


def embed(model: bytes, document: Mapping[str, Any]) -> bytes:
    """Return a TFLite model with ``document`` as its metadata entry ``asc_tiny``.

    The entry is compact JSON with sorted keys, so that equal documents give equal bytes. An
    entry of that name that is already there is replaced.

    Args:
        model: a TFLite flatbuffer whose structure has been checked.
        document: plain values; ``schema`` is added.
    """
    text = json.dumps({**document, "schema": SCHEMA}, sort_keys=True, separators=(",", ":"))
    return _with_entry(original(model), text.encode("utf-8"))


def _with_entry(model: bytes, content: bytes) -> bytes:
    """Return a model with ``content`` as its entry."""
    root = Table.root(model)
    buffers = root.tables(schema.MODEL_BUFFERS)
    others = [
        entry
        for entry in root.tables(schema.MODEL_METADATA)
        if entry.text(schema.METADATA_NAME) != NAME
    ]
    front = _Front()
    front.mark()
    table, places = front.table(["I", *"o" * 7])
    front.link(0, table)
    front.put(places[0], root.number(schema.MODEL_VERSION, "I"))
    for field in _KEPT:
        target = root.target(field)
        if target is None:
            front.leave_out(table, field)
        else:
            front.link_behind(places[field], target)
    *old, added = front.vector(places[schema.MODEL_BUFFERS], len(buffers) + 1)
    *kept, own = front.vector(places[schema.MODEL_METADATA], len(others) + 1)
    for place, buffer in zip(old, buffers, strict=True):
        front.buffer(place, buffer)
    for place, entry in zip(kept, others, strict=True):
        front.link_behind(place, entry.position)
    front.entry(own, number=len(buffers))
    front.content(added, content)
    return front.before(model)


def original(model: bytes) -> bytes:
    """Return the file that ``embed`` made a TFLite model from, or ``model`` if it made none."""
    end = _MARK_AT + len(_MARK)
    if model[_MARK_AT:end] != _MARK or len(model) < end + 4:
        return model
    (size,) = struct.unpack_from("<I", model, end)
    inner = model[size:]
    if size < end + 4 or inner[4:8] != _IDENTIFIER:
        return model
    # The mark is what a file says: the front must be the one that embedding would write.
    try:
        content = Table.root(model).tables(schema.MODEL_BUFFERS)[-1].octets(schema.BUFFER_DATA)
        check_structure(inner)
        return inner if _with_entry(inner, content) == model else model
    except (DamagedError, IndexError, struct.error):
        return model


class _Front:
    """Bytes before a model's, written from the root on; what refers to the model is set last."""

    def __init__(self) -> None:
        self.data = bytearray(4) + _IDENTIFIER
        self.behind: list[tuple[int, int]] = []
        """Places of references, and the positions in the model that they lead to."""
        self.external: list[tuple[int, int]] = []
        """Places of offsets from the start of the file, and what they are in the model."""

    def mark(self) -> None:
        """Append the mark and room for the number of bytes of the front."""
        self.data += _MARK + bytes(4)

    def table(self, fields: Sequence[str]) -> tuple[int, list[int]]:
        """Append a table with its vtable before it; return its position and those of its fields.

        Args:
            fields: the fields' types, letters of ``struct`` or ``o`` for a reference, in an order
                in which each is aligned where the first is 4 bytes behind a multiple of 8.
        """
        sizes = [4 if field == "o" else struct.calcsize(f"<{field}") for field in fields]
        offsets = [4 + sum(sizes[:number]) for number in range(len(sizes))]
        vtable = struct.pack(f"<{2 + len(fields)}H", 4 + 2 * len(fields), 4 + sum(sizes), *offsets)
        self._align(8, behind=len(vtable) + 4)
        start = len(self.data)
        self.data += vtable
        position = len(self.data)
        self.data += struct.pack("<i", position - start) + bytes(sum(sizes))
        return position, [position + offset for offset in offsets]

    def leave_out(self, table: int, field: int) -> None:
        """Make a table say that it has no such field."""
        (distance,) = struct.unpack_from("<i", self.data, table)
        struct.pack_into("<H", self.data, table - distance + 4 + 2 * field, 0)

    def vector(self, place: int, count: int) -> range:
        """Append a vector to which the reference at ``place`` leads; return places of its own."""
        self._align(4)
        self.link(place, len(self.data))
        self.data += struct.pack("<I", count)
        start = len(self.data)
        self.data += bytes(4 * count)
        return range(start, start + 4 * count, 4)

    def buffer(self, place: int, buffer: Table) -> None:
        """Make a reference lead to a model's buffer: a new one if its content is outside.

        Args:
            place: the reference.
            buffer: the buffer's table in the model.
        """
        offset = buffer.number(schema.BUFFER_OFFSET, "Q")
        if offset <= 1:
            self.link_behind(place, buffer.position)
            return
        table, (_, at, size) = self.table(["I", "Q", "Q"])
        self.leave_out(table, schema.BUFFER_DATA)
        self.link(place, table)
        self.external.append((at, offset))
        struct.pack_into("<Q", self.data, size, buffer.number(schema.BUFFER_SIZE, "Q"))

    def entry(self, place: int, *, number: int) -> None:
        """Append the metadata entry of a buffer, to which the reference at ``place`` leads."""
        table, (name, buffer) = self.table(["o", "I"])
        self.link(place, table)
        self.put(buffer, number)
        self._align(4)
        self.link(name, len(self.data))
        self.data += struct.pack("<I", len(NAME)) + NAME.encode() + b"\0"

    def content(self, place: int, content: bytes) -> None:
        """Append a buffer with its content, to which the reference at ``place`` leads."""
        table, (data,) = self.table(["o"])
        self.link(place, table)
        self._align(_ALIGNMENT, behind=4)
        self.link(data, len(self.data))
        self.data += struct.pack("<I", len(content)) + content

    def put(self, place: int, value: int) -> None:
        """Write a number of 32 bits."""
        struct.pack_into("<I", self.data, place, value)

    def link(self, place: int, target: int) -> None:
        """Make a reference lead to a position in the front."""
        self.put(place, target - place)

    def link_behind(self, place: int, target: int) -> None:
        """Make a reference lead to a position in the model."""
        self.behind.append((place, target))

    def before(self, model: bytes) -> bytes:
        """Return the front with the model behind it."""
        self._align(_ALIGNMENT)
        size = len(self.data)
        self.put(_MARK_AT + len(_MARK), size)
        for place, target in self.behind:
            self.link(place, size + target)
        for place, offset in self.external:
            struct.pack_into("<Q", self.data, place, size + offset)
        return bytes(self.data) + model

    def _align(self, multiple: int, *, behind: int = 0) -> None:
        """Append zeros until what is ``behind`` bytes further lies at a multiple."""
        self.data += bytes(-(len(self.data) + behind) % multiple)
