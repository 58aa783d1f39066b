"""Lowers conversions between numbers and codes: DEQUANTIZE, and QUANTIZE of other types than int8.

Sources: TensorFlow Lite Micro, kernels/quantize_common.cc and dequantize.cc. It quantises numbers
to int8 and int16; to uint8, TensorFlow Lite's kernel is the reference, whose formula is the same.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import (
    ChangeSignParams,
    DequantizeParams,
    Operand,
    QuantizeParams,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import multiplier
from asc_tiny.compiler.lower.rule import lowering
from asc_tiny.tflite.schema import CODES

FROM_NUMBERS = ("FLOAT32 -> INT8", "FLOAT32 -> INT16", "FLOAT32 -> UINT8")
"""Signatures of a QUANTIZE of floating-point numbers."""

OTHER_SIGN = ("UINT8 -> INT8", "INT8 -> UINT8")
"""Signatures of a QUANTIZE from unsigned codes or to them."""

# So far can a code without its zero point be shifted in 32 bits.
_MOST_SHIFT = 22


def quantize_numbers(ctx: LoweringContext) -> list[Stage]:
    """QUANTIZE of floating-point numbers."""
    scale, zero_point = ctx.quantization(ctx.output)
    low, high = CODES[ctx.output.dtype]
    params = QuantizeParams(
        _elements(ctx), scale, zero_point, low, high, code_bytes=ctx.output.element_bytes
    )
    return _converted(ctx, "asc_quantize", params)


def change_sign(ctx: LoweringContext) -> list[Stage]:
    """QUANTIZE from unsigned codes to signed ones, or the other way round."""
    source, zero_point = ctx.quantization(ctx.input(0))
    target, output_zero_point = ctx.quantization(ctx.output)
    value, shift = multiplier(source / target)
    if shift > _MOST_SHIFT:
        ctx.error("the output's scale is too small for its input")
    low, high = CODES[ctx.output.dtype]
    params = ChangeSignParams(
        size=_elements(ctx),
        input=Operand(zero_point, value, shift),
        zero_point=output_zero_point,
        minimum=low,
        maximum=high,
        is_signed=int(ctx.input(0).dtype == "INT8"),
    )
    return _converted(ctx, "asc_change_sign", params)


@lowering(
    "DEQUANTIZE",
    conditions="one scale; with `--io int8`, left out at the ends of the network",
    signatures=("INT8 -> FLOAT32", "UINT8 -> FLOAT32", "INT16 -> FLOAT32"),
)
def lower_dequantize(ctx: LoweringContext) -> list[Stage]:
    """DEQUANTIZE of codes of one or two bytes."""
    source = ctx.input(0)
    scale, zero_point = ctx.quantization(source)
    params = DequantizeParams(
        _elements(ctx),
        scale,
        zero_point,
        code_bytes=source.element_bytes,
        is_signed=int(source.dtype != "UINT8"),
    )
    return _converted(ctx, "asc_dequantize", params)


def _converted(
    ctx: LoweringContext,
    kernel: str,
    params: QuantizeParams | DequantizeParams | ChangeSignParams,
) -> list[Stage]:
    if ctx.input(0).size != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} elements into {ctx.output.size}")
    return [ctx.stage(kernel, params, inputs=[ctx.like_output(ctx.input(0))])]


def _elements(ctx: LoweringContext) -> int:
    """Return the elements of a row of the output."""
    return ctx.view(ctx.output).row_elements
