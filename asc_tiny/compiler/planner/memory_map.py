"""The arena of a network compiled ahead of time as a memory map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asc_tiny.compiler.ir import Buffer
from asc_tiny.util.memory_map import Block, MemoryMap

if TYPE_CHECKING:
    from asc_tiny.compiler.planner.compiled import Compiled


def memory_map(compiled: Compiled) -> MemoryMap:
    """Return what lies where; a step makes a row of a layer's output, several or a part of one."""
    lowered = compiled.lowered
    is_by_row = not compiled.rows_per_run and not any(stage.tiles for stage in lowered.stages)
    unit = "rows made" if is_by_row else "runs of stages"
    title = f"{lowered.source}, arena of the network compiled ahead of time"
    return MemoryMap(title, list(_blocks(compiled)), list(_steps(compiled)), unit=unit)


def _blocks(compiled: Compiled) -> Iterator[Block]:
    names = buffer_names(compiled)
    for block, offset in compiled.arena.placements:
        name = names.get(block.name, block.name)
        for first, last in block.periods:
            yield Block(name, offset, block.size, first, last)


def buffer_names(compiled: Compiled) -> dict[str, str]:
    """Return for people what each buffer holds and how many rows of it, by its name."""
    lowered = compiled.lowered
    titles: dict[str, str] = {}
    for number, view in enumerate(lowered.inputs):
        titles[view.buffer.name] = f"input {number}" if len(lowered.inputs) > 1 else "input"
    if lowered.progress is not None:
        titles[lowered.progress.name] = "columns and runs so far"
    for stage in lowered.stages:
        if stage.state is not None:
            titles.setdefault(stage.state.name, f"state of {stage.title}")
        for rows in stage.inputs:
            if rows.view.buffer.is_state:
                titles.setdefault(rows.view.buffer.name, f"variable of {stage.title}")
        titles.setdefault(stage.output.buffer.name, stage.title)
    return {
        buffer.name: titles[buffer.name] + _rows(compiled, buffer)
        for buffer in compiled.schedule.rolling_buffers
    }


def holders(compiled: Compiled) -> dict[str, str]:
    """Return for people why each piece of memory exists, by the name that it has in the map."""
    names = buffer_names(compiled)
    made: dict[str, list[str]] = {}
    read: dict[str, list[str]] = {}
    for stage in compiled.lowered.stages:
        made.setdefault(stage.output.buffer.name, []).append(stage.title)
        for rows in stage.inputs:
            read.setdefault(rows.view.buffer.name, []).append(stage.title)
    found = {}
    for buffer, name in names.items():
        parts = (("made by", made.get(buffer, [])), ("read by", read.get(buffer, [])))
        lines = [f"{verb} {', '.join(dict.fromkeys(each))}" for verb, each in parts if each]
        found[name] = "; ".join(lines)
    return found


def _rows(compiled: Compiled, buffer: Buffer) -> str:
    count = compiled.schedule.rolling_buffers[buffer].slots
    return f", {count} of {buffer.rows} rows of {buffer.row_bytes} bytes"


def _steps(compiled: Compiled) -> Iterator[str]:
    runs = [0] * len(compiled.lowered.stages)
    for number in compiled.schedule.order:
        stage = compiled.lowered.stages[number]
        part = f" part {stage.tile(runs[number])}" if stage.tiles else ""
        yield f"{stage.title} row {stage.row(runs[number])}{part}"
        runs[number] += 1
