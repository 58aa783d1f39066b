"""Integer constants of the kernels from real scales, as TFLite computes them.

Scales are float32 in the file; where TFLite multiplies or divides them in single precision before
widening, so does this module, since the last bit decides about bit-exactness.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

INT8_MIN, INT8_MAX = -128, 127
INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "INT8": (INT8_MIN, INT8_MAX),
        "INT16": (INT16_MIN, INT16_MAX),
        "INT32": (INT32_MIN, INT32_MAX),
    }
)
"""The smallest and the largest code of each element type."""


def round_away(value: float) -> int:
    """Round to the nearest integer, halves away from zero (C's ``round``)."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def multiplier(real: float) -> tuple[int, int]:
    """Return (multiplier, shift) with ``real = multiplier / 2^31 * 2^shift``.

    The multiplier has 31 significant bits, 2^30 to 2^31 - 1, and is 0 where the result would
    always be 0 (TFLite's QuantizeMultiplier).
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    value = round_away(fraction * 2.0**31)
    if value == 2**31:
        value, shift = value // 2, shift + 1
    return (0, 0) if shift < -31 else (value, shift)


MOST_WIDE_SHIFT = 7
"""So far to the left does TensorFlow Lite Micro shift products of sums of 64 bits."""


def wide_multiplier(value: int, shift: int) -> tuple[int, int]:
    """Return a multiplier of 15 bits, and a shift to the right, for sums of 64 bits.

    TensorFlow Lite Micro shortens multipliers for them.
    """
    return (2**15 - 1 if value >= 0x7FFF0000 else (value + 2**15) >> 16), 15 - shift


def product_scale(first: float, second: float) -> float:
    """Return the product of two scales in single precision."""
    return float(np.float32(first) * np.float32(second))


def ratio(first: float, second: float) -> float:
    """Return the quotient of two scales in single precision."""
    return float(np.float32(first) / np.float32(second))


def activation_range(
    activation: str, scale: float, zero_point: int, codes: tuple[int, int] = (INT8_MIN, INT8_MAX)
) -> tuple[int, int]:
    """Return the codes that a fused activation clamps to.

    Args:
        activation: the activation, as the schema names it.
        scale, zero_point: the quantization of the output.
        codes: the smallest and the largest code of its type.

    Raises:
        ValueError: an activation other than NONE, RELU, RELU6 and RELU_N1_TO_1, or a scale so small
            that the code of a bound is beyond 32 bits.
    """

    def code(real: float) -> int:
        steps = round_away(ratio(real, scale))
        if abs(steps) >= 2**31:
            raise ValueError(f"scale {scale:g} is too small for the fused activation {activation}")
        return zero_point + steps

    low, high = codes
    if activation == "NONE":
        return low, high
    if activation == "RELU":
        return max(low, code(0.0)), high
    if activation == "RELU6":
        return max(low, code(0.0)), min(high, code(6.0))
    if activation == "RELU_N1_TO_1":
        return max(low, code(-1.0)), min(high, code(1.0))
    raise ValueError(f"fused activation {activation}, allowed: NONE, RELU, RELU6, RELU_N1_TO_1")


def mean_multiplier(real: float, count: int) -> tuple[int, int]:
    """Return (multiplier, shift) of ``real / count``, truncated as TFLite's MEAN does."""
    value, shift = multiplier(real)
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (value << extra) // count, shift - extra


SOFTMAX_INTEGER_BITS = 5


def softmax_constants(beta: float, scale: float) -> tuple[int, int, int]:
    """Return (multiplier, shift, smallest difference) of an int8 softmax.

    Raises:
        ValueError: scale and beta too small to represent.
    """
    real = min(beta * scale * 2.0 ** (31 - SOFTMAX_INTEGER_BITS), float(INT32_MAX))
    value, shift = multiplier(real)
    if real <= 1.0 or shift < 0:
        raise ValueError(f"softmax of a scale of {scale} times beta {beta} is too small")
    largest = (2**SOFTMAX_INTEGER_BITS - 1) * 2.0 ** (31 - SOFTMAX_INTEGER_BITS) / 2.0**shift
    return value, shift, -math.floor(largest)


def same_padding(size: int, window: int, stride: int, output: int) -> int:
    """Return the padding before the input for SAME; the odd element goes behind it."""
    return max(0, (output - 1) * stride + window - size) // 2
