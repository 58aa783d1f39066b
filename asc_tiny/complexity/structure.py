"""Checking the structure of a .tflite file before anything in it is believed.

The rules are those of the flatbuffers library's verifier, and stricter where a writer leaves no
choice: fields lie within their table, offsets lead forward, vectors and texts end within the file.
"""

from __future__ import annotations

import struct

from asc_tiny.complexity import layout
from asc_tiny.complexity.flatbuffer import DamagedError

_SIZES = {code: struct.calcsize(f"<{code}") for code in "?bBhHiIqQfd"}
_OFFSET_SIZE = 4
_INT, _OFFSET, _SHORTS = struct.Struct("<i"), struct.Struct("<I"), struct.Struct("<HH")


def check_structure(data: bytes) -> None:
    """Check that every table of a .tflite file lies within it as its layout says.

    Raises:
        DamagedError: one does not, or the file has what is not supported.
    """
    checker = _Checker(data)
    checker.table("Model", checker.target(0))
    if checker.end > len(data):
        raise DamagedError(f"{len(data)} bytes, {checker.end} are needed")


class _Checker:
    """Walks over all tables; each is looked at once, so that shared ones cost nothing.

    Attributes:
        end: where the last object ends; writers fill up to a multiple of four bytes.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.seen: set[tuple[str, int]] = set()
        self.end = 0
        self.steps = 0

    def table(self, kind: str, position: int, fields: layout.Layout | None = None) -> None:
        if (kind, position) in self.seen:
            return
        self.seen.add((kind, position))
        fields = layout.TABLES[kind] if fields is None else fields
        self._span(position, _OFFSET_SIZE, aligned=_OFFSET_SIZE)
        vtable = position - _INT.unpack_from(self.data, position)[0]
        self._span(vtable, 4, aligned=2)
        vtable_size, size = _SHORTS.unpack_from(self.data, vtable)
        if vtable_size < 4 or vtable_size % 2 or size < 4:
            raise DamagedError(f"a table {kind} of {vtable_size} and {size} bytes")
        self._span(vtable, vtable_size)
        self._span(position, size)
        count = (vtable_size - 4) // 2
        offsets = struct.unpack_from(f"<{count}H", self.data, vtable + 4)
        for number, offset in enumerate(offsets):
            if offset == 0:
                continue
            if not 4 <= offset < size:
                raise DamagedError(f"field {number} of {kind} lies outside of it")
            if number < len(fields):
                room = size - offset
                self._field(kind, fields, number, position + offset, room, offsets)

    def _field(
        self,
        kind: str,
        fields: layout.Layout,
        number: int,
        place: int,
        room: int,
        offsets: tuple[int, ...],
    ) -> None:
        field = fields[number]
        if field == layout.FORBIDDEN:
            raise DamagedError(f"field {number} of {kind} is not supported")
        size = _SIZES.get(field, _OFFSET_SIZE)
        if size > room or place % size:
            raise DamagedError(f"field {number} of {kind} is out of place")
        if field in _SIZES:
            return
        target = self.target(place)
        if field == layout.UNION:
            # The number of the union's member is in the field before it.
            named = offsets[number - 1]
            self._options(self.data[place - offsets[number] + named] if named else 0, target)
        elif field[0] == "[":
            self._vector(field[1:-1], target)
        elif field == "s":
            self._text(target)
        else:
            self.table(field, target)

    def target(self, place: int) -> int:
        """Return where the offset at ``place`` leads."""
        self._span(place, _OFFSET_SIZE)
        distance: int = _OFFSET.unpack_from(self.data, place)[0]
        if distance == 0:
            raise DamagedError(f"an offset at {place} that leads nowhere")
        return place + distance

    def _options(self, number: int, position: int) -> None:
        if not 0 < number < len(layout.OPTION_NAMES):
            raise DamagedError(f"options of the unknown kind {number}")
        name = layout.OPTION_NAMES[number]
        self.table(f"{name}Options", position, layout.OPTIONS[name])

    def _text(self, start: int) -> None:
        end = self._elements(start, 1) + 1
        self._span(end - 1, 1)
        if self.data[end - 1]:
            raise DamagedError(f"a text at {start} that does not end")
        self._reach(end)

    def _vector(self, element: str, start: int) -> None:
        if (element, start) in self.seen:
            return
        self.seen.add((element, start))
        size = _SIZES.get(element, _OFFSET_SIZE)
        end = self._elements(start, size)
        if size > _OFFSET_SIZE and end > start + 4 and (start + 4) % size:
            raise DamagedError(f"numbers at {start} are out of place")
        if element not in _SIZES:
            # Vectors may overlap in a damaged file: without an end this would take for ever.
            self.steps += (end - start) // _OFFSET_SIZE
            if self.steps > len(self.data):
                raise DamagedError("tables overlap")
            for place in range(start + 4, end, _OFFSET_SIZE):
                self.table(element, self.target(place))

    def _elements(self, start: int, size: int) -> int:
        """Return where the elements of a vector end."""
        self._span(start, _OFFSET_SIZE, aligned=_OFFSET_SIZE)
        length = _OFFSET.unpack_from(self.data, start)[0]
        self._span(start, 4 + length * size)
        return start + 4 + int(length) * size

    def _span(self, start: int, size: int, *, aligned: int = 1) -> None:
        if start < 0 or start + size > len(self.data) or start % aligned:
            raise DamagedError(f"{size} bytes at {start} of {len(self.data)}")
        self._reach(start + size)

    def _reach(self, end: int) -> None:
        self.end = max(self.end, -(-end // _OFFSET_SIZE) * _OFFSET_SIZE)
