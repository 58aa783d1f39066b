"""What pages and notebooks show, before any of it is HTML: paragraphs, tables, drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asc_tiny.util.console_text import cut, printable

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_ROWS = 2_000
"""Rows of a table; a hostile file may have a million operators."""
_MOST_TEXT = 200


def text(value: object, most: int = _MOST_TEXT) -> str:
    """Return a value of a file as one line of text without control characters."""
    return cut(printable(str(value)), most)


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text.

    Attributes:
        content: the text.
        is_bad: whether it says that something is wrong.
    """

    kind: ClassVar[str] = "paragraph"
    content: str
    is_bad: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Attributes:
        caption: what it shows, for people.
        head: names of the columns.
        rows: cells of text, a row for each thing.
        left: numbers of the columns that hold words; the others hold numbers.
        is_folded: whether it is shown only when its caption is opened.
        bad: numbers of the rows that say that something is wrong.
    """

    kind: ClassVar[str] = "table"
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: Sequence[int] = (0,)
    is_folded: bool = False
    bad: Sequence[int] = ()

    @property
    def shown(self) -> Sequence[Sequence[str]]:
        """The rows that the page has."""
        return self.rows[:MOST_ROWS]

    @property
    def missing(self) -> int:
        """Number of rows that are left out."""
        return max(0, len(self.rows) - MOST_ROWS)


@dataclass(frozen=True)
class Drawing:
    """A picture that is SVG from the start.

    Attributes:
        title: what it shows, for people.
        svg: the picture; names of files are escaped in it.
    """

    kind: ClassVar[str] = "drawing"
    title: str
    svg: Markup
