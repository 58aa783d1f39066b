"""Bytes written before those of a ``.tflite`` file, which change what a reader finds there.

Flatbuffers refer forward. So a file stays as it is behind a front that has a new root table, and
other tables that differ; all else in the front refers to what stands behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from asc_tiny.tflite import schema
from asc_tiny.tflite.flatbuffer import Table

IDENTIFIER = b"TFL3"

ALIGNMENT = 16
"""``force_align`` of Buffer.data in the TFLite schema: kernels read int32 in place."""

_FIELDS = 8
"""Fields of a model, a number and references."""


class Front:
    """Bytes before a model's, written from the root on; what refers to the model is set last."""

    def __init__(self) -> None:
        self.data = bytearray(4) + IDENTIFIER
        self.behind: list[tuple[int, int]] = []
        """Places of references, and the positions in the model that they lead to."""
        self.external: list[tuple[int, int]] = []
        """Places of offsets from the start of the file, and what they are in the model."""

    def root(self, model: Table, *, kept: Sequence[int], own: Sequence[int]) -> list[int]:
        """Append a new root table without other fields than these; return the fields' places.

        Args:
            model: the root table of the model.
            kept: numbers of the fields, all of them references, that stay what they are.
            own: numbers of the fields whose references are to be set.
        """
        table, places = self.table(["I", *"o" * (_FIELDS - 1)])
        self.link(0, table)
        self.put(places[0], model.number(schema.MODEL_VERSION, "I"))
        for field in range(1, _FIELDS):
            if field in kept:
                self.keep(table, field, places[field], model)
            elif field not in own:
                self.leave_out(table, field)
        return places

    def keep(self, table: int, field: int, place: int, source: Table) -> None:
        """Make a field refer to what it does in a table of the model, or to nothing if that does.

        Args:
            table: position of a table of the front.
            field: number of the field in both tables.
            place: the field's place in the front.
            source: the table of the model.
        """
        target = source.target(field)
        if target is None:
            self.leave_out(table, field)
        else:
            self.link_behind(place, target)

    def table(self, fields: Sequence[str]) -> tuple[int, list[int]]:
        """Append a table with its vtable before it; return its position and those of its fields.

        Args:
            fields: the fields' types, letters of ``struct`` or ``o`` for a reference: none but the
                first of 4 bytes where others have 8.
        """
        sizes = [4 if field == "o" else struct.calcsize(f"<{field}") for field in fields]
        # What follows the first field is aligned if the table is, else the first one.
        first = 4 if max(sizes) == 4 else 0
        offsets = [4 + sum(sizes[:number]) for number in range(len(sizes))]
        vtable = struct.pack(f"<{2 + len(fields)}H", 4 + 2 * len(fields), 4 + sum(sizes), *offsets)
        self.align(8, behind=len(vtable) + first)
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
        self.align(4)
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
        self.align(ALIGNMENT)
        size = len(self.data)
        for place, target in self.behind:
            self.link(place, size + target)
        for place, offset in self.external:
            struct.pack_into("<Q", self.data, place, size + offset)
        return bytes(self.data) + model

    def align(self, multiple: int, *, behind: int = 0) -> None:
        """Append zeros until what is ``behind`` bytes further lies at a multiple."""
        self.data += bytes(-(len(self.data) + behind) % multiple)
