"""Reading flatbuffers without a library: bounds are checked, so that damaged files raise.

The format: https://flatbuffers.dev/internals. A table begins with the distance to its vtable, which
holds the place of each field, by the field's number in the schema.
"""

from __future__ import annotations

import struct
from typing import Any

_NUMBERS = {code: struct.Struct(f"<{code}") for code in "?bBhHiIqQf"}


class DamagedError(Exception):
    """The bytes do not make sense as the flatbuffer that they should be."""


class Table:
    """A table of the flatbuffer ``data`` at byte ``position``."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position
        self._vtable = position - _number(data, "i", position)
        self._vtable_size = _number(data, "H", self._vtable)

    @classmethod
    def root(cls, data: bytes) -> Table:
        """Return the table that the file starts with."""
        return cls(data, _number(data, "I", 0))

    def number(self, field: int, code: str, default: float = 0) -> Any:
        """Return a number or flag; ``code`` is its type as ``struct`` names it."""
        place = self._place(field)
        return default if place is None else _number(self.data, code, place)

    def table(self, field: int) -> Table | None:
        """Return the table that a field refers to, None if it is absent."""
        place = self._place(field)
        return None if place is None else Table(self.data, self._target(place))

    def target(self, field: int) -> int | None:
        """Return the position that a field refers to, None if it is absent."""
        place = self._place(field)
        return None if place is None else self._target(place)

    def text(self, field: int) -> str:
        """Return a string, empty if it is absent."""
        return self.octets(field).decode("utf-8", "replace")

    def octets(self, field: int) -> bytes:
        """Return a vector of bytes, empty if it is absent."""
        start, length = self._vector(field)
        return _bytes(self.data, start, length)

    def numbers(self, field: int, code: str) -> tuple[Any, ...]:
        """Return a vector of numbers, empty if it is absent."""
        start, length = self._vector(field)
        size = length * struct.calcsize(f"<{code}")
        return struct.unpack(f"<{length}{code}", _bytes(self.data, start, size))

    def tables(self, field: int) -> list[Table]:
        """Return a vector of tables."""
        start, length = self._vector(field)
        _bytes(self.data, start, 4 * length)
        places = range(start, start + 4 * length, 4)
        return [Table(self.data, self._target(place)) for place in places]

    def _place(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._vtable_size:
            return None
        offset = _number(self.data, "H", self._vtable + entry)
        return self.position + offset if offset else None

    def _target(self, place: int) -> int:
        distance: int = _number(self.data, "I", place)
        return place + distance

    def _vector(self, field: int) -> tuple[int, int]:
        """Return where the elements start, and how many there are."""
        place = self._place(field)
        if place is None:
            return 0, 0
        start = self._target(place)
        length: int = _number(self.data, "I", start)
        return start + 4, length


def _bytes(data: bytes, start: int, size: int) -> bytes:
    if start < 0 or start + size > len(data):
        raise DamagedError(f"{size} bytes at {start} of {len(data)}")
    return data[start : start + size]


def _number(data: bytes, code: str, place: int) -> Any:
    number = _NUMBERS[code]
    if place < 0 or place + number.size > len(data):
        raise DamagedError(f"a number at {place} of {len(data)}")
    return number.unpack_from(data, place)[0]
