"""Lowers TRANSPOSE: a view where only dimensions of 1 move, else a copy."""

from __future__ import annotations

import math

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import SliceParams, four
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.index_map import lower_index_map, numbers
from asc_tiny.compiler.lower.reshape import lower_reshape
from asc_tiny.compiler.lower.rule import ANY, CODES, VIEW, WHOLE, lowering


@lowering(
    "TRANSPOSE",
    conditions=CODES,
    memory=f"{VIEW} where only dimensions of 1 move, else {WHOLE}",
    inputs=(2, 2),
    signatures=ANY,
)
def lower_transpose(ctx: LoweringContext) -> list[Stage]:
    """TRANSPOSE of any dimensions: a view where only dimensions of 1 move, else a copy."""
    source, output = ctx.input(0), ctx.output
    rank = len(source.shape)
    order = ctx.integers(1, rank)
    if sorted(order) != list(range(rank)):
        ctx.error(f"permutation {order} of {rank} dimensions")
    if tuple(source.shape[axis] for axis in order) != output.shape:
        ctx.error(f"{list(source.shape)} does not become {list(output.shape)}")
    moved = [axis for axis in order if source.shape[axis] > 1]
    if moved == sorted(moved):
        return lower_reshape(ctx)
    if rank > 4 or output.dtype != "INT8":
        return lower_index_map(ctx, numbers(source).transpose(order))
    strides = [math.prod(source.shape[axis + 1 :]) for axis in order]
    missing = 4 - rank
    params = SliceParams(
        count=four([1] * missing + list(output.shape)), begin=0, step=four([0] * missing + strides)
    )
    whole = RowAccess(ctx.reshaped(ctx.view(source), 1, source.size))
    target = ctx.reshaped_output(ctx.view(output), 1, output.size)
    return [ctx.stage("asc_slice", params, inputs=[whole], output=target)]
