"""The arena of a network compiled ahead of time as a memory map."""

from __future__ import annotations

from collections.abc import Iterator

from asc_tiny.codegen.compiler.program import Stage, Storage
from asc_tiny.codegen.network import Compiled
from asc_tiny.complexity.memory_map import Block, MemoryMap


def memory_map(compiled: Compiled) -> MemoryMap:
    """Return what lies where; a step makes one row of a layer's output."""
    program = compiled.program
    title = f"{program.source}, arena of the network compiled ahead of time"
    return MemoryMap(title, list(_blocks(compiled)), list(_steps(compiled)), unit="rows made")


def _blocks(compiled: Compiled) -> Iterator[Block]:
    titles: dict[str, str] = {compiled.program.input.storage.name: "input"}
    for stage in compiled.program.stages:
        titles.setdefault(stage.output.storage.name, _title(stage))
    rows = {storage.name: _rows(compiled, storage) for storage in compiled.schedule.extents}
    for block, offset in dict.fromkeys(compiled.plan.blocks):
        name = titles.get(block.name, block.name) + rows.get(block.name, "")
        yield Block(name, offset, block.size, block.first, block.last)


def _rows(compiled: Compiled, storage: Storage) -> str:
    count = compiled.schedule.extents[storage].rows
    return f", {count} of {storage.rows} rows of {storage.row_size} bytes"


def _steps(compiled: Compiled) -> Iterator[str]:
    runs = [0] * len(compiled.program.stages)
    for number in compiled.schedule.order:
        stage = compiled.program.stages[number]
        yield f"{_title(stage)} row {runs[number]}"
        runs[number] += 1


def _title(stage: Stage) -> str:
    """Return number and name of the operator: ``3 CONV_2D``."""
    number, name = stage.comment.split(" ")[:2]
    return f"{number.rstrip(':')} {name}"
