"""The planner's choice for people: what is kept of every layer, and the arena over time."""

from __future__ import annotations

from asc_tiny.compiler.planner.arena_allocator import Block, Item
from asc_tiny.compiler.planner.planner import Compiled, instructions
from asc_tiny.compiler.report.memory_map import memory_map, storage_names


def report(compiled: Compiled) -> str:
    """Return the choice, a line per stage, and the memory map.

    The cost is instructions for calls of kernels and multiplications, what plans differ in.
    """
    lines = [_summary(compiled), ""]
    titles = ("stage", "rows a run", "rows kept", "bytes kept", "working", "cost")
    lines.append("  ".join(title.rjust(12) for title in titles) + "  layer")
    for number, stage in enumerate(compiled.program.stages):
        storage = stage.output.storage
        kept = compiled.schedule.extents[storage].rows
        cells = (
            str(number),
            str(compiled.heights.get(number, 1)),
            f"{kept} of {storage.rows}",
            f"{kept * storage.row_size:,}",
            f"{stage.scratch:,}",
            f"{instructions(stage):,}" if stage.kernel else "-",
        )
        lines.append("  ".join(cell.rjust(12) for cell in cells) + f"  {stage.comment}")
    return "\n".join([*lines, "", arena(compiled)]) + "\n"


def arena(compiled: Compiled) -> str:
    """Return what lies where in the arena, and over time how much of it exists."""
    memory, steps = memory_map(compiled), len(compiled.schedule.order)
    names = storage_names(compiled)
    lines = [
        memory.summary,
        "life: # all of it exists, + some of its rows; * exists at the peak",
        f"{'offset':>8}{'size':>8}{'first':>8}{'last':>8}  {'life':<{_WIDTH}}  what",
    ]
    items = sorted(compiled.plan.items, key=lambda placed: (placed[1], placed[0].blocks[0].first))
    for item, offset in items:
        first = min(block.first for block in item.blocks)
        last = max(block.last for block in item.blocks)
        name = names.get(item.blocks[0].name, item.blocks[0].name)
        peak = Block("", 0, [(memory.peak, memory.peak)])
        mark = "*" if any(block.meets(peak) for block in item.blocks) else " "
        cells = f"{offset:>8,}{item.size:>8,}{first:>8}{last:>8}"
        lines.append(f"{cells}  {_life(item, steps)}  {mark} {name}")
    return "\n".join(lines)


_WIDTH = 48


def _life(item: Item, steps: int) -> str:
    """Return a character per part of the time."""
    text = ""
    for place in range(_WIDTH):
        begin, end = (
            place * steps // _WIDTH,
            max(place * steps // _WIDTH, (place + 1) * steps // _WIDTH - 1),
        )
        window = Block("", 0, [(begin, end)])
        there = [block.meets(window) for block in item.blocks]
        text += "#" if all(there) else "+" if any(there) else "."
    return text


def _summary(compiled: Compiled) -> str:
    streamed = [
        stage.output.storage
        for stage in compiled.program.stages
        if compiled.schedule.extents[stage.output.storage].rows < stage.output.storage.rows
    ]
    several = len(compiled.heights)
    return (
        f"{compiled.program.source}: {len(set(streamed))} tensors stream through rings of rows, "
        f"{several} stages make several rows a run; order by {compiled.order}, "
        f"arena {compiled.plan.size:,} bytes, cost {compiled.cost:,} by the planner's model"
    )
