"""Text from files and file names that is shown to people."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return ``text`` on one line without control characters.

    Names come from files of others: a line break in one must not start a line of its own in a
    report or a log, where it could be taken for a command.
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def shape(sizes: tuple[int, ...]) -> str:
    """Return dimensions such as ``1x64x9x16``."""
    return "x".join(map(str, sizes))
