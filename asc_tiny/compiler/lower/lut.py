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
from asc_tiny.compiler.lower.context import Lowering
from asc_tiny.compiler.lower.gemmlowp import (
    divide_by_power,
    doubling_high_product,
    logistic,
    requantize,
    tanh,
)
from asc_tiny.compiler.lower.requantization import (
    INT8_MAX,
    INT8_MIN,
    multiplier,
    round_away,
)

Function = Callable[[int], int]
"""From an input's code without its zero point to the output's code."""

_INPUT_INTEGER_BITS = 4
# 255 shifted further left would leave 32 bits.
_MOST_SHIFT = 22


def lower_logistic(to: Lowering) -> list[Stage]:
    """LOGISTIC, with the output quantisation that the specification fixes."""
    if to.quantization(to.output) != (1.0 / 256.0, INT8_MIN):
        to.fail("output must have scale 1/256 and zero point -128")
    return _sigmoid(to, lambda raw: divide_by_power(logistic(raw, 4), 23) + INT8_MIN)


def lower_tanh(to: Lowering) -> list[Stage]:
    """TANH, with the output quantisation that the specification fixes."""
    if to.quantization(to.output) != (1.0 / 128.0, 0):
        to.fail("output must have scale 1/128 and zero point 0")
    return _sigmoid(to, lambda raw: divide_by_power(tanh(raw, 4), 24))


def _sigmoid(to: Lowering, function: Function) -> list[Stage]:
    """Tabulate a function that is constant beyond 16, of numbers with 4 integer bits."""
    scale = to.quantization(to.input(0))[0]
    fraction, shift = math.frexp(scale * 2.0 ** (31 - _INPUT_INTEGER_BITS))
    factor = round_away(fraction * 2.0**31)
    if not 0 <= shift < 63 or factor == 2**31:
        to.fail(f"input scale {scale:g} is too small or too large")
    radius = 15 * 2**27 >> shift

    def code(value: int) -> int:
        if value <= -radius:
            return INT8_MIN
        return INT8_MAX if value >= radius else function(requantize(value, factor, shift))

    return _lookup(to, code)


def lower_leaky_relu(to: Lowering) -> list[Stage]:
    """LEAKY_RELU with any slope."""
    source, target = to.quantization(to.input(0))[0], to.quantization(to.output)[0]
    zero_point = to.quantization(to.output)[1]
    slope = source * float(to.operator.options["alpha"]) / target
    identity = multiplier(source / target)
    below = multiplier(abs(slope))
    if max(identity[1], below[1]) > _MOST_SHIFT:
        to.fail("the output's scale is too small for its input")
    sign = -1 if slope < 0 else 1

    def code(value: int) -> int:
        if value >= 0:
            return zero_point + requantize(value, *identity)
        return zero_point + sign * requantize(value, *below)

    return _lookup(to, code)


def lower_abs(to: Lowering) -> list[Stage]:
    """ABS from any quantisation to any."""
    source, target = to.quantization(to.input(0))[0], to.quantization(to.output)[0]
    zero_point = to.quantization(to.output)[1]
    factor = multiplier(source / target)
    if factor[1] > _MOST_SHIFT:
        to.fail("the output's scale is too small for its input")
    return _lookup(to, lambda value: requantize(abs(value), *factor) + zero_point)


def lower_elu(to: Lowering) -> list[Stage]:
    """ELU, the one function that TFLite Micro tabulates in single precision."""
    source, (target, zero_point) = to.quantization(to.input(0))[0], to.quantization(to.output)
    if 256.0 * source / target >= 2**31 - 256:
        to.fail("the output's scale is too small for its input")
    inverse = np.float32(1.0) / np.float32(target)

    def code(value: int) -> int:
        real = np.float32(source) * np.float32(value)
        transformed = np.float32(math.exp(real)) - np.float32(1.0) if real < 0 else real
        return round_away(float(transformed * inverse)) + zero_point

    return _lookup(to, code)


def lower_hard_swish(to: Lowering) -> list[Stage]:
    """HARD_SWISH, in 16-bit arithmetic as TFLite Micro's kernel."""
    source, target = to.quantization(to.input(0))[0], to.quantization(to.output)[0]
    zero_point = to.quantization(to.output)[1]
    fine = np.float32(1.0 / 128.0) * np.float32(source)
    output_factor, output_shift = multiplier(float(fine / np.float32(target)))
    reluish = np.float32(3.0) / np.float32(32768.0)
    reluish_factor, reluish_shift = multiplier(float(fine / reluish))
    if output_shift > 0 or reluish_shift > 30 or output_factor == 0 or reluish_factor == 0:
        to.fail("the scales of input and output are too far apart")
    output_half, reluish_half = _to_16_bits(output_factor), _to_16_bits(reluish_factor)

    def code(value: int) -> int:
        hires = value * 128
        on_output_scale = doubling_high_product(hires, output_half, 16)
        gate = hires
        if reluish_shift > 0:
            gate = _saturate(gate << (reluish_shift - 1))
        gate = doubling_high_product(gate, reluish_half, 16)
        if reluish_shift > 0:
            gate = _saturate(gate << 1)
        elif reluish_shift < 0:
            gate = _divide_16_bits(gate, -reluish_shift)
        gate = (gate + 2**15) >> 1
        product = gate * on_output_scale
        # To zero, not to nearest
        before_shift = int(math.copysign(abs(product) >> 15, product))
        return _divide_16_bits(before_shift, -output_shift) + zero_point

    return _lookup(to, code)


def _to_16_bits(factor: int) -> int:
    """Return a 32-bit multiplier as 16 bits (DownScaleInt32ToInt16Multiplier)."""
    return 2**15 - 1 if factor >= 2**31 - 1 - 2**15 else (factor + 2**15) >> 16


def _saturate(value: int) -> int:
    return min(max(value, -(2**15)), 2**15 - 1)


def _divide_16_bits(value: int, exponent: int) -> int:
    """Return ``divide_by_power`` as it comes out with a mask of 16 bits."""
    if exponent < 16:
        return divide_by_power(value, exponent)
    return (value >> exponent) + (value > -1 + (value < 0))


def _lookup(to: Lowering, function: Function) -> list[Stage]:
    if to.input(0).size != to.output.size:
        to.fail(f"{to.input(0).size} elements into {to.output.size}")
    zero_point = to.quantization(to.input(0))[1]
    codes = [function(code - zero_point) for code in range(INT8_MIN, INT8_MAX + 1)]
    values = np.clip(codes, INT8_MIN, INT8_MAX).astype(np.int8)
    own = to.array("table", "int8_t", values)
    table = to.tensors.tables.setdefault(values.tobytes(), own)
    fields = {"size": str(to.view(to.output).row_size), "table": table.name}
    return [to.stage("asc_lookup", fields, inputs=[to.like_output(to.input(0))], arrays=[table])]
