"""Streaming: the input of the network comes column by column from the front end."""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.compiler.ir import Buffer, LoweredGraph, Stage
from asc_tiny.compiler.kernel_params import KernelParams


def with_streaming_input(lowered: LoweredGraph) -> LoweredGraph:
    """Return a graph whose input comes row by row; its last stage stands for the front end."""
    (columns,) = lowered.inputs
    rows = columns.rows
    front_end = Stage(
        operator=None,
        title="input columns",
        comment=f"input: columns, {rows} of {columns.row_bytes} bytes",
        name="",
        kernel="",
        params=KernelParams(),
        inputs=(),
        output=columns,
        runs=rows,
    )
    # The number of columns so far, and of the runs of each stage, in 16 bits
    progress = Buffer("progress", 1, 2 * (1 + len(lowered.stages)))
    return replace(lowered, stages=[*lowered.stages, front_end], progress=progress)
