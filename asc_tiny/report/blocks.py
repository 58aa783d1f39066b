"""What a section of the page is made of, before any of it is HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from asc_tiny.util.blocks import Drawing, Paragraph, Table


@dataclass(frozen=True)
class Chart:
    """A chart in the language of Vega-Lite.

    Attributes:
        title: what it shows, with the file's name.
        description: what a reader who does not see it should know.
        spec: marks, encoding and data; size and looks are the page's.
        is_half: whether two of its kind stand beside each other.
    """

    kind: ClassVar[str] = "chart"
    title: str
    description: str
    spec: Mapping[str, Any]
    is_half: bool = False


Block = Paragraph | Table | Drawing | Chart


@dataclass(frozen=True)
class Section:
    """A part of the page about one model.

    Attributes:
        name: word for links to it.
        title: heading.
        blocks: content from top to bottom.
    """

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)

    @property
    def groups(self) -> Iterator[Sequence[Block]]:
        """Blocks that stand beside each other; most stand alone."""
        beside: list[Block] = []
        for block in self.blocks:
            if isinstance(block, Chart) and block.is_half:
                beside.append(block)
                continue
            if beside:
                yield beside
            beside = []
            yield [block]
        if beside:
            yield beside
