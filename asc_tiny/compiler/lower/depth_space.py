"""Lowers DEPTH_TO_SPACE and SPACE_TO_DEPTH."""

from __future__ import annotations

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import BlocksParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import SAME, lowering
from asc_tiny.tflite.graph import Tensor


@lowering("DEPTH_TO_SPACE", conditions=f"batch 1; {SAME}")
def lower_depth_to_space(ctx: LoweringContext) -> list[Stage]:
    """DEPTH_TO_SPACE: a row of the input has the pixels of several rows of the output."""
    params = _blocks(ctx, ctx.input(0), ctx.output)
    rows = RowAccess(ctx.view(ctx.input(0)), divisor=params.block)
    return [ctx.stage("asc_depth_to_space", params, inputs=[rows])]


@lowering("SPACE_TO_DEPTH", conditions=f"batch 1; {SAME}")
def lower_space_to_depth(ctx: LoweringContext) -> list[Stage]:
    """SPACE_TO_DEPTH: a row of the output has the pixels of several rows of the input."""
    params = _blocks(ctx, ctx.output, ctx.input(0))
    rows = RowAccess(ctx.view(ctx.input(0)), count=params.block, factor=params.block)
    return [ctx.stage("asc_space_to_depth", params, inputs=[rows])]


def _blocks(ctx: LoweringContext, deep: Tensor, wide: Tensor) -> BlocksParams:
    """Return the blocks of two tensors that hold the same codes."""
    ctx.same_quantization(deep, wide)
    block = int(ctx.options["block_size"])
    (height, width, channels), larger = ctx.image(deep), ctx.image(wide)
    if block < 1 or larger != (height * block, width * block, channels // block**2):
        ctx.error(
            f"blocks of {block} do not bring {list(deep.shape)} and {list(wide.shape)} together"
        )
    return BlocksParams(pixels=width, size=block * larger[2], block=block)
