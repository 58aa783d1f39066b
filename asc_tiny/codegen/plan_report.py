"""The planner's choice for people: what is kept of every layer, and the arena over time."""

from __future__ import annotations

from asc_tiny.codegen.compiler.choose import Compiled, instructions
from asc_tiny.codegen.memory_map import memory_map
from asc_tiny.complexity.memory_map import to_text


def report(compiled: Compiled) -> str:
    """Return the choice, a line per stage, and the memory map."""
    lines = [_summary(compiled), ""]
    titles = ("stage", "rows a run", "rows kept", "bytes kept", "working", "instructions")
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
            f"~{instructions(stage):,}",
        )
        lines.append("  ".join(cell.rjust(12) for cell in cells) + f"  {stage.comment}")
    return "\n".join([*lines, "", to_text(memory_map(compiled))]) + "\n"


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
        f"arena {compiled.plan.size:,} bytes, ~{compiled.cost:,} instructions to multiply and call"
    )
