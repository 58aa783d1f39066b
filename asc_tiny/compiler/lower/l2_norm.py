"""Lowers L2_NORMALIZATION."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import L2NormParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import lowering

# As many squares of 255 stay within 32 bits.
_MOST_VALUES = 2**15


@lowering(
    "L2_NORMALIZATION",
    conditions=(
        "over the last axis, up to 4 dimensions; no fused activation; output taken to have scale "
        "1/128 and zero point 0, as TensorFlow Lite Micro has it"
    ),
)
def lower_l2_normalization(ctx: LoweringContext) -> list[Stage]:
    """L2_NORMALIZATION over the last axis."""
    source = ctx.input(0)
    if ctx.options["fused_activation_function"] != "NONE":
        ctx.error("a fused activation is not supported; put it behind as a layer of its own")
    if source.shape != ctx.output.shape or not 1 <= len(source.shape) <= 4:
        ctx.error(f"shape {list(source.shape)} into {list(ctx.output.shape)}")
    size = source.shape[-1]
    if size > _MOST_VALUES:
        ctx.error(f"over {size} values, at most {_MOST_VALUES} are supported")
    rows = ctx.view(source).row_elements // size
    params = L2NormParams(rows, size, ctx.quantization(source)[1])
    return [ctx.stage("asc_l2_norm", params)]
