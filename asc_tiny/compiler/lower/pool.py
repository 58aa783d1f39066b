"""Lowers MAX_POOL_2D and AVERAGE_POOL_2D."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import PoolParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import EITHER, SAME, WINDOWED, lowering
from asc_tiny.compiler.lower.window import Window2D

_MOST_WINDOW = 2**16 - 1


@lowering(
    "MAX_POOL_2D",
    conditions=f"{WINDOWED}; {SAME}",
    dsp="four channels at once",
    reads_by_row=True,
    signatures=EITHER,
)
def lower_max_pool_2d(ctx: LoweringContext) -> list[Stage]:
    """MAX_POOL_2D."""
    return _pool(ctx, "asc_max_pool")


@lowering(
    "AVERAGE_POOL_2D",
    conditions=f"{WINDOWED}; {SAME}",
    reads_by_row=True,
    signatures=EITHER,
)
def lower_average_pool_2d(ctx: LoweringContext) -> list[Stage]:
    """AVERAGE_POOL_2D; padding does not count into the average."""
    return _pool(ctx, "asc_average_pool")


def _pool(ctx: LoweringContext, kernel: str) -> list[Stage]:
    ctx.same_quantization(ctx.input(0), ctx.output)
    if ctx.image(ctx.input(0))[2] != ctx.image(ctx.output)[2]:
        ctx.error("must keep the number of channels")
    height = int(ctx.options["filter_height"])
    width = int(ctx.options["filter_width"])
    window = Window2D.of(ctx, height, width)
    low, high = ctx.codes()
    params = PoolParams(**vars(window.params(ctx)), minimum=low, maximum=high)
    if ctx.has_int16 and height * width > _MOST_WINDOW:
        ctx.error(f"window of {height}x{width}, at most {_MOST_WINDOW} values of 16 bits add up")
    note = f", {height}x{width}"
    return [ctx.stage(ctx.typed(kernel), params, inputs=[window.rows(ctx)], note=note)]
