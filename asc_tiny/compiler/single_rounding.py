"""Rounds the sums of a channel once, where the specification rounds twice.

The specification rounds a sum times a multiplier at bit 31 and then, shifted right by the channel's
own number of bits, once more, halves away from zero. On cores with the DSP extension this takes
SMMLAR, the sign of the sum, a shift by a register, and SSAT. SSAT can do the shift itself if all
channels of all layers have the same: channels get a multiplier that comes with this shift.

Such a multiplier has fewer bits and is not equal to the channel's own. But codes grow with the sum,
in 255 steps at most. If all steps are at the same sums, all codes are the same. The sum of products
of scaled values has room for an offset of less than a sum's unit, which is found with the
multiplier: it becomes a part of the bias, and so do the output's zero point and halves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SCALE_BITS = 8
"""Left shift of the codes in windows, or of the weights, and so of sums: both fit 16 bits."""

SHIFT = 10
"""Right shift of SSAT (``ASC_ONCE_SHIFT`` in C): with it, more channels of public networks have a
multiplier than with others."""

MOST_BITS = 22
"""The largest number of bits of a channel, as of narrow ones."""

_TRIES = ((1, 0), (1, 8), (64, 96), (1, 96))
"""Multipliers that are tried around the best one before, at first the nearest: the stride, and the
number of them on each side."""

_LIMIT = 2**31
"""What multipliers and sums stay below."""

_Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Channel:
    """A channel as the specification rounds it.

    Attributes:
        multiplier: 2^30 to 2^31 - 1.
        bits: 0 to ``MOST_BITS``; the second shift is one bit more.
        bias: the bias, which sums include.
        sums: the smallest and the largest sum that the channel may have.
        zero_point: the zero point of the output.
        codes: the smallest and the largest code of the activation's range.
    """

    multiplier: int
    bits: int
    bias: int
    sums: tuple[int, int]
    zero_point: int
    codes: tuple[int, int]

    def steps(self) -> tuple[_Numbers, _Numbers]:
        """Return codes in order, and the smallest sum that has each: codes above the smallest one
        of the range that begin within the channel's sums, with the last one that begins before and
        the first one that begins behind them, if they are in the range."""
        codes = np.arange(self.codes[0] + 1, self.codes[1] + 1, dtype=np.int64)
        values = codes - self.zero_point
        # The first rounded product with a value: halves above zero belong to the larger value.
        products = (values << self.bits + 1) - (1 << self.bits) + (values <= 0)
        firsts = _quotients_up((products << 31) - (1 << 30), self.multiplier)
        start = max(int(np.searchsorted(firsts, self.sums[0], "right")) - 1, 0)
        end = int(np.searchsorted(firsts, self.sums[1], "right")) + 1
        return codes[start:end], firsts[start:end]

    def once(self) -> tuple[int, int] | None:
        """Return a bias and a multiplier that make the codes of all sums with one rounding.

        Returns:
            A bias b and a multiplier m with which the code of a sum of products p is
            ``floor((((p << SCALE_BITS) + b) * m + 2^31) / 2^(32 + SHIFT))`` wherever it is in the
            range, and outside of it where that of the specification is; None if no multiplier
            that was tried has such a bias, or 32 bits do not hold all sums.
        """
        codes, firsts = self.steps()
        left = SHIFT - SCALE_BITS - self.bits
        nearest = self.multiplier << left if left > 0 else _shifted(self.multiplier, -left)
        if not len(codes) or not 0 < nearest < _LIMIT:
            return None
        # A step is where a scaled sum with its offset is as large as this for the first time.
        least = (codes << 32 + SHIFT) - (1 << 31)
        for stride, count in _TRIES:
            tried = nearest + stride * np.arange(-count, count + 1, dtype=np.int64)
            tried = tried[(tried > 0) & (tried < _LIMIT)]
            low, high = _offsets(tried, least, firsts)
            best = int(np.argmin(low - high))
            nearest = int(tried[best])
            if low[best] <= high[best]:
                return self._with(nearest, int(low[best] + high[best]) // 2)
        return None

    def _with(self, multiplier: int, offset: int) -> tuple[int, int] | None:
        """Return bias and multiplier, None if 32 bits do not hold all sums."""
        bias = (self.bias << SCALE_BITS) + offset
        reach = (max(map(abs, self.sums)) << SCALE_BITS) + abs(offset)
        return (bias, multiplier) if max(reach, abs(bias)) < _LIMIT else None


def constant(code: int) -> tuple[int, int]:
    """Return bias and multiplier of a channel whose sums of products are 0."""
    return code << SHIFT + 2, 1 << 30


def _offsets(multipliers: _Numbers, least: _Numbers, firsts: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Return the smallest offset of each multiplier with which each first sum is large enough, and
    the largest one with which none before is."""
    offsets = _quotients_up(least, multipliers[:, None]) - (firsts << SCALE_BITS)
    return offsets.max(axis=1), offsets.min(axis=1) + (1 << SCALE_BITS) - 1


def _shifted(value: int, bits: int) -> int:
    """Return a number shifted right, rounded to nearest."""
    return value + (1 << bits >> 1) >> bits


def _quotients_up(numerators: _Numbers, denominator: _Numbers | int) -> _Numbers:
    """Return quotients rounded up."""
    return -(-numerators // denominator)
