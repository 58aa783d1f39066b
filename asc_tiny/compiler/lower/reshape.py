"""Lowers operators whose output has the bytes of their input: RESHAPE, SQUEEZE, EXPAND_DIMS."""

from __future__ import annotations

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.lower.context import LoweringContext, geometry
from asc_tiny.compiler.lower.rule import CODES, EVERY, OTHER_ROWS, lowering


@lowering(
    "EXPAND_DIMS",
    conditions=CODES,
    memory=OTHER_ROWS,
    inputs=(2, 2),
    is_view=True,
    signatures=EVERY,
    types="any",
)
def lower_expand_dims(ctx: LoweringContext) -> list[Stage]:
    """EXPAND_DIMS along an axis that the file states."""
    ctx.integers(1, 1)
    if len(ctx.input(1).shape) > 1:
        ctx.error(f"the axis has the shape {list(ctx.input(1).shape)}, must be a scalar or [1]")
    return lower_reshape(ctx)


@lowering(
    "RESHAPE",
    conditions=CODES,
    memory=OTHER_ROWS,
    inputs=(1, 2),
    is_view=True,
    signatures=EVERY,
    types="any",
)
@lowering(
    "SQUEEZE",
    conditions=CODES,
    memory=OTHER_ROWS,
    is_view=True,
    signatures=EVERY,
    types="any",
)
def lower_reshape(ctx: LoweringContext) -> list[Stage]:
    """RESHAPE and SQUEEZE: another view of the same bytes, or one copy."""
    if ctx.input(0).size != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} elements into {ctx.output.size}")
    source = ctx.view(ctx.input(0))
    if not ctx.tensors.is_placed(ctx.output.index):
        source = source if source.is_contiguous else ctx.copied(source)
        rows = geometry(ctx.output)[0]
        row_bytes = ctx.output.byte_count // rows
        ctx.tensors.alias(ctx.output.index, source.reshaped(rows, row_bytes))
        return []
    target = ctx.view(ctx.output)
    same = ctx.reshaped(source, target.rows, target.row_bytes)
    return [ctx.copy_rows(RowAccess(same), target)]
