"""A memory plan as an SVG element: rectangles of bytes and steps, without any library.

Text and lines take the color of what stands around the element (``currentColor``), so that it is
read on light and on dark paper.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from asc_tiny.util.blocks import text
from asc_tiny.util.memory_map import Block, MemoryMap

COLORS = ("#8fb8de", "#f3c98b", "#a8d5a2", "#e4a6a6", "#c7b5e3", "#d9d48f", "#9fd8d3", "#d6b59a")
"""Fills of the blocks, on which dark numbers are read."""

IN_USE = "#c0392b"
"""A red that is seen on the fills, on light and on dark paper."""

_WIDTH, _HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 8, 8, 44
_MOST_BLOCKS = 1_000
"""Rectangles of a picture; a hostile file may have a million tensors."""
_TICKS = 4


def draw(memory: MemoryMap) -> Markup:
    """Return a plan as an SVG element.

    Blocks bear the numbers of ``memory.names``, counted from 1; a pointer over one shows its name,
    its bytes and its life. The line is what is in use.
    """
    plane = _Plane(memory)
    parts = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}"'
            ' role="img" aria-label="{label}" font-family="sans-serif" font-size="11" '
            'fill="currentColor">'
        ).format(w=_WIDTH, h=_HEIGHT, label=text(f"{memory.title}: {memory.summary}"))
    ]
    numbers = {name: number for number, name in enumerate(memory.names)}
    drawn = [block for block in memory.blocks if block.last >= 0][:_MOST_BLOCKS]
    parts += plane.axes()
    parts += [plane.rectangle(block, numbers[block.name]) for block in drawn]
    parts += [plane.number(each, numbers[each.name]) for each in drawn if each in memory.labeled]
    parts += [plane.in_use(), Markup("</svg>")]
    return Markup("\n").join(parts)


class _Plane:
    """Places of steps and bytes in the picture."""

    def __init__(self, memory: MemoryMap) -> None:
        self._memory = memory
        self._step = (_WIDTH - _LEFT - _RIGHT) / (len(memory.steps) or 1)
        self._byte = (_HEIGHT - _TOP - _BOTTOM) / (memory.size or 1)

    def x(self, step: float) -> float:
        """Return where a step begins."""
        return round(_LEFT + step * self._step, 2)

    def y(self, offset: float) -> float:
        """Return where a byte lies; the first is at the bottom."""
        return round(_HEIGHT - _BOTTOM - offset * self._byte, 2)

    def axes(self) -> Iterator[Markup]:
        """Yield both axes with ticks and titles."""
        line = Markup('<path d="{}" fill="none" stroke="currentColor" stroke-opacity="{}"/>')
        bottom, right = self.y(0), self.x(len(self._memory.steps))
        yield line.format(f"M{_LEFT},{_TOP}V{bottom}H{right}", "0.8")
        for part in range(_TICKS + 1):
            size = self._memory.size * part // _TICKS
            yield _words(_LEFT - 6, self.y(size) + 4, f"{size:,}", "end")
            yield line.format(f"M{_LEFT},{self.y(size)}H{right}", "0.2")
            step = len(self._memory.steps) * part // _TICKS
            yield _words(self.x(step), bottom + 16, f"{step:,}")
        yield _words((_LEFT + right) / 2, bottom + 36, text(self._memory.unit))
        yield Markup('<g transform="translate(12 {}) rotate(-90)">{}</g>').format(
            (bottom + _TOP) / 2, _words(0, 0, "bytes")
        )

    def rectangle(self, block: Block, number: int) -> Markup:
        """Return a block, which tells of itself under a pointer."""
        first = max(block.first, 0)
        told = (
            f"{number + 1}: {text(block.name)}, {block.size:,} bytes at {block.offset:,}, "
            f"steps {first:,} to {block.last:,}"
        )
        return Markup(
            '<rect x="{}" y="{}" width="{}" height="{}" fill="{}" stroke="#fff" '
            'stroke-width="0.4"><title>{}</title></rect>'
        ).format(
            self.x(first),
            self.y(block.end),
            round(block.step_count * self._step, 2),
            round(block.size * self._byte, 2),
            COLORS[number % len(COLORS)],
            told,
        )

    def number(self, block: Block, number: int) -> Markup:
        """Return the number of a block, in its middle."""
        x = self.x(max(block.first, 0) + block.step_count / 2)
        y = self.y(block.offset + block.size / 2) + 4
        # Dark on the fills, whatever the paper is.
        return Markup('<g fill="#111" pointer-events="none">{}</g>').format(
            _words(x, y, str(number + 1))
        )

    def in_use(self) -> Markup:
        """Return the line of the bytes in use."""
        live = self._memory.live
        changes = [step for step, size in enumerate(live) if step == 0 or size != live[step - 1]]
        path = "".join(f"H{self.x(step)}V{self.y(live[step])}" for step in changes)
        end = f"H{self.x(len(live))}" if live else ""
        return Markup(
            '<path d="M{},{}{}" fill="none" stroke="{}" stroke-width="1.5">'
            "<title>bytes in use</title></path>"
        ).format(_LEFT, self.y(live[0] if live else 0), path + end, IN_USE)


def _words(x: float, y: float, words: str, anchor: str = "middle") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, words)
