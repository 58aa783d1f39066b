"""Lowers SELECT and SELECT_V2.

Source: TFLite Micro, micro/kernels/select.cc. It has no SELECT but SELECT_V2; the other is as that
of TensorFlow Lite.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import SelectParams
from asc_tiny.compiler.lower.broadcast import broadcast
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import BROADCAST, lowering

_CHOSEN = ("INT8", "INT16", "INT32", "INT64", "BOOL", "FLOAT32")
_SELECTED = tuple(f"BOOL {dtype} {dtype} -> {dtype}" for dtype in _CHOSEN)


@lowering(
    "SELECT_V2",
    conditions=f"{BROADCAST}; values as they are, whatever the scales",
    types="bool, then int8, int16, int32, int64, bool or float32",
    inputs=(3, 3),
    signatures=_SELECTED,
)
def lower_select_v2(ctx: LoweringContext) -> list[Stage]:
    """SELECT_V2, whose three operands may be broadcast."""
    size = ctx.output.element_bytes
    operands = [ctx.input(number) for number in range(3)]
    inputs, counts, steps, before = broadcast(ctx, operands)
    condition, *values = steps
    first, second = ((outer * size, inner * size) for outer, inner in values)
    params = SelectParams(counts, condition, first, second, size)
    return [*before, ctx.stage("asc_select", params, inputs=inputs)]


@lowering(
    "SELECT",
    conditions="a condition of the shape of the values, of one value, or one for each of the first "
    "axis; as TensorFlow Lite has it, since TensorFlow Lite Micro has none",
    types="as SELECT_V2",
    inputs=(3, 3),
    signatures=_SELECTED,
)
def lower_select(ctx: LoweringContext) -> list[Stage]:
    """SELECT: by value, or by parts along the first axis."""
    output, condition = ctx.output, ctx.input(0)
    size = output.element_bytes
    if any(ctx.input(number).shape != output.shape for number in (1, 2)):
        ctx.error(f"operands of other shapes than the output {list(output.shape)}")
    if condition.shape == output.shape:
        return lower_select_v2(ctx)
    if condition.size not in (1, *output.shape[:1]) or len(condition.shape) > 1:
        ctx.error(f"condition {list(condition.shape)} for {list(output.shape)}")
    inner = output.size // condition.size
    views = [
        ctx.reshaped(ctx.view(each), 1, each.byte_count)
        for each in (condition, ctx.input(1), ctx.input(2))
    ]
    step = inner * size, size
    params = SelectParams((condition.size, inner), (1, 0), step, step, size)
    target = ctx.reshaped_output(ctx.view(output), 1, output.byte_count)
    inputs = [RowAccess(view) for view in views]
    return [ctx.stage("asc_select", params, inputs=inputs, output=target)]
