"""A memory plan for people: what lies where, from when to when, and what sets the peak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from asc_tiny.util.blocks import Drawing, Paragraph, Table, text
from asc_tiny.util.console_text import printable
from asc_tiny.util.displayed import Displayed

_BAR_WIDTH = 48


@dataclass(frozen=True)
class Block:
    """A piece of memory.

    Attributes:
        name: name of what lies there.
        offset: offset of its first byte from the start of the memory, in bytes.
        size: number of bytes, 0 or more.
        first, last: steps during which it exists, both included.
    """

    name: str
    offset: int
    size: int
    first: int
    last: int

    @property
    def end(self) -> int:
        """Offset behind its last byte."""
        return self.offset + self.size

    @property
    def step_count(self) -> int:
        """Number of steps during which it exists."""
        return self.last + 1 - max(self.first, 0)

    def exists_at(self, step: int) -> bool:
        """Whether it exists during a step."""
        return self.first <= step <= self.last


@dataclass(frozen=True, repr=False)
class MemoryMap(Displayed):
    """A plan of the memory of a network.

    Attributes:
        title: model and runtime.
        blocks: those that exist at the same time do not overlap.
        steps: what runs in each step, such as operators or rows of them.
        unit: what a step is, in the plural.
    """

    title: str
    blocks: Sequence[Block]
    steps: Sequence[str]
    unit: str = "operators"

    @cached_property
    def size(self) -> int:
        """Bytes up to the end of the last block."""
        return max((block.end for block in self.blocks), default=0)

    @cached_property
    def live(self) -> Sequence[int]:
        """Bytes of the blocks that exist, per step."""
        changes = [0] * (len(self.steps) + 1)
        for block in self.blocks:
            changes[max(block.first, 0)] += block.size
            changes[block.last + 1] -= block.size
        live, total = [], 0
        for change in changes[:-1]:
            total += change
            live.append(total)
        return live

    @cached_property
    def peak(self) -> int:
        """The step that sets the size: of those in which the last byte is used, the fullest."""
        highest = [block for block in self.blocks if block.end == self.size]
        steps = {step for block in highest for step in range(max(block.first, 0), block.last + 1)}
        return max(steps, key=lambda step: (self.live[step], -step), default=0)

    @property
    def peak_blocks(self) -> Sequence[Block]:
        """What exists at the peak, by offset."""
        found = (block for block in self.blocks if block.exists_at(self.peak))
        return sorted(found, key=lambda block: block.offset)

    @property
    def summary(self) -> str:
        """One line that names what sets the peak."""
        if not self.blocks:
            return "0 bytes"
        live = self.live[self.peak]
        text = f"{self.size:,} bytes, set by {self.steps[self.peak]}: {live:,} bytes in use there"
        return text if live == self.size else f"{text}, {self.size - live:,} in gaps"

    @cached_property
    def names(self) -> Sequence[str]:
        """What lies in memory while something runs, in the order in which it comes."""
        blocks = sorted(self.blocks, key=lambda block: (block.first, block.offset))
        return list(dict.fromkeys(block.name for block in blocks if block.last >= 0))

    @cached_property
    def labeled(self) -> frozenset[Block]:
        """The blocks that bear their number in a picture: those with room, the largest of a name.

        Room is 3.5 % of the height and 2 % of the width.
        """
        blocks = [block for block in self.blocks if block.last >= 0]
        largest: dict[str, Block] = {}
        for block in blocks:
            known = largest.get(block.name, block)
            largest[block.name] = max(known, block, key=lambda each: each.size * each.step_count)
        height, width = 0.035 * (self.size or 1), 0.02 * (len(self.steps) or 1)
        roomy = {each for each in blocks if each.size >= height and each.step_count >= width}
        return frozenset(roomy | set(largest.values()))

    def shown_blocks(self) -> Iterator[Paragraph | Table | Drawing]:
        """Return the picture, and a table of what lies there."""
        from asc_tiny.util.memory_svg import draw

        yield Drawing(f"{text(self.title)}: {text(self.summary)}", draw(self))
        yield Paragraph("Rectangles are pieces of memory, the red line is what is in use.")
        names = self.names
        sizes = dict.fromkeys(names, 0)
        for block in self.blocks:
            if block.last >= 0:
                sizes[block.name] = max(sizes[block.name], block.size)
        rows = [[str(n + 1), text(name), f"{sizes[name]:,}"] for n, name in enumerate(names)]
        caption = "What the numbers stand for"
        yield Table(caption, ["number", "what", "bytes"], rows, left=(1,), is_folded=True)


def to_text(memory: MemoryMap) -> str:
    """Return a map as a table: blocks from the start of the memory on, with a bar of their life."""
    rows = [("offset", "size", "first", "last", "life", "what")]
    at_peak = set(map(id, memory.peak_blocks))
    for block in sorted(memory.blocks, key=lambda block: (block.offset, block.first, block.last)):
        mark = "*" if id(block) in at_peak else " "
        bounds = (str(max(block.first, 0)), str(block.last)) if block.last >= 0 else ("-", "-")
        places = (f"{block.offset:,}", f"{block.size:,}", *bounds)
        rows.append((*places, _bar(block, len(memory.steps)), f"{mark} {block.name}"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [f"{memory.title}: {memory.summary}", "  (* exists at the peak)"]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[:4], widths, strict=False)]
        lines.append("  " + "  ".join([*cells, row[4].ljust(widths[4]), row[5]]).rstrip())
    return "\n".join(map(printable, lines))


def _bar(block: Block, steps: int) -> str:
    """Return the life of a block as characters of one step, or of several where there are many."""
    width = min(steps, _BAR_WIDTH)
    scale = width / steps if steps else 0.0
    first, last = int(max(block.first, 0) * scale), int(block.last * scale)
    return "".join("#" if first <= place <= last else "." for place in range(width))
