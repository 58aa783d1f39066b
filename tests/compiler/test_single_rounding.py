"""One rounding in place of the specification's two, around every step that a code makes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.single_rounding import SCALE_BITS, SHIFT, Channel, constant

HEADER = Path(__file__).resolve().parents[2] / "firmware_templates/runtime/nn/asc_arithmetic.h"


def specified(value: int, multiplier: int, bits: int) -> int:
    """TensorFlow Lite Micro's MultiplyByQuantizedMultiplier, as gemmlowp writes it."""
    product = value * multiplier
    total = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    high = total >> 31 if total >= 0 else -(-total >> 31)
    mask = (1 << bits + 1) - 1
    threshold = (mask >> 1) + (high < 0)
    return (high >> bits + 1) + ((high & mask) > threshold)


def rounded_once(products: int, found: tuple[int, int]) -> int:
    """SMMULR and SSAT in registers of 32 bits."""
    bias, multiplier = found
    scaled = (products << SCALE_BITS) + bias
    high = (scaled * multiplier + (1 << 31)) >> 32
    for register in (bias, scaled, multiplier, high):
        assert -(2**31) <= register < 2**31
    return min(max(high >> SHIFT, -128), 127)


def agree(channel: Channel, found: tuple[int, int]) -> bool:
    """Whether codes are the same beside all steps of the specification, at both ends and between.

    Both are monotone, and each step has its sums on both sides here, so that codes which are the
    same here are so everywhere.
    """
    _, firsts = channel.steps()
    low, high = channel.sums
    sums = {each + away for each in firsts.tolist() for away in (-2, -1, 0, 1)} | {low, high}
    sums |= set(np.linspace(low, high, 50, dtype=np.int64).tolist())
    minimum, maximum = channel.codes
    for value in sums:
        if low <= value <= high:
            codes = (
                specified(value, channel.multiplier, channel.bits) + channel.zero_point,
                rounded_once(value - channel.bias, found),
            )
            one, other = (min(max(code, minimum), maximum) for code in codes)
            if one != other:
                return False
    return True


def channels(bits: int, zero_point: int, number: int) -> list[Channel]:
    """Return channels of a layer whose codes begin at the zero point or above it."""
    rng = np.random.default_rng(bits)
    reach = min(1 << bits + 10, 1 << 22)
    return [
        Channel(
            multiplier=int(rng.integers(1 << 30, 1 << 31)),
            bits=bits,
            bias=int(rng.integers(-1000, 1000)),
            sums=(-int(rng.integers(1, reach)), int(rng.integers(1, reach))),
            zero_point=zero_point,
            codes=(zero_point + int(rng.integers(0, 3)), 127),
        )
        for _ in range(number)
    ]


@pytest.mark.parametrize("zero_point", [-128, -20])
@pytest.mark.parametrize("bits", range(13))
def test_codes_are_those_of_the_specification(bits: int, zero_point: int) -> None:
    found = [(channel, channel.once()) for channel in channels(bits, zero_point, 16)]
    assert all(agree(channel, once) for channel, once in found if once)
    # Multipliers of few bits to the right would have more than 31 bits.
    assert sum(once is not None for _, once in found) >= (10 if 3 <= bits <= 10 else 0)
    assert bits >= SHIFT - SCALE_BITS or all(once is None for _, once in found)


@pytest.mark.parametrize("zero_point", [-128, -20])
def test_codes_of_all_sums(zero_point: int) -> None:
    (channel,) = channels(3, zero_point, 1)
    found = channel.once()
    assert found is not None
    for value in range(channel.sums[0], channel.sums[1] + 1):
        code = min(max(specified(value, channel.multiplier, 3) + zero_point, -128), 127)
        made = rounded_once(value - channel.bias, found)
        assert max(code, channel.codes[0]) == max(made, channel.codes[0])


def test_halves_on_both_sides_of_zero() -> None:
    """Rounded products below zero have halves on the other side: few steps can have both."""
    few = Channel(1518500250, 6, 0, (-900, 900), 0, (-128, 127))
    found = few.once()
    assert found is None or agree(few, found)
    many = Channel(1518500250, 6, 0, (-30000, 30000), 0, (-128, 127))
    assert many.once() is None
    steps = dict(zip(*(each.tolist() for each in many.steps()), strict=True))
    for code, first in steps.items():
        assert specified(first, many.multiplier, many.bits) == code
        assert specified(first - 1, many.multiplier, many.bits) == code - 1


def test_another_bias_makes_other_codes() -> None:
    """What the test sees: half a sum more or less is another code somewhere."""
    channel = Channel(1518500250, 6, 0, (-(1 << 17), 1 << 17), -128, (-128, 127))
    found = channel.once()
    assert found is not None
    bias, multiplier = found
    for away in (-128, 128):
        assert not agree(channel, (bias + away, multiplier))


def test_codes_of_few_sums_between_steps() -> None:
    """Where no code begins within the sums, or the first sum has a code above the smallest."""
    wide = Channel(1518500250, 6, 0, (0, 1 << 17), -128, (-128, 127))
    _, firsts = wide.steps()
    for first, second in zip(firsts[3:40].tolist(), firsts[4:41].tolist(), strict=True):
        channel = Channel(wide.multiplier, 6, 0, (first, second - 1), -128, (-128, 127))
        found = channel.once()
        assert found is not None
        assert agree(channel, found)


def test_nothing_beyond_32_bits() -> None:
    assert Channel((1 << 31) - 1, 6, 0, (-(1 << 23), 1 << 23), -128, (-128, 127)).once() is None


@pytest.mark.parametrize("code", [-128, -1, 0, 127])
def test_a_constant(code: int) -> None:
    assert rounded_once(0, constant(code)) == code


def test_kernels_have_the_same_numbers() -> None:
    text = HEADER.read_text(encoding="utf-8")
    numbers = dict(re.findall(r"(ASC_ONCE_\w+) = (\d+)", text))
    assert numbers == {"ASC_ONCE_SCALE": str(1 << SCALE_BITS), "ASC_ONCE_SHIFT": str(SHIFT)}
    for path in HEADER.parent.glob("*_dsp.h"):
        shifts = re.findall(r"ssat[^,]+, #8, [^,]+, asr #(\d+)", path.read_text(encoding="utf-8"))
        assert set(shifts) <= {"1", str(SHIFT)}
