"""A table of recordings: path, label, and what else a person knows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from asc_tiny.audio.layouts.csv_rows import CsvRow, rows
from asc_tiny.audio.layouts.listing import (
    MAX_RECORDINGS,
    PARTS,
    Options,
    Recording,
    Section,
    device_of,
    named,
)
from asc_tiny.audio.layouts.tree import below
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

REQUIRED = ("path", "label")
OPTIONAL = ("group", "device", "split", "start", "end", "licence", "url", "origin")
MAX_FOLDS = 100


def read(source: Path, options: Options) -> Iterator[Recording]:
    """Yield the recordings that rows name; paths are relative to the table's folder.

    ``options.columns`` says which column holds what, the same name if it is not there. Without a
    column ``group`` each file is a group of its own; ``split`` holds train, evaluate, test or the
    number of the fold that tests the row; ``start`` and ``end`` are seconds in the recording.

    Raises:
        AscError: a column is missing, empty or unknown, a row's value is not what it must be, or
            rows of one file differ in more than label, begin and end.
    """
    for name in options.columns:
        if name not in REQUIRED + OPTIONAL:
            raise AscError(f"--column {name}: allowed: {', '.join(REQUIRED + OPTIONAL)}")
    columns = {name: options.columns.get(name, name) for name in REQUIRED + OPTIONAL}
    needed = [columns[name] for name in REQUIRED]
    found: dict[str, list[Recording]] = {}
    for number, row in enumerate(rows(source, [*needed, *options.columns.values()])):
        if number >= MAX_RECORDINGS:
            raise AscError(f"{row.place}: more rows than allowed: up to {MAX_RECORDINGS}")
        each = _recording(source.parent, row, columns, options)
        found.setdefault(each.name, []).append(each)
    yield from map(_joined, found.values())


def _joined(members: list[Recording]) -> Recording:
    """Return the recording of all rows that name one file."""
    first = members[0]
    for each in members[1:]:
        for what in ("group", "device", "part", "origin", "licence", "url"):
            one, other = getattr(first, what), getattr(each, what)
            if one != other:
                raise AscError(
                    f"{each.sections[0].place}: {what} {shown(other)} of {shown(each.name, 200)}, "
                    f"{first.sections[0].place} has {shown(one)}"
                )
    return replace(first, sections=tuple(each.sections[0] for each in members))


def _recording(root: Path, row: CsvRow, columns: Mapping[str, str], options: Options) -> Recording:
    values = {name: row.values.get(column, "") for name, column in columns.items()}
    for name in REQUIRED:
        if not values[name]:
            raise AscError(f"{row.place}: {columns[name]} is empty")
    path = below(root, values["path"], row.place)
    start = row.number(columns["start"]) if values["start"] else 0.0
    end = row.number(columns["end"]) if values["end"] else None
    if end is not None and end <= start:
        raise AscError(f"{row.place}: ends at {end:g} s, which is not after its begin")
    kind, group = "group", values["group"]
    if options.group not in ("", "file", "folder"):
        group = named(options.group, values["path"], "--group")
    elif options.group == "folder":
        kind, group = "place", str(path.parent.relative_to(root))
    elif options.group == "file" or columns["group"] not in row.values:
        kind, group = "file", values["path"].rsplit(".", 1)[0]
    elif not group:
        raise AscError(f"{row.place}: {columns['group']} is empty")
    return Recording(
        values["path"],
        path,
        (Section(values["label"], start, end, row.place),),
        kind,
        group,
        values["device"] or device_of(values["path"], options),
        _part(values["split"], f"{row.place}: {columns['split']}"),
        values["origin"],
        values["licence"],
        values["url"],
    )


def _part(text: str, place: str) -> str:
    if text in ("", *PARTS):
        return text
    if text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= MAX_FOLDS:
        return str(int(text))
    raise AscError(
        f"{place} {shown(text)}, allowed: {', '.join(PARTS)}, or a fold from 1 to {MAX_FOLDS}"
    )
