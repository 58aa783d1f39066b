"""Runs a schedule step by step with the numbers of rows instead of their bytes.

What a row is, is taken from the definition of the stages alone. It shows whether each row that a
run reads is there, and still is the one that was written.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import Buffer, LoweredGraph
from asc_tiny.compiler.planner.scheduler import Schedule


class RowLostError(Exception):
    """A run reads a row that is not there."""


def interpret(lowered: LoweredGraph, schedule: Schedule) -> dict[Buffer, list[int | None]]:
    """Run all steps; return the number of the row that each slot of each buffer holds at the end.

    Raises:
        RowLostError: a row is read that was not written yet or is overwritten.
    """
    slots: dict[Buffer, list[int | None]] = {
        buffer: [None] * rolling.slots for buffer, rolling in schedule.rolling_buffers.items()
    }
    if not schedule.column_steps:
        for source in (view.buffer for view in lowered.inputs):
            slots[source] = list(range(source.rows))
    runs = [0] * len(lowered.stages)
    for step, number in enumerate(schedule.order):
        stage, run = lowered.stages[number], runs[number]
        for access in stage.inputs:
            held = slots.get(access.view.buffer)
            for row in access.read_rows(stage.row(run)):
                if row is None or held is None:
                    continue
                for place in access.view.buffer_rows(row):
                    if held[place % len(held)] != place:
                        raise RowLostError(f"step {step}: {stage.name} reads row {place}")
        for place in stage.output.buffer_rows(stage.output_row(run)):
            target = slots[stage.output.buffer]
            target[place % len(target)] = place
        runs[number] += 1
    missing = [
        stage.name for stage, done in zip(lowered.stages, runs, strict=True) if done != stage.runs
    ]
    if missing:
        raise RowLostError(f"{missing} do not make all of their rows")
    return slots
