"""Integer constants of the kernels against the real numbers that they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asc_tiny.compiler.lower.requantization import (
    activation_range,
    mean_multiplier,
    multiplier,
    round_away,
    same_padding,
)
from support.integer_reference import limits, windows


@pytest.mark.parametrize("real", [2.0**-31, 1e-6, 0.1, 0.5, 1.0, 1.0 - 2.0**-40, 255.7, 2.0**20])
def test_a_multiplier_has_31_bits(real: float) -> None:
    value, shift = multiplier(real)
    assert 2**30 <= value < 2**31
    assert value * 2.0 ** (shift - 31) == pytest.approx(real, rel=2.0**-30)


@pytest.mark.parametrize("real", [0.0, 2.0**-40])
def test_what_is_always_nothing_has_no_multiplier(real: float) -> None:
    assert multiplier(real) == (0, 0)


@pytest.mark.parametrize("count", [1, 2, 3, 30, 1000, 2**20])
def test_a_mean_divides_the_multiplier(count: int) -> None:
    value, shift = mean_multiplier(0.37, count)
    assert value * 2.0 ** (shift - 31) == pytest.approx(0.37 / count, rel=2.0**-28)


@pytest.mark.parametrize(
    ("value", "wanted"), [(0.5, 1), (-0.5, -1), (1.5, 2), (2.49, 2), (-2.51, -3), (0.0, 0)]
)
def test_halves_are_rounded_away_from_zero(value: float, wanted: int) -> None:
    assert round_away(value) == wanted


@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
@pytest.mark.parametrize("zero_point", [-128, -7, 0, 127])
@pytest.mark.parametrize("scale", [0.01, 0.0625, 0.5, 9.0])
def test_codes_that_an_activation_lets_through(
    activation: str, zero_point: int, scale: float
) -> None:
    scale = float(np.float32(scale))
    assert activation_range(activation, scale, zero_point) == limits(activation, scale, zero_point)


def test_an_unknown_activation_is_named() -> None:
    with pytest.raises(ValueError, match="TANH"):
        activation_range("TANH", 0.1, 0)


def test_padding_of_any_window() -> None:
    """As many pixels before the input as the windows that are written out begin before it."""
    for size in range(1, 12):
        for window in range(1, 7):
            for stride in range(1, 5):
                count, places = windows(size, window, stride, 1, "SAME")
                assert count == math.ceil(size / stride)
                assert same_padding(size, window, stride, count) == max(0, -places[0][0])
