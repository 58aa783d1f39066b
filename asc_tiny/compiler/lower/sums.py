"""Lowers CUMSUM and ADD_N.

Source: TFLite Micro, the preparation in micro/kernels/cumsum.cc and add_n.cc.
"""

from __future__ import annotations

import math

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import AddNParams, CumsumParams, ScaledSum
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import multiplier
from asc_tiny.compiler.lower.rule import BY_ROW, MANY, WHOLE, lowering


@lowering(
    "CUMSUM",
    conditions="any constant axis; exclusive and reverse",
    memory=f"{BY_ROW} along width or channels, else the {WHOLE}",
    inputs=(2, 2),
)
def lower_cumsum(ctx: LoweringContext) -> list[Stage]:
    """CUMSUM along one axis."""
    (axis,) = ctx.integers(1, 1)
    shape = ctx.input(0).shape
    if not -len(shape) <= axis < len(shape) or shape != ctx.output.shape:
        ctx.error(f"along axis {axis} of {list(shape)} into {list(ctx.output.shape)}")
    axis %= len(shape)
    outer, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    source, target = ctx.view(ctx.input(0)), ctx.view(ctx.output)
    rows = source.rows if outer % source.rows == 0 else 1
    source = ctx.reshaped(source, rows, ctx.input(0).size // rows)
    target = ctx.reshaped_output(target, rows, ctx.output.size // rows)
    params = CumsumParams(
        outer=outer // rows,
        count=shape[axis],
        inner=inner,
        exclusive=int(ctx.options["exclusive"]),
        reverse=int(ctx.options["reverse"]),
        sum=_scaled_sum(ctx),
    )
    return [ctx.stage("asc_cumsum", params, inputs=[RowAccess(source)], output=target)]


@lowering("ADD_N", conditions="operands of one shape and one quantisation", inputs=(2, MANY))
def lower_add_n(ctx: LoweringContext) -> list[Stage]:
    """ADD_N of operands that are alike."""
    operands = [ctx.input(number) for number in range(len(ctx.operator.inputs))]
    if any(each.shape != ctx.output.shape for each in operands):
        ctx.error("operands and output must have one shape")
    if len({ctx.quantization(each) for each in operands}) > 1:
        ctx.error("operands must have the same scale and zero point")
    params = AddNParams(ctx.view(ctx.output).row_elements, len(operands), _scaled_sum(ctx))
    return [ctx.stage("asc_add_n", params, inputs=[ctx.like_output(each) for each in operands])]


def _scaled_sum(ctx: LoweringContext) -> ScaledSum:
    scale, zero_point = ctx.quantization(ctx.input(0))
    value, shift = multiplier(2.0 * scale / (2**20 * ctx.quantization(ctx.output)[0]))
    if shift > 0:
        ctx.error("the output's scale is too small for its inputs")
    return ScaledSum(zero_point, value, shift, ctx.range())
