"""Fixed-point arithmetic against exact fractions and float64."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from asc_tiny.compiler.lower import gemmlowp
from asc_tiny.compiler.lower.requantization import multiplier
from support import integer_reference

EDGES = (0, 1, -1, 2**30, -(2**30), 2**31 - 1, -(2**31), 2**30 + 1, 12345, -98765)


def numbers(count: int) -> list[int]:
    """Return edges, and random numbers of every width."""
    random = np.random.default_rng(4)
    widths = random.integers(1, 32, count)
    return [*EDGES, *(int(random.integers(-(2 ** int(w)), 2 ** int(w))) for w in widths)]


def rounded_up(value: Fraction) -> int:
    """Return the nearest integer, halves towards infinity."""
    return math.floor(value + Fraction(1, 2))


def test_high_products_are_the_nearest_integers() -> None:
    for a in numbers(60):
        for b in numbers(60):
            made = gemmlowp.saturating_rounding_doubling_high_mul(a, b)
            assert made == min(rounded_up(Fraction(a * b, 2**31)), 2**31 - 1), (a, b)


@pytest.mark.parametrize("exponent", [0, 1, 2, 7, 31])
def test_quotients_are_the_nearest_integers(exponent: int) -> None:
    for value in numbers(300):
        away = math.floor(Fraction(abs(value), 2**exponent) + Fraction(1, 2))
        assert gemmlowp.rounding_divide_by_pot(value, exponent) == int(math.copysign(away, value))


@pytest.mark.parametrize("real", [1e-9, 0.0003, 0.25, 0.7, 1.0, 3.0, 900.0])
def test_requantization_is_the_definition(real: float) -> None:
    constants = multiplier(real)
    for value in numbers(200):
        if abs(value) * max(real, 1.0) < 2**30:
            made = gemmlowp.requantize(value, *constants)
            assert made == integer_reference.rescale(value, real)
            # Rounded two times, at most a half and a quarter of a unit apart
            assert abs(made - value * real) <= 0.76


@pytest.mark.parametrize("integer_bits", [3, 4])
def test_logistic_and_tanh(integer_bits: int) -> None:
    for value in numbers(300):
        x = value / 2.0 ** (31 - integer_bits)
        logistic = 1.0 / (1.0 + math.exp(-x))
        assert abs(gemmlowp.logistic(value, integer_bits) / 2.0**31 - logistic) < 2e-7
        assert abs(gemmlowp.tanh(value, integer_bits) / 2.0**31 - math.tanh(x)) < 3e-7
