"""The arena of a network compiled ahead of time as a memory map."""

from __future__ import annotations

from collections.abc import Iterator

from asc_tiny.compiler.ir import Stage, Storage
from asc_tiny.compiler.planner.planner import Compiled
from asc_tiny.util.memory_map import Block, MemoryMap


def memory_map(compiled: Compiled) -> MemoryMap:
    """Return what lies where; a step makes a row of a layer's output, several or a part of one."""
    program = compiled.program
    is_by_row = not compiled.heights and not any(stage.parts for stage in program.stages)
    unit = "rows made" if is_by_row else "runs of stages"
    title = f"{program.source}, arena of the network compiled ahead of time"
    return MemoryMap(title, list(_blocks(compiled)), list(_steps(compiled)), unit=unit)


def _blocks(compiled: Compiled) -> Iterator[Block]:
    names = storage_names(compiled)
    for block, offset in compiled.plan.blocks:
        name = names.get(block.name, block.name)
        for first, last in block.periods:
            yield Block(name, offset, block.size, first, last)


def storage_names(compiled: Compiled) -> dict[str, str]:
    """Return for people what a storage holds and how many rows of it, by its name."""
    program = compiled.program
    titles: dict[str, str] = {program.input.storage.name: "input"}
    if program.state is not None:
        titles[program.state.name] = "columns and runs so far"
    for stage in program.stages:
        titles.setdefault(stage.output.storage.name, _title(stage))
    return {
        storage.name: titles[storage.name] + _rows(compiled, storage)
        for storage in compiled.schedule.extents
    }


def _rows(compiled: Compiled, storage: Storage) -> str:
    count = compiled.schedule.extents[storage].rows
    return f", {count} of {storage.rows} rows of {storage.row_size} bytes"


def _steps(compiled: Compiled) -> Iterator[str]:
    runs = [0] * len(compiled.program.stages)
    for number in compiled.schedule.order:
        stage = compiled.program.stages[number]
        part = f" part {stage.part(runs[number])}" if stage.parts else ""
        yield f"{_title(stage)} row {stage.row(runs[number])}{part}"
        runs[number] += 1


def _title(stage: Stage) -> str:
    """Return number and name of the operator: ``3 CONV_2D``; or ``input columns``."""
    number, name = stage.comment.split(" ")[:2]
    return f"{number.rstrip(':')} {name}"
