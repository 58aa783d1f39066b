"""Lowers functions of one int8 code to tables of all 256, computed as TFLite Micro computes them.

Sources: TFLite Micro, kernels/internal/reference/integer_ops/logistic.h and tanh.h,
kernels/internal/reference/hard_swish.h and leaky_relu.h, and the kernels' preparation in
micro/kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import LookupParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.gemmlowp import (
    logistic,
    reciprocal_root,
    requantize,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    tanh,
)
from asc_tiny.compiler.lower.real_codes import real_values
from asc_tiny.compiler.lower.requantization import (
    INT8_MAX,
    INT8_MIN,
    multiplier,
    round_away,
)
from asc_tiny.compiler.lower.rule import EITHER, lowering
from asc_tiny.compiler.lower.unary_s16 import (
    lower_abs_s16,
    lower_leaky_relu_s16,
    lower_logistic_s16,
    lower_rsqrt_s16,
    lower_tanh_s16,
    root_factor,
)

Function = Callable[[int], int]
"""A function of the input's code without its zero point, which returns the output's code."""

_TABLE = "a table of 256 bytes; int16: output of scale 1/32768; a table of 512 bytes"
_INPUT_INTEGER_BITS = 4
# 255 shifted further left would leave 32 bits.
_MOST_SHIFT = 22


@lowering(
    "LOGISTIC",
    conditions=(
        "int8: output of zero point -128, whose scale is taken to be 1/256, as TensorFlow Lite "
        f"Micro has it; {_TABLE}"
    ),
    signatures=EITHER,
)
def lower_logistic(ctx: LoweringContext) -> list[Stage]:
    """LOGISTIC, with the output quantisation that the specification fixes."""
    if ctx.has_int16:
        return lower_logistic_s16(ctx)
    if ctx.quantization(ctx.output)[1] != INT8_MIN:
        ctx.error("output must have zero point -128")
    return _sigmoid(ctx, lambda raw: rounding_divide_by_pot(logistic(raw, 4), 23) + INT8_MIN)


@lowering(
    "TANH",
    conditions=(
        "int8: output taken to have scale 1/128 and zero point 0, as TensorFlow Lite Micro has it; "
        f"{_TABLE}"
    ),
    signatures=EITHER,
)
def lower_tanh(ctx: LoweringContext) -> list[Stage]:
    """TANH, with the output quantisation that the specification fixes."""
    if ctx.has_int16:
        return lower_tanh_s16(ctx)
    return _sigmoid(ctx, lambda raw: rounding_divide_by_pot(tanh(raw, 4), 24))


def _sigmoid(ctx: LoweringContext, function: Function) -> list[Stage]:
    """Tabulate a function that is constant beyond 16, of numbers with 4 integer bits."""
    scale = ctx.quantization(ctx.input(0))[0]
    fraction, shift = math.frexp(scale * 2.0 ** (31 - _INPUT_INTEGER_BITS))
    factor = round_away(fraction * 2.0**31)
    if not 0 <= shift < 63 or factor == 2**31:
        ctx.error(f"input scale {scale:g} is too small or too large")
    radius = 15 * 2**27 >> shift

    def code(value: int) -> int:
        if value <= -radius:
            return INT8_MIN
        return INT8_MAX if value >= radius else function(requantize(value, factor, shift))

    return _lookup(ctx, code)


@lowering(
    "LEAKY_RELU",
    conditions="any slope; int8: a table of 256 bytes",
    signatures=EITHER,
)
def lower_leaky_relu(ctx: LoweringContext) -> list[Stage]:
    """LEAKY_RELU with any slope."""
    if ctx.has_int16:
        return lower_leaky_relu_s16(ctx)
    source, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    zero_point = ctx.quantization(ctx.output)[1]
    slope = source * float(ctx.options["alpha"]) / target
    identity = multiplier(source / target)
    below = multiplier(abs(slope))
    if max(identity[1], below[1]) > _MOST_SHIFT:
        ctx.error("the output's scale is too small for its input")
    sign = -1 if slope < 0 else 1

    def code(value: int) -> int:
        if value >= 0:
            return zero_point + requantize(value, *identity)
        return zero_point + sign * requantize(value, *below)

    return _lookup(ctx, code)


@lowering("ABS", conditions="any quantisation; int8: a table of 256 bytes", signatures=EITHER)
def lower_abs(ctx: LoweringContext) -> list[Stage]:
    """ABS from any quantisation to any."""
    if ctx.has_int16:
        return lower_abs_s16(ctx)
    source, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    zero_point = ctx.quantization(ctx.output)[1]
    factor = multiplier(source / target)
    if factor[1] > _MOST_SHIFT:
        ctx.error("the output's scale is too small for its input")
    return _lookup(ctx, lambda value: requantize(abs(value), *factor) + zero_point)


@lowering(
    "RSQRT",
    conditions=(
        "any quantisation; what it gives of a number below 0 means nothing; int8: a table of 256 "
        "bytes"
    ),
    signatures=EITHER,
)
def lower_rsqrt(ctx: LoweringContext) -> list[Stage]:
    """RSQRT, of which 0 gives the largest code."""
    if ctx.has_int16:
        return lower_rsqrt_s16(ctx)
    zero_point = ctx.quantization(ctx.output)[1]
    factor, shift = root_factor(ctx)

    def code(value: int) -> int:
        if value <= 0:
            return INT8_MAX
        root = requantize(1, *reciprocal_root(value, 20))
        return requantize(root, factor, shift - 20) + zero_point

    return _lookup(ctx, code)


@lowering("ELU", conditions="any quantisation; a table of 256 bytes")
def lower_elu(ctx: LoweringContext) -> list[Stage]:
    """ELU, the one function that TFLite Micro tabulates in single precision."""
    source, (target, zero_point) = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)
    if 256.0 * source / target >= 2**31 - 256:
        ctx.error("the output's scale is too small for its input")
    inverse = np.float32(1.0) / np.float32(target)

    def code(value: int) -> int:
        real = np.float32(source) * np.float32(value)
        transformed = np.float32(math.exp(real)) - np.float32(1.0) if real < 0 else real
        return round_away(float(transformed * inverse)) + zero_point

    return _lookup(ctx, code)


@lowering("HARD_SWISH", conditions="a table of 256 bytes")
def lower_hard_swish(ctx: LoweringContext) -> list[Stage]:
    """HARD_SWISH, in 16-bit arithmetic as TFLite Micro's kernel."""
    source, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    zero_point = ctx.quantization(ctx.output)[1]
    fine = np.float32(1.0 / 128.0) * np.float32(source)
    reluish = np.float32(3.0) / np.float32(32768.0)
    with np.errstate(over="ignore"):
        ratios = float(fine / np.float32(target)), float(fine / reluish)
    if not all(map(math.isfinite, ratios)):
        ctx.error("the scales of input and output are too far apart")
    (output_factor, output_shift), (reluish_factor, reluish_shift) = map(multiplier, ratios)
    if output_shift > 0 or reluish_shift > 30 or output_factor == 0 or reluish_factor == 0:
        ctx.error("the scales of input and output are too far apart")
    output_half, reluish_half = _to_16_bits(output_factor), _to_16_bits(reluish_factor)

    def code(value: int) -> int:
        hires = value * 128
        on_output_scale = saturating_rounding_doubling_high_mul(hires, output_half, 16)
        gate = hires
        if reluish_shift > 0:
            gate = _saturate(gate << (reluish_shift - 1))
        gate = saturating_rounding_doubling_high_mul(gate, reluish_half, 16)
        if reluish_shift > 0:
            gate = _saturate(gate << 1)
        elif reluish_shift < 0:
            gate = _divide_16_bits(gate, -reluish_shift)
        gate = (gate + 2**15) >> 1
        product = gate * on_output_scale
        # To zero, not to nearest
        before_shift = int(math.copysign(abs(product) >> 15, product))
        return _divide_16_bits(before_shift, -output_shift) + zero_point

    return _lookup(ctx, code)


