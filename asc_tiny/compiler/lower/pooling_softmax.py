"""Lowers operators that compute without weights: pooling, mean, add, softmax, activations."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.lower.context import LoweringContext, braces
from asc_tiny.compiler.lower.conv import Window
from asc_tiny.compiler.lower.requantization import INT8_MIN, multiplier, softmax_constants

# As many equal scores add up to 2^28 in 32 bits with 12 integer bits; with one more, the
# specification shifts a quotient by 32 bits.
_MOST_CLASSES = 2**9 - 1


def lower_max_pool_2d(ctx: LoweringContext) -> list[Stage]:
    """MAX_POOL_2D."""
    return _pool(ctx, "asc_max_pool")


def lower_average_pool_2d(ctx: LoweringContext) -> list[Stage]:
    """AVERAGE_POOL_2D; padding does not count into the average."""
    return _pool(ctx, "asc_average_pool")


def _pool(ctx: LoweringContext, kernel: str) -> list[Stage]:
    ctx.same_quantization(ctx.input(0), ctx.output)
    if ctx.image(ctx.input(0))[2] != ctx.image(ctx.output)[2]:
        ctx.error("must keep the number of channels")
    height = int(ctx.operator.options["filter_height"])
    width = int(ctx.operator.options["filter_width"])
    window = Window.of(ctx, height, width)
    low, high = ctx.codes()
    fields = {**window.fields(ctx), "minimum": str(low), "maximum": str(high)}
    note = f", {height}x{width}"
    return [ctx.stage(kernel, fields, inputs=[window.rows(ctx)], c_type="asc_pool_t", note=note)]


def lower_quantize(ctx: LoweringContext) -> list[Stage]:
    """QUANTIZE from one int8 scale to another."""
    scale, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    return _rescale(ctx, scale / target, ctx.range())


def lower_relu(ctx: LoweringContext) -> list[Stage]:
    """RELU as an operator of its own."""
    scale, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    return _rescale(ctx, scale / target, ctx.range(activation="RELU"))


def lower_relu6(ctx: LoweringContext) -> list[Stage]:
    """RELU6 as an operator of its own: codes are clamped and stay the same."""
    ctx.same_quantization(ctx.input(0), ctx.output)
    return _rescale(ctx, 1.0, ctx.range(activation="RELU6"))


def _rescale(ctx: LoweringContext, real: float, output_range: str) -> list[Stage]:
    value, shift = multiplier(real)
    if shift > 22:
        ctx.error("the output's scale is too small for its input")
    if ctx.input(0).size != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} elements into {ctx.output.size}")
    zero_point = ctx.quantization(ctx.input(0))[1]
    fields = {
        "size": str(ctx.view(ctx.output).row_bytes),
        "input": braces(zero_point, value, shift),
        "range": output_range,
    }
    operands = [ctx.like_output(ctx.input(0))]
    return [ctx.stage("asc_rescale", fields, inputs=operands, scales=("size",))]


def lower_softmax(ctx: LoweringContext) -> list[Stage]:
    """SOFTMAX over the last axis, with the output quantisation that the specification fixes."""
    source, output = ctx.input(0), ctx.output
    if ctx.quantization(output) != (1.0 / 256.0, INT8_MIN):
        ctx.error("output must have scale 1/256 and zero point -128")
    if source.shape != output.shape or not source.shape:
        ctx.error(f"shape {list(source.shape)} into {list(output.shape)}")
    if source.shape[-1] > _MOST_CLASSES:
        ctx.error(f"over {source.shape[-1]} classes, at most {_MOST_CLASSES} are supported")
    beta = float(ctx.operator.options["beta"])
    try:
        value, shift, minimum = softmax_constants(beta, ctx.quantization(source)[0])
    except ValueError as error:
        ctx.error(str(error))
    fields = {
        "rows": str(ctx.view(source).row_bytes // source.shape[-1]),
        "classes": str(source.shape[-1]),
        "multiplier": str(value),
        "shift": str(shift),
        "minimum": str(minimum),
    }
    return [ctx.stage("asc_softmax", fields)]
