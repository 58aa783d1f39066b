"""The planner's choice for people: what is kept of every layer, and the arena over time."""

from __future__ import annotations

from asc_tiny.compiler.planner.arena_allocator import LiveRange, LiveRangeGroup
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.cost_model import final_instructions
from asc_tiny.compiler.planner.memory_map import buffer_names


def report(compiled: Compiled) -> str:
    """Return the choice, a line per stage, and the memory map.

    The cost is instructions for calls of kernels and multiplications, what plans differ in.
    """
    lines = [_summary(compiled), ""]
    titles = ("stage", "rows a run", "rows kept", "bytes kept", "scratch", "cost")
    lines.append("  ".join(title.rjust(12) for title in titles) + "  layer")
    for number, stage in enumerate(compiled.lowered.stages):
        buffer = stage.output.buffer
        kept = compiled.schedule.rolling_buffers[buffer].slots
        cells = (
            str(number),
            str(compiled.rows_per_run.get(number, 1)),
            f"{kept} of {buffer.rows}",
            f"{kept * buffer.row_bytes:,}",
            f"{stage.scratch:,}",
            f"{final_instructions(stage):,}" if stage.kernel else "-",
        )
        lines.append("  ".join(cell.rjust(12) for cell in cells) + f"  {stage.comment}")
    if compiled.folded:
        lines += ["", f"folded, since their results are known: {', '.join(compiled.folded)}"]
    return "\n".join([*lines, "", arena(compiled)]) + "\n"


def arena(compiled: Compiled) -> str:
    """Return what lies where in the arena, and over time how much of it exists."""
    memory, steps = compiled.memory_plan, len(compiled.schedule.order)
    names = buffer_names(compiled)
    lines = [
        memory.summary,
        "life: # all of it exists, + some of its rows; * exists at the peak",
        f"{'offset':>8}{'size':>8}{'first':>8}{'last':>8}  {'life':<{_WIDTH}}  what",
    ]
    groups = sorted(
        compiled.arena.groups, key=lambda placed: (placed[1], placed[0].live_ranges[0].first)
    )
    for group, offset in groups:
        first = min(live_range.first for live_range in group.live_ranges)
        last = max(live_range.last for live_range in group.live_ranges)
        name = names.get(group.live_ranges[0].name, group.live_ranges[0].name)
        peak = LiveRange("", 0, [(memory.peak, memory.peak)])
        mark = "*" if any(live_range.meets(peak) for live_range in group.live_ranges) else " "
        cells = f"{offset:>8,}{group.size:>8,}{first:>8}{last:>8}"
        lines.append(f"{cells}  {_life(group, steps)}  {mark} {name}")
    return "\n".join(lines)


_WIDTH = 48


def _life(group: LiveRangeGroup, steps: int) -> str:
    """Return a character per part of the time."""
    text = ""
    for place in range(_WIDTH):
        begin, end = (
            place * steps // _WIDTH,
            max(place * steps // _WIDTH, (place + 1) * steps // _WIDTH - 1),
        )
        window = LiveRange("", 0, [(begin, end)])
        there = [live_range.meets(window) for live_range in group.live_ranges]
        text += "#" if all(there) else "+" if any(there) else "."
    return text


def _summary(compiled: Compiled) -> str:
    streamed = [
        stage.output.buffer
        for stage in compiled.lowered.stages
        if compiled.schedule.rolling_buffers[stage.output.buffer].slots < stage.output.buffer.rows
    ]
    several = len(compiled.rows_per_run)
    return (
        f"{compiled.lowered.source}: {len(set(streamed))} tensors stream through rolling buffers, "
        f"{several} stages make several rows a run; order by {compiled.schedule_text}, "
        f"arena {compiled.arena.size:,} bytes, cost {compiled.cost:,} by the planner's model"
    )
