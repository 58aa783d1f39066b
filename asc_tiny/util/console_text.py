"""Text that is shown to people: on one line, in columns."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence


def printable(text: str) -> str:
    """Return ``text`` on one line without control characters.

    Names come from files of others: a line break in one must not start a line of its own in a
    report or a log, where it could be taken for a command.
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def shown(value: object, most: int = 60) -> str:
    """Return a value of a file as Python writes it, cut to ``most`` characters, for a message."""
    if isinstance(value, str | bytes):
        # A text of 100 MB must not be copied to show its beginning.
        value = value[: most + 1]
    try:
        text = reprlib.repr(value) if isinstance(value, list | tuple | dict) else repr(value)
    except (ValueError, RecursionError):
        # Python writes no integer of thousands of digits.
        text = f"a huge {type(value).__name__}"
    return cut(text, most)


def cut(text: str, most: int = 60) -> str:
    """Return ``text``, without what is beyond ``most`` characters."""
    return text if len(text) <= most else f"{text[:most]}..."


def shortened(text: str, most: int = 300) -> str:
    """Return a text cut to ``most`` characters, as lists of a hostile file have no end."""
    return text if len(text) <= most else f"{text[:most]}..."


def markdown(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return "".join(f"\\{c}" if c in "\\`*_[]|#@~" else c for c in html(text))


def html(text: str) -> str:
    """Return text that HTML shows as it is, on one line; not for attributes."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shape(sizes: tuple[int, ...]) -> str:
    """Return dimensions such as ``1x64x9x16``."""
    return "x".join(map(str, sizes))


def align(rows: Sequence[tuple[str, ...]], left: Sequence[int] = (0, 1, 2)) -> list[str]:
    """Return rows as lines with aligned columns; those in ``left`` begin at the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return lines
