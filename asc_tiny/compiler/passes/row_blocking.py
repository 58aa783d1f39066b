"""Row blocking: stages that work pixel by pixel make several rows in one run.

A run costs its set-up, and kernels take windows in pairs, so that one is left over in a row of odd
width. Several rows in one run are a longer row. They take memory: as many rows of the operands and
of the output exist together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import ConvParams, KernelParams, RequantizeParams

ROWS_PER_RUN = (2, 4)
"""Numbers of rows per run that are tried, besides one."""


def possible_rows_per_run(lowered: LoweredGraph, number: int) -> list[int]:
    """Return the numbers of rows that a stage can make in one run, other than one."""
    stage = lowered.stages[number]
    if for_rows(stage.params, 1) is None or stage.output.rows != stage.runs:
        return []
    views = [stage.output, *(rows.view for rows in stage.inputs)]
    return [
        rows_per_run
        for rows_per_run in ROWS_PER_RUN
        if all(_is_plain(rows) for rows in stage.inputs)
        and all(_divides(view, rows_per_run) for view in views)
    ]


def block_rows(lowered: LoweredGraph, chosen: Mapping[int, int]) -> LoweredGraph:
    """Return a graph in which some stages make several rows in a run.

    Args:
        lowered: a graph whose stages make a row in a run.
        chosen: rows per run by the number of the stage, which ``possible_rows_per_run`` allows.
    """
    rows: dict[Buffer, int] = {}
    for number, rows_per_run in chosen.items():
        stage = lowered.stages[number]
        for view in (stage.output, *(each.view for each in stage.inputs)):
            rows[view.buffer] = math.lcm(rows.get(view.buffer, 1), rows_per_run)
    blocked = {
        buffer: replace(buffer, rows=buffer.rows // count, row_bytes=buffer.row_bytes * count)
        for buffer, count in rows.items()
    }

    def moved(view: BufferView) -> BufferView:
        return replace(view, buffer=blocked.get(view.buffer, view.buffer))

    stages = [
        replace(
            stage,
            inputs=[replace(each, view=moved(each.view)) for each in stage.inputs],
            output=moved(stage.output),
        )
        for stage in lowered.stages
    ]
    for number, rows_per_run in chosen.items():
        stages[number] = _blocked(stages[number], rows_per_run)
    return replace(
        lowered,
        stages=stages,
        inputs=tuple(map(moved, lowered.inputs)),
        outputs=tuple(map(moved, lowered.outputs)),
    )


def for_rows(params: KernelParams, rows: int) -> KernelParams | None:
    """Return the parameters for a run that makes several rows, None if the kernel cannot."""
    match params:
        case ConvParams(window=window) if window.is_pixel:
            return replace(
                params,
                input_width=params.input_width * rows,
                output_width=params.output_width * rows,
                columns=params.columns * rows,
            )
        case RequantizeParams():
            return replace(params, size=params.size * rows)
    return None


def _is_plain(rows: RowAccess) -> bool:
    """Whether row y is read for row y."""
    return (rows.count, rows.factor, rows.offset, rows.divisor) == (1, 1, 0, 1)


def _divides(view: BufferView, rows_per_run: int) -> bool:
    """Whether blocks of ``rows_per_run`` rows can be the rows of the buffer."""
    buffer = view.buffer
    return (
        buffer.constant is None
        and not buffer.is_state
        and view.is_contiguous
        and view.row_bytes == buffer.row_bytes
        and view.rows % rows_per_run == buffer.rows % rows_per_run == 0
        and view.start % (rows_per_run * view.row_bytes) == 0
    )


def _blocked(stage: Stage, rows_per_run: int) -> Stage:
    """Return a stage that makes several rows in a run, which are one longer row of its views."""

    def blocked(view: BufferView) -> BufferView:
        return view.reshaped(view.rows // rows_per_run, view.row_bytes * rows_per_run)

    params = for_rows(stage.params, rows_per_run)
    assert params is not None
    return replace(
        stage,
        comment=f"{stage.comment}, {rows_per_run} rows",
        params=params,
        inputs=[replace(each, view=blocked(each.view)) for each in stage.inputs],
        output=blocked(stage.output),
        runs=stage.runs // rows_per_run,
    )
