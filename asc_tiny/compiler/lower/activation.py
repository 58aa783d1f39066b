"""Lowers operators that bring codes to another scale or range: QUANTIZE, RELU, RELU6."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import (
    ConvertCodesParams,
    Operand,
    OutputRange,
    RequantizeParams,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.convert import (
    FROM_NUMBERS,
    OTHER_SIGN,
    change_sign,
    quantize_numbers,
)
from asc_tiny.compiler.lower.lut import lower_quantize_real
from asc_tiny.compiler.lower.real_codes import FROM_REAL
from asc_tiny.compiler.lower.requantization import LIMITS, activation_range, multiplier
from asc_tiny.compiler.lower.rule import CODES, EITHER, lowering

# So far can a code without its zero point be shifted in 32 bits.
_MOST_SHIFT = {"INT8": 22, "INT16": 15, "INT32": 0}


@lowering(
    "QUANTIZE",
    conditions="one scale each; with `--io int8`, left out at the ends of the network",
    signatures=(
        "INT8 -> INT8",
        "INT8 -> INT16",
        "INT8 -> INT32",
        "INT16 -> INT8",
        "INT16 -> INT16",
        "INT16 -> INT32",
        "INT32 -> INT8",
        "INT32 -> INT16",
        *FROM_NUMBERS,
        *OTHER_SIGN,
    ),
)
def lower_quantize(ctx: LoweringContext) -> list[Stage]:
    """QUANTIZE of numbers, or of codes to another scale or type."""
    source = ctx.input(0)
    if ctx.options.get(FROM_REAL):
        return lower_quantize_real(ctx)
    if source.dtype == "FLOAT32":
        return quantize_numbers(ctx)
    if "UINT8" in (source.dtype, ctx.output.dtype):
        return change_sign(ctx)
    if source.dtype == "INT32" and ctx.quantization(source)[1] != 0:
        ctx.error("input is INT32, its zero point must be 0")
    scale, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    return _rescale(ctx, scale / target, ctx.range())


@lowering(
    "RELU",
    conditions="any quantisation",
    signatures=EITHER,
)
def lower_relu(ctx: LoweringContext) -> list[Stage]:
    """RELU as an operator of its own."""
    scale, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    return _rescale(ctx, scale / target, ctx.range(activation="RELU"))


@lowering(
    "RELU6",
    conditions=f"clamped by the input's scale; {CODES}",
    signatures=EITHER,
)
def lower_relu6(ctx: LoweringContext) -> list[Stage]:
    """RELU6 as an operator of its own: codes are clamped and stay the same."""
    source = ctx.input(0)
    scale, zero_point = ctx.quantization(source)
    low, high = activation_range("RELU6", scale, zero_point, LIMITS[source.dtype])
    clamps = int((low, high) != LIMITS[source.dtype])
    return _rescale(ctx, 1.0, OutputRange(zero_point, low, high, clamps=clamps, narrow=0))


def _rescale(ctx: LoweringContext, real: float, output_range: OutputRange) -> list[Stage]:
    value, shift = multiplier(real)
    zero_point = ctx.quantization(ctx.input(0))[1]
    is_wider = ctx.input(0).dtype == "INT16" and zero_point != 0
    if shift > _MOST_SHIFT[ctx.input(0).dtype] - is_wider:
        ctx.error("the output's scale is too small for its input")
    if ctx.input(0).size != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} elements into {ctx.output.size}")
    params = RequantizeParams(
        size=ctx.view(ctx.output).row_elements,
        input=Operand(zero_point, value, shift),
        range=output_range,
    )
    operands = [ctx.like_output(ctx.input(0))]
    if ctx.input(0).dtype == ctx.output.dtype == "INT8":
        return [ctx.stage("asc_requantize", params, inputs=operands)]
    sizes = [ctx.view(tensor).buffer.dtype.itemsize for tensor in (ctx.input(0), ctx.output)]
    converted = ConvertCodesParams(params.size, params.input, params.range, *sizes)
    return [ctx.stage("asc_convert_codes", converted, inputs=operands)]
