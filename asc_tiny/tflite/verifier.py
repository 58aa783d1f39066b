"""Checking the structure of a .tflite file before anything in it is believed.

The rules are those of the flatbuffers library's verifier, and stricter where a writer leaves no
choice: fields lie within their table, offsets lead forward, vectors and texts end within the file.
As there, numbers of eight bytes in a vector may lie at any multiple of four.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import zip_longest

from asc_tiny.tflite import schema_tables
from asc_tiny.tflite.flatbuffer import DamagedError

_SIZES = {code: struct.calcsize(f"<{code}") for code in "?bBhHiIqQfd"}
_OFFSET_SIZE, _LARGEST = 4, 8
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


@dataclass(frozen=True)
class _Plan:
    """What is left to check of a table whose vtable is sound.

    Attributes:
        size: bytes of the table.
        references: fields that lead elsewhere: their layout, their place in the table, and the
            place of the field before.
    """

    size: int
    references: tuple[tuple[str, int, int], ...]


class _Checker:
    """Walks over all tables; each is looked at once, so that shared ones cost nothing.

    Attributes:
        end: where the last object ends; writers fill up to a multiple of four bytes.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.seen: set[tuple[str, int]] = set()
        self.plans: dict[tuple[str, int, int], _Plan] = {}
        self.end = 0
        self.steps = 0

    def table(self, kind: str, position: int, fields: schema_tables.Layout | None = None) -> None:
        if (kind, position) in self.seen:
            return
        self.seen.add((kind, position))
        self._span(position, _OFFSET_SIZE, aligned=_OFFSET_SIZE)
        vtable = position - _INT.unpack_from(self.data, position)[0]
        # Tables of a kind share few vtables: what these say is checked once.
        key = kind, vtable, position % _LARGEST
        plan = self.plans.get(key)
        if plan is None:
            fields = schema_tables.TABLES[kind] if fields is None else fields
            plan = self.plans[key] = self._plan(kind, fields, vtable, position)
        self._span(position, plan.size)
        for field, offset, named in plan.references:
            target = self.target(position + offset)
            if field == "s":
                self._text(target)
            elif field == schema_tables.UNION:
                self._options(self.data[position + named] if named else 0, target)
            elif field[0] == "[":
                self._vector(field[1:-1], target)
            else:
                self.table(field, target)

    def _plan(self, kind: str, fields: schema_tables.Layout, vtable: int, position: int) -> _Plan:
        """Check a vtable, for tables of a kind at a place of this alignment."""
        self._span(vtable, 4, aligned=2)
        vtable_size, size = _SHORTS.unpack_from(self.data, vtable)
        if vtable_size < 4 or vtable_size % 2 or size < 4:
            raise DamagedError(f"a table {kind} of {vtable_size} and {size} bytes")
        self._span(vtable, vtable_size)
        count = (vtable_size - 4) // 2
        offsets = struct.unpack_from(f"<{count}H", self.data, vtable + 4)
        references = []
        for number, (offset, field) in enumerate(zip_longest(offsets[: len(fields)], fields)):
            if not offset:
                continue
            if field == schema_tables.FORBIDDEN:
                raise DamagedError(f"field {number} of {kind} is not supported")
            width = _SIZES.get(field, _OFFSET_SIZE)
            if not 4 <= offset <= size - width or (position + offset) % width:
                raise DamagedError(f"field {number} of {kind} is out of place")
            if field not in _SIZES:
                # The number of a union's member is in the field before it.
                references.append((field, offset, offsets[number - 1] if number else 0))
        if any(offset and not 4 <= offset < size for offset in offsets[len(fields) :]):
            raise DamagedError(f"a field of {kind} lies outside of it")
        return _Plan(size, tuple(references))

    def target(self, place: int) -> int:
        """Return where the offset at ``place`` leads."""
        self._span(place, _OFFSET_SIZE)
        distance: int = _OFFSET.unpack_from(self.data, place)[0]
        if distance == 0:
            raise DamagedError(f"an offset at {place} that leads nowhere")
        return place + distance

    def _options(self, number: int, position: int) -> None:
        if not 0 < number < len(schema_tables.OPTION_NAMES):
            raise DamagedError(f"options of the unknown kind {number}")
        name = schema_tables.OPTION_NAMES[number]
        self.table(f"{name}Options", position, schema_tables.OPTIONS[name])

    def _text(self, start: int) -> None:
        end = self._elements(start, 1)
        self._span(end, 1)
        if self.data[end]:
            raise DamagedError(f"a text at {start} that does not end")

    def _vector(self, element: str, start: int) -> None:
        if (element, start) in self.seen:
            return
        self.seen.add((element, start))
        size = _SIZES.get(element, _OFFSET_SIZE)
        end = self._elements(start, size)
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
        end = start + size
        if start < 0 or end > len(self.data) or start % aligned:
            raise DamagedError(f"{size} bytes at {start} of {len(self.data)}")
        if end > self.end:
            self.end = -(-end // _OFFSET_SIZE) * _OFFSET_SIZE
