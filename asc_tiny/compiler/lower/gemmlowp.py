"""Fixed-point arithmetic of gemmlowp in Python integers, as TFLite Micro's int8 functions use it.

A number with ``n`` integer bits is ``raw / 2^(31 - n)``. Source: gemmlowp, fixedpoint/fixedpoint.h;
names follow it where it has them.
"""

from __future__ import annotations

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

_EXP_OF_MINUS_EIGHTH = 1895147668
_HALF_ROOT_OF_2 = 1518500250
_THIRD = 715827883
# exp(-2^k) with 0 integer bits, for k = -2 to 4
_FACTORS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
_48_OVER_17, _MINUS_32_OVER_17 = 1515870810, -1010580540


def saturating_rounding_doubling_high_mul(a: int, b: int, bits: int = 32) -> int:
    """Return ``a * b / 2^(bits - 1)``, to nearest (SaturatingRoundingDoublingHighMul)."""
    if a == b == -(1 << bits - 1):
        return (1 << bits - 1) - 1
    return (a * b + (1 << bits - 2)) >> bits - 1


def rounding_divide_by_pot(value: int, exponent: int) -> int:
    """Return ``value / 2^exponent``, to nearest, halves away from zero (RoundingDivideByPOT)."""
    mask = (1 << exponent) - 1
    half = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > half)


def requantize(value: int, multiplier: int, shift: int) -> int:
    """Return ``value * multiplier / 2^31 * 2^shift`` (MultiplyByQuantizedMultiplier)."""
    high = saturating_rounding_doubling_high_mul(value << max(shift, 0), multiplier)
    return rounding_divide_by_pot(high, max(-shift, 0))


def logistic(raw: int, integer_bits: int) -> int:
    """Return 1 / (1 + exp(-x)) with 0 integer bits."""
    if raw == 0:
        return 1 << 30
    positive = _one_over_one_plus(_exp_on_negative_values(-abs(raw), integer_bits))
    return positive if raw > 0 else INT32_MAX - positive


def tanh(raw: int, integer_bits: int) -> int:
    """Return the hyperbolic tangent with 0 integer bits."""
    if raw == 0:
        return 0
    # The argument doubles by having one integer bit more.
    magnitude = _one_minus_over_one_plus(_exp_on_negative_values(-abs(raw), integer_bits + 1))
    return magnitude if raw > 0 else -magnitude


def reciprocal_root(value: int, bits: int) -> tuple[int, int]:
    """Return (multiplier, shift) with ``1 / sqrt(value) = multiplier / 2^31 * 2^(shift - bits)``.

    Five steps of Newton's method from 1, of numbers with 3 integer bits, on the value times a power
    of four (GetInvSqrtQuantizedMultiplierExp of TensorFlow Lite).

    Args:
        value: 1 to 2^29 - 1.
        bits: bits by which the result is shifted to the left.
    """
    if value == 1:
        return INT32_MAX, bits
    right = 11
    while value < 2**27:
        value, right = value * 4, right - 1
    half = rounding_divide_by_pot(value >> 1, 1)
    multiply = saturating_rounding_doubling_high_mul
    root = 1 << 28
    for _ in range(5):
        cube = _shift_left(multiply(multiply(root, root), root), 6)
        root = _shift_left(multiply((1 << 28) + (1 << 27), root) - multiply(half, cube), 3)
    root = multiply(root, _HALF_ROOT_OF_2)
    return (root, bits - right) if right >= 0 else (root << -right, bits)


def _exp_on_negative_values(raw: int, integer_bits: int) -> int:
    """Return exp(x) for x <= 0: a series on [-1/4, 0) times a factor for each bit of the rest."""
    if raw == 0:
        return INT32_MAX
    quarter = 1 << (31 - integer_bits - 2)
    rest = (raw & (quarter - 1)) - quarter
    result = _exp_on_last_quarter(_shift_left(rest, integer_bits))
    quarters = (rest - raw) // quarter
    for bit, factor in enumerate(_FACTORS[: integer_bits + 2]):
        if quarters >> bit & 1:
            result = saturating_rounding_doubling_high_mul(result, factor)
    return result


def _exp_on_last_quarter(a: int) -> int:
    x = a + (1 << 28)
    x2 = saturating_rounding_doubling_high_mul(x, x)
    x3 = saturating_rounding_doubling_high_mul(x2, x)
    x4 = saturating_rounding_doubling_high_mul(x2, x2)
    tail = saturating_rounding_doubling_high_mul(rounding_divide_by_pot(x4, 2) + x3, _THIRD) + x2
    series = x + rounding_divide_by_pot(tail, 1)
    return _EXP_OF_MINUS_EIGHTH + saturating_rounding_doubling_high_mul(
        _EXP_OF_MINUS_EIGHTH, series
    )


def _reciprocal_of_half(a: int) -> int:
    """Return 2 / (1 + a) with 2 integer bits, 0 < a < 1: three steps of Newton's method."""
    half_denominator = (a + INT32_MAX + 1) // 2
    x = _48_OVER_17 + saturating_rounding_doubling_high_mul(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        error = (1 << 29) - saturating_rounding_doubling_high_mul(half_denominator, x)
        x += _shift_left(saturating_rounding_doubling_high_mul(x, error), 2)
    return x


def _one_over_one_plus(a: int) -> int:
    # Half of a number with 2 integer bits has 1.
    return _shift_left(_reciprocal_of_half(a), 1)


def _one_minus_over_one_plus(a: int) -> int:
    return _shift_left(_reciprocal_of_half(a) - (1 << 29), 2)


def _shift_left(value: int, bits: int) -> int:
    return min(max(value << bits, INT32_MIN), INT32_MAX)
