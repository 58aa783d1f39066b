"""Tab-separated files with a header, read so that every complaint names its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_text

MISSING = "missing file"
MALFORMED = "malformed table"


@dataclass(frozen=True)
class Finding:
    """Something wrong in a dataset.

    Attributes:
        file: path relative to the dataset's folder, with slashes.
        line: line number counted from 1, None when the whole file is meant.
        message: what is wrong.
        kind: what it has in common with other findings, in words.
    """

    file: str
    line: int | None
    message: str
    kind: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True)
class Row:
    """A line of a table: its number and its values by column name."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True)
class Table:
    """The well-formed rows of a file and what is wrong with the rest."""

    rows: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_table(root: Path, file: str, columns: Sequence[str]) -> Table:
    """Read the tab-separated file ``root / file``.

    Args:
        root: the dataset's folder.
        file: path below ``root``.
        columns: columns that the header must name and every row must fill.

    Returns:
        The rows; problems with the file become findings, nothing is raised for them.
    """
    if not (root / file).exists():
        return Table(findings=(Finding(file, None, "file is missing", MISSING),))
    try:
        lines = read_text(root / file).split("\n")
    except AscError as error:
        line, _, message = str(error).removeprefix(f"{root / file}:").partition(": ")
        number = int(line) if line.isdecimal() else None
        return Table(findings=(Finding(file, number, message, "file that cannot be read"),))
    header = lines[0].split("\t")
    missing = [name for name in columns if name not in header]
    if missing:
        found = ", ".join(filter(None, header)) or "nothing"
        message = f"column {missing[0]} is missing from the tab-separated header, found: {found}"
        return Table(findings=(Finding(file, 1, message, MALFORMED),))
    return _parse(file, lines, header, columns)


def _parse(file: str, lines: Sequence[str], header: list[str], columns: Sequence[str]) -> Table:
    rows, findings = [], []
    for number, text in enumerate(lines[1:], start=2):
        if not text.strip():
            continue
        fields = text.split("\t")
        values = dict(zip(header, fields, strict=False))
        empty = [name for name in columns if not values.get(name, "").strip()]
        if len(fields) != len(header):
            message = f"malformed row: {len(fields)} tab-separated fields, must be {len(header)}"
            findings.append(Finding(file, number, message, MALFORMED))
        elif empty:
            message = f"malformed row: {empty[0]} is empty"
            findings.append(Finding(file, number, message, MALFORMED))
        else:
            rows.append(Row(number, values))
    if not rows and not findings:
        findings.append(Finding(file, None, "lists no clips", "no clips"))
    return Table(tuple(rows), tuple(findings))
