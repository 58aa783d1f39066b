"""Lowers SOFTMAX and LOG_SOFTMAX.

Source: TFLite Micro, kernels/internal/reference/softmax.h and log_softmax.h, and
PreprocessLogSoftmaxScalingExp in kernels/internal/quantization_util.cc.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import LogSoftmaxParams, SoftmaxParams, SoftmaxWideParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import INT8_MAX, INT8_MIN, multiplier, softmax_constants
from asc_tiny.compiler.lower.rule import EITHER, lowering
from asc_tiny.compiler.lower.unary_s16 import lower_softmax_s16

# As many equal scores add up to 2^28 in 32 bits with 12 integer bits; with one more, the
# specification shifts a quotient by 32 bits, which asc_softmax does not.
_MOST_NARROW_CLASSES = 2**9 - 1
# With more, the sum would leave 32 bits.
_MOST_CLASSES = 2**12 - 1
_INT16_SCALE, _INT16_ZERO_POINT = 1.0 / 65536.0, -(2**15)


@lowering(
    "SOFTMAX",
    conditions=(
        "over the last axis; int8: up to 4095 classes, output of scale 1/256, zero point -128, or "
        "of int16 of scale 1/65536, zero point -32768; int16: up to 65535 classes, output of scale "
        "1/32768"
    ),
    signatures=(*EITHER, "INT8 -> INT16"),
)
def lower_softmax(ctx: LoweringContext) -> list[Stage]:
    """SOFTMAX over the last axis, with the output quantisation that the specification fixes."""
    output = ctx.output
    _check_shapes(ctx)
    if ctx.input(0).dtype == "INT16":
        return lower_softmax_s16(ctx)
    is_wide = ctx.has_int16
    if is_wide:
        _check_wide(ctx)
    elif ctx.quantization(output) != (1.0 / 256.0, INT8_MIN):
        ctx.error("output must have scale 1/256 and zero point -128")
    params = _params(ctx, float(ctx.options["beta"]))
    if is_wide or params.classes > _MOST_NARROW_CLASSES:
        wide = SoftmaxWideParams(softmax=params, bits=16 if is_wide else 8)
        return [ctx.stage("asc_softmax_wide", wide)]
    return [ctx.stage("asc_softmax", params)]


def _check_shapes(ctx: LoweringContext) -> None:
    source, output = ctx.input(0), ctx.output
    if source.shape != output.shape or not source.shape:
        ctx.error(f"shape {list(source.shape)} into {list(output.shape)}")


def _check_wide(ctx: LoweringContext) -> None:
    """Check the one output of 16 bits whose zero point is not 0."""
    scales, zero_points = ctx.output.scales, ctx.output.zero_points
    near = len(scales) == 1 and abs(scales[0] - _INT16_SCALE) <= 0.001 * _INT16_SCALE
    if not near or zero_points != (_INT16_ZERO_POINT,):
        ctx.error("output must have scale 1/65536 and zero point -32768")


def _params(ctx: LoweringContext, beta: float) -> SoftmaxParams:
    source = ctx.input(0)
    if source.shape[-1] > _MOST_CLASSES:
        ctx.error(f"over {source.shape[-1]} classes, at most {_MOST_CLASSES} are supported")
    try:
        value, shift, minimum = softmax_constants(beta, ctx.quantization(source)[0])
    except ValueError as error:
        ctx.error(str(error))
    return SoftmaxParams(
        rows=ctx.view(source).row_elements // source.shape[-1],
        classes=source.shape[-1],
        multiplier=value,
        shift=shift,
        minimum=minimum,
    )


@lowering(
    "LOG_SOFTMAX",
    conditions="over the last axis, up to 4095 classes; output of scale 1/16, zero point 127",
)
def lower_log_softmax(ctx: LoweringContext) -> list[Stage]:
    """LOG_SOFTMAX over the last axis, with the output quantisation that TFLite fixes."""
    if ctx.quantization(ctx.output) != (1.0 / 16.0, INT8_MAX):
        ctx.error("output must have scale 1/16 and zero point 127")
    _check_shapes(ctx)
    params = _params(ctx, 1.0)
    if params.shift == 0:
        ctx.error("the input's scale is too small")
    reverse, reverse_shift = multiplier(2.0 ** (31 - params.shift) / params.multiplier)
    own = LogSoftmaxParams(**vars(params), reverse_multiplier=reverse, reverse_shift=reverse_shift)
    return [ctx.stage("asc_log_softmax", own)]
