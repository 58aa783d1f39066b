"""Stages made by hand: pooling windows of three rows, for tests of passes and planner."""

from __future__ import annotations

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import PoolParams, Window

WIDTH, CHANNELS = 8, 2
ROW_BYTES = WIDTH * CHANNELS


def pool(number: int, source: BufferView, target: BufferView) -> Stage:
    """Return a stage that reads three rows for each of its rows, padding above and below."""
    window = Window(height=3, width=3, stride=1, dilation=1, left=1)
    params = PoolParams(WIDTH, CHANNELS, WIDTH, CHANNELS, window, minimum=-128, maximum=127)
    return Stage(
        operator=number,
        title=f"{number} MAX_POOL_2D",
        comment=f"{number}: MAX_POOL_2D",
        name=f"asc_net_layer{number}",
        kernel="asc_max_pool",
        params=params,
        inputs=(RowAccess(source, count=3, offset=-1),),
        output=target,
        runs=target.rows,
    )


def chain(rows: int, stages: int, *, whole: bool = True) -> LoweredGraph:
    """Return stages that each read the one before; ``whole`` if all of the input is there."""
    buffers = [Buffer(f"t{number}", rows, ROW_BYTES) for number in range(stages + 1)]
    buffers[0].whole, buffers[-1].whole = whole, True
    views = [BufferView.of(buffer) for buffer in buffers]
    made = [pool(number, views[number], views[number + 1]) for number in range(stages)]
    return LoweredGraph("chain", made, (views[0],), (views[-1],))
