"""Names of classes: what one may be, and which are too much alike to stand side by side."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_text

MAX_BYTES = 255
"""Longest name in UTF-8, in bytes: its escapes fit a literal of C, 4,095 characters."""

ALLOWED = f"1 to {MAX_BYTES} bytes of UTF-8 without control characters and blanks at the ends"

# Control, surrogate and format characters, line and paragraph separators; of the format
# characters the joiners are letters' parts in Arabic and Indian scripts.
_FORBIDDEN = ("Cc", "Cs", "Cf", "Zl", "Zp")
_JOINERS = "\u200c\u200d"


def is_name(text: str) -> bool:
    """Return whether ``text`` may name a class."""
    # The length in characters first: a text of any size is refused in no time.
    if not 0 < len(text) <= MAX_BYTES or text != text.strip():
        return False
    if any(unicodedata.category(c) in _FORBIDDEN and c not in _JOINERS for c in text):
        return False
    return len(text.encode("utf-8")) <= MAX_BYTES


def check(values: object, *, source: str) -> tuple[str, ...]:
    """Return the names of classes that a file gives, in order.

    Args:
        values: what the file holds: a list or tuple of texts, each as ``is_name`` asks, none twice.
        source: the file and what is read of it, for messages.

    Raises:
        AscError: they are no such list.
    """
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise AscError(f"{source} must be a list of class names")
    if not values:
        raise AscError(f"{source}: no class names, at least one is needed")
    for name in values:
        if not is_name(name):
            raise AscError(f"{source}: class name {shown(name)}, allowed: {ALLOWED}")
    if len(set(values)) != len(values):
        twice = next(name for name in values if values.count(name) > 1)
        raise AscError(f"{source} names a class twice: {shown(twice)}")
    return tuple(values)


def read(path: Path) -> tuple[str, ...]:
    """Read class names in output order from a text file, a line each; blanks around them and
    empty lines do not count.

    Raises:
        AscError: the file cannot be read, or its names are not as ``check`` and
            ``check_distinct`` ask.
    """
    # Not splitlines(): it breaks at characters that no editor shows as the end of a line.
    lines = [line.strip(" \t") for line in read_text(path).split("\n")]
    names = check([line for line in lines if line], source=str(path))
    check_distinct(names, source=str(path))
    return names


def check_distinct(names: Sequence[str], *, source: str, unknown: str = "") -> None:
    """Check that no two names differ in case, blanks or the way accents are written alone.

    Args:
        names: names of the classes.
        source: the file, for messages.
        unknown: name of the label of scores below the threshold, empty without one.

    Raises:
        AscError: two do, or a class is named like the unknown label.
    """
    for first, second in look_alikes(names):
        raise AscError(
            f"{source}: classes {shown(first)} and {shown(second)} differ in case or blanks "
            "alone; give one of them another name"
        )
    for name in names if unknown else ():
        if folded(name) == folded(unknown):
            raise AscError(
                f"{source}: class {shown(name)} is named like the label of scores below the "
                "threshold; name the class differently, or leave out the threshold"
            )


def look_alikes(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of names that people would take for the same, each with the first such."""
    seen: dict[str, str] = {}
    pairs = []
    for name in names:
        key = folded(name)
        if key in seen:
            pairs.append((seen[key], name))
        seen.setdefault(key, name)
    return pairs


def folded(name: str) -> str:
    """Return ``name`` without what people do not see: case, blanks, invisible characters."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in text if unicodedata.category(c) != "Cf").split())
