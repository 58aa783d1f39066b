"""Memory plans as pictures: a rectangle for each block, bytes against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asc_tiny.util.console_text import cut, printable
from asc_tiny.util.figures import DARK, grid, saved, style
from asc_tiny.util.memory_map import Block, MemoryMap
from asc_tiny.util.memory_svg import COLORS

_PEAK = "#b03030"
_MOST_NAMED_STEPS = 40
_MOST_NAMES = 60
"""Names in the legend; the text form has them all."""
_NAME = 46
"""Characters of a name in the legend."""


def draw(maps: Sequence[MemoryMap], format: str) -> bytes:
    """Draw memory plans one below the other, to the same scale of bytes.

    Args:
        maps: memory maps to draw, at least one.
        format: ``svg`` or ``png``. The same maps give the same bytes.

    Raises:
        AscError: matplotlib is not installed.
    """
    largest = max(memory.size for memory in maps) or 1
    with style():
        heights = [max(4.8, 0.16 * min(len(each.names), _MOST_NAMES) + 1.4) for each in maps]
        figure, panes = grid(len(maps), 1, width=14.0, height=0.4 + sum(heights))
        for memory, (axes,) in zip(maps, panes, strict=True):
            _draw(axes, memory)
            axes.set_ylim(0, largest * 1.04)
        return saved(figure, format)


def _draw(axes: Any, memory: MemoryMap) -> None:
    steps = len(memory.steps)
    # What comes and goes has one number and one colour.
    numbers = {name: number for number, name in enumerate(memory.names)}
    for block in memory.blocks:
        if block.last >= 0:
            _rectangle(axes, block, numbers[block.name], is_labeled=block in memory.labeled)
    edges = [step - 0.5 for step in range(steps + 1)]
    live = [*memory.live, *memory.live[-1:]]
    axes.step(edges[: len(live)], live, where="post", color=DARK, linewidth=1.0, label="in use")
    axes.axvline(memory.peak, color=_PEAK, linewidth=0.8, linestyle="--", label="peak")
    axes.axhline(memory.size, color=_PEAK, linewidth=0.8, label=f"{memory.size:,} bytes")
    axes.set_xlim(-0.5, max(steps, 1) - 0.5)
    axes.set_title(f"{memory.title}\n{memory.summary}", loc="left")
    axes.set_ylabel("bytes")
    axes.set_xlabel(memory.unit)
    lines = axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False)
    axes.add_artist(lines)
    _name_blocks(axes, numbers)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    if steps <= _MOST_NAMED_STEPS:
        axes.set_xticks(range(steps), memory.steps, rotation=90)


def _name_blocks(axes: Any, numbers: Mapping[str, int]) -> None:
    """Add the legend of the numbers in the rectangles."""
    from matplotlib.patches import Patch

    listed = list(numbers.items())[:_MOST_NAMES]
    handles = [
        Patch(color=_color(number), label=f"{number + 1}  {cut(printable(name), _NAME)}")
        for name, number in listed
    ]
    if len(numbers) > len(listed):
        handles.append(Patch(color="none", label=f"and {len(numbers) - len(listed)} more"))
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=7
    )


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]


def _rectangle(axes: Any, block: Block, number: int, *, is_labeled: bool) -> None:
    first, width = max(block.first, 0) - 0.5, block.step_count
    axes.bar(
        first,
        block.size,
        width=width,
        bottom=block.offset,
        align="edge",
        color=_color(number),
        edgecolor="white",
        linewidth=0.4,
    )
    if is_labeled:
        middle = (first + width / 2, block.offset + block.size / 2)
        axes.text(*middle, str(number + 1), ha="center", va="center", fontsize=7, clip_on=True)
