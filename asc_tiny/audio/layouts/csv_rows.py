"""Rows of comma, semicolon or tab separated files with a header, one after the other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.util.console_text import shortened, shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_text


@dataclass(frozen=True)
class CsvRow:
    """A row of a table.

    Attributes:
        place: file and line, for messages.
        values: text by the name of its column, without blanks around it.
    """

    place: str
    values: dict[str, str]

    def number(self, column: str) -> float:
        """Return the finite number in a column.

        Raises:
            AscError: it is none.
        """
        return finite(self.values[column], f"{self.place}: {column}")


def finite(text: str, place: str) -> float:
    """Return the number of seconds that a text says, 0 or more.

    Raises:
        AscError: it is no such number.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise AscError(f"{place} {shown(text)}, must be a number of seconds from 0 on")
    return value


def rows(path: Path, columns: Sequence[str]) -> Iterator[CsvRow]:
    """Yield the rows of a table; quotes may hold separators and line ends.

    Args:
        path: text file of up to 64 MiB, its columns separated by what its header has most of.
        columns: names that the header must have.

    Raises:
        AscError: the file cannot be read, has no such column, or a row has other fields.
    """
    text = read_text(path)
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        for column in columns:
            if column not in names:
                found = shortened(", ".join(filter(None, names)) or "nothing")
                raise AscError(f"{path}:1: column {shown(column)} is missing, found: {found}")
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise AscError(f"{path}:1: column {shown(twice)} is there twice")
        for fields in reader:
            place = f"{path}:{reader.line_num}"
            if not any(fields):
                continue
            if len(fields) != len(names):
                raise AscError(f"{place}: {len(fields)} fields, the header has {len(names)}")
            values = [field.strip() for field in fields]
            yield CsvRow(place, dict(zip(names, values, strict=True)))
    except csv.Error as error:
        raise AscError(f"{path}:{reader.line_num}: {error}") from error
