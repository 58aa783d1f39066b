"""Memory plans as pictures: a rectangle for each block, bytes against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asc_tiny.util.figures import DARK, grid, saved, style
from asc_tiny.util.memory_map import Block, MemoryMap

_COLORS = ("#8fb8de", "#f3c98b", "#a8d5a2", "#e4a6a6", "#c7b5e3", "#d9d48f", "#9fd8d3", "#d6b59a")
_PEAK = "#b03030"
_MOST_NAMED_STEPS = 40
_CHARACTERS = 150
"""Characters that fit into the width of the axes."""


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
        figure, panes = grid(len(maps), 1, width=11.0, height=0.4 + 4.8 * len(maps))
        for memory, (axes,) in zip(maps, panes, strict=True):
            _draw(axes, memory)
            axes.set_ylim(0, largest * 1.04)
        return saved(figure, format)


def _draw(axes: Any, memory: MemoryMap) -> None:
    steps = len(memory.steps)
    # What comes and goes has one colour.
    names = list(dict.fromkeys(block.name for block in memory.blocks))
    colors = {name: _COLORS[number % len(_COLORS)] for number, name in enumerate(names)}
    for block in memory.blocks:
        if block.last >= 0:
            _rectangle(axes, block, colors[block.name], memory)
    edges = [step - 0.5 for step in range(steps + 1)]
    live = [*memory.live, *memory.live[-1:]]
    axes.step(edges[: len(live)], live, where="post", color=DARK, linewidth=1.0, label="in use")
    axes.axvline(memory.peak, color=_PEAK, linewidth=0.8, linestyle="--", label="peak")
    axes.axhline(memory.size, color=_PEAK, linewidth=0.8, label=f"{memory.size:,} bytes")
    axes.set_xlim(-0.5, max(steps, 1) - 0.5)
    axes.set_title(f"{memory.title}\n{memory.summary}", loc="left")
    axes.set_ylabel("bytes")
    axes.set_xlabel(memory.unit)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    if steps <= _MOST_NAMED_STEPS:
        axes.set_xticks(range(steps), memory.steps, rotation=90)


def _rectangle(axes: Any, block: Block, color: str, memory: MemoryMap) -> None:
    first, width = max(block.first, 0) - 0.5, block.last - max(block.first, 0) + 1
    axes.bar(
        first,
        block.size,
        width=width,
        bottom=block.offset,
        align="edge",
        color=color,
        edgecolor="white",
        linewidth=0.4,
    )
    # A name that does not fit would only hide its neighbours; the text form has them all.
    lines = block.name.rsplit(" ", 1) if memory.unit == "operators" else [block.name]
    fits = max(map(len, lines)) <= _CHARACTERS * width / len(memory.steps)
    if fits and block.size >= 0.04 * len(lines) * memory.size:
        middle = (first + width / 2, block.offset + block.size / 2)
        name = "\n".join(lines)
        axes.text(*middle, name, ha="center", va="center", fontsize=7, clip_on=True)
