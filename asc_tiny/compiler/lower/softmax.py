"""Lowers SOFTMAX."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import SoftmaxParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import INT8_MIN, softmax_constants
from asc_tiny.compiler.lower.rule import EITHER, lowering
from asc_tiny.compiler.lower.unary_s16 import lower_softmax_s16

# As many equal scores add up to 2^28 in 32 bits with 12 integer bits; with one more, the
# specification shifts a quotient by 32 bits.
_MOST_CLASSES = 2**9 - 1


@lowering(
    "SOFTMAX",
    conditions="over the last axis; int8: up to 511 classes, output of scale 1/256, zero point "
    "-128; int16: up to 65535 classes, output of scale 1/32768",
    signatures=EITHER,
)
def lower_softmax(ctx: LoweringContext) -> list[Stage]:
    """SOFTMAX over the last axis, with the output quantisation that the specification fixes."""
    source, output = ctx.input(0), ctx.output
    if source.shape != output.shape or not source.shape:
        ctx.error(f"shape {list(source.shape)} into {list(output.shape)}")
    if ctx.has_int16:
        return lower_softmax_s16(ctx)
    if ctx.quantization(output) != (1.0 / 256.0, INT8_MIN):
        ctx.error("output must have scale 1/256 and zero point -128")
    if source.shape[-1] > _MOST_CLASSES:
        ctx.error(f"over {source.shape[-1]} classes, at most {_MOST_CLASSES} are supported")
    beta = float(ctx.options["beta"])
    try:
        value, shift, minimum = softmax_constants(beta, ctx.quantization(source)[0])
    except ValueError as error:
        ctx.error(str(error))
    params = SoftmaxParams(
        rows=ctx.view(source).row_elements // source.shape[-1],
        classes=source.shape[-1],
        multiplier=value,
        shift=shift,
        minimum=minimum,
    )
    return [ctx.stage("asc_softmax", params)]