def _to_16_bits(factor: int) -> int:
    """Return a 32-bit multiplier as 16 bits (DownScaleInt32ToInt16Multiplier)."""
    return 2**15 - 1 if factor >= 2**31 - 1 - 2**15 else (factor + 2**15) >> 16


def _saturate(value: int) -> int:
    return min(max(value, -(2**15)), 2**15 - 1)


def _divide_16_bits(value: int, exponent: int) -> int:
    """Return ``divide_by_power`` as it comes out with a mask of 16 bits."""
    if exponent < 16:
        return rounding_divide_by_pot(value, exponent)
    return (value >> exponent) + (value > -1 + (value < 0))


def lower_quantize_real(ctx: LoweringContext) -> list[Stage]:
    """QUANTIZE of floating-point numbers that a DEQUANTIZE has made of codes."""
    scale, zero_point = ctx.quantization(ctx.output)
    values = real_values(*ctx.quantization(ctx.input(0)))
    source = ctx.quantization(ctx.input(0))[1]

    def code(value: int) -> int:
        real = values[value + source + 128] / np.float32(scale)
        return round_away(float(np.clip(real, -1024.0, 1024.0))) + zero_point

    return _lookup(ctx, code)


def _lookup(ctx: LoweringContext, function: Function) -> list[Stage]:
    if ctx.input(0).size != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} elements into {ctx.output.size}")
    zero_point = ctx.quantization(ctx.input(0))[1]
    codes = [function(code - zero_point) for code in range(INT8_MIN, INT8_MAX + 1)]
    values = np.clip(codes, INT8_MIN, INT8_MAX).astype(np.int8)
    table = ctx.shared_array("table", values)
    params = LookupParams(size=ctx.view(ctx.output).row_elements, table=table)
    return [ctx.stage("asc_lookup", params, inputs=[ctx.like_output(ctx.input(0))])]
