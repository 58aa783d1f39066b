"""Stripes: stages that work pixel by pixel make several rows in one run.

A run costs its set-up, and kernels take windows in pairs, so that one is left over in a row of odd
width. Several rows in one run are a longer row. They take memory: as many rows of what the stage
reads and writes exist together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from asc_tiny.compiler.ir import Program, Rows, Stage, Storage, View

HEIGHTS = (2, 4)
"""Rows of a stripe that are tried."""


def heights(program: Program, number: int) -> list[int]:
    """Return how many rows a stage can make in one run, other than one."""
    stage = program.stages[number]
    if not stage.scales or stage.output.rows != stage.runs:
        return []
    views = [stage.output, *(rows.view for rows in stage.inputs)]
    return [
        height
        for height in HEIGHTS
        if all(_is_plain(rows) for rows in stage.inputs)
        and all(_divides(view, height) for view in views)
    ]


def striped(program: Program, chosen: Mapping[int, int]) -> Program:
    """Return a program in which stages make several rows in a run.

    Args:
        program: its stages make a row in a run.
        chosen: rows by the stage's number, of those that ``heights`` returns.
    """
    rows: dict[Storage, int] = {}
    for number, height in chosen.items():
        stage = program.stages[number]
        for view in (stage.output, *(each.view for each in stage.inputs)):
            rows[view.storage] = math.lcm(rows.get(view.storage, 1), height)
    taller = {
        storage: replace(storage, rows=storage.rows // count, row_size=storage.row_size * count)
        for storage, count in rows.items()
    }

    def moved(view: View) -> View:
        return replace(view, storage=taller.get(view.storage, view.storage))

    stages = [
        replace(
            stage,
            inputs=[replace(each, view=moved(each.view)) for each in stage.inputs],
            output=moved(stage.output),
        )
        for stage in program.stages
    ]
    for number, height in chosen.items():
        stages[number] = _taller(stages[number], height)
    return Program(program.source, stages, moved(program.input), moved(program.output))


def _is_plain(rows: Rows) -> bool:
    """Whether row y is read for row y."""
    return (rows.count, rows.factor, rows.offset, rows.divisor) == (1, 1, 0, 1)


def _divides(view: View, height: int) -> bool:
    """Whether stripes of rows are rows of a storage that is as many times as high."""
    storage = view.storage
    return (
        storage.constant is None
        and view.is_contiguous
        and view.row_size == storage.row_size
        and view.rows % height == storage.rows % height == 0
        and view.start % (height * view.row_size) == 0
    )


def _taller(stage: Stage, height: int) -> Stage:
    """Return a stage that makes so many rows in a run, each of its views as taller rows."""

    def taller(view: View) -> View:
        return view.reshaped(view.rows // height, view.row_size * height)

    fields = dict(stage.fields)
    for name in stage.scales:
        fields[name] = str(int(fields[name]) * height)
    return replace(
        stage,
        comment=f"{stage.comment}, {height} rows",
        fields=fields,
        inputs=[replace(each, view=taller(each.view)) for each in stage.inputs],
        output=taller(stage.output),
        runs=stage.runs // height,
        windows=stage.windows * height,
        scratch=stage.scratch + (height - 1) * stage.scratch_row,
    )
