"""Clocks of an STM32's I2S, which reads a PDM microphone's bits as the master of its clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from asc_tiny.pdm.design import bits_per_sample

_PLL_INPUT_HZ = 1_000_000

# RM0090 and the STM32F407's data sheet: PLLI2SN such that the oscillator runs at 192 to 432 MHz,
# PLLI2SR such that the I2S gets 192 MHz at most; its prescaler is twice I2SDIV, of 2 or more, plus
# ODD.
_FACTORS = range(192, 433)
_DIVISORS = range(2, 8)
_PRESCALERS = range(4, 512)
_HIGHEST_CLOCK = 192_000_000


@dataclass(frozen=True)
class I2s:
    """How a rate comes about: the audio PLL, the I2S's prescaler and bits for each sample.

    Attributes:
        pll_n: factor of the PLL, whose input is 1 MHz.
        pll_r: divisor of the PLL's output.
        divider: divisor of the I2S, from the audio clock to the microphone's.
        bits: bits of the microphone for each sample.
    """

    pll_n: int
    pll_r: int
    divider: int
    bits: int

    frame_bits = 32
    """Bits of a frame: two channels of 16."""

    @property
    def audio_clock(self) -> Fraction:
        """Clock of the I2S in Hz."""
        return Fraction(_PLL_INPUT_HZ * self.pll_n, self.pll_r)

    @property
    def microphone_clock(self) -> Fraction:
        """Clock of the microphone in Hz."""
        return self.audio_clock / self.divider

    @property
    def rate(self) -> Fraction:
        """Samples per second."""
        return self.microphone_clock / self.bits

    @property
    def frame_rate(self) -> int:
        """Frames per second for the HAL, ``Init.AudioFreq``, from which it takes the divider."""
        return round(self.microphone_clock / self.frame_bits)


def nearest(rate: Fraction) -> I2s:
    """Return the settings next to a rate in Hz, with the most bits that a microphone can give.

    Raises:
        AscError: no microphone's clock is fast enough.
    """
    bits = bits_per_sample(round(rate))
    return min(_settings(rate, bits), key=lambda each: abs(each.rate - rate))


def _settings(rate: Fraction, bits: int) -> Iterator[I2s]:
    """Yield for each choice of divisors the factor that comes next to the rate."""
    for divisor in _DIVISORS:
        for divider in _PRESCALERS:
            factor = round(rate * bits * divisor * divider / _PLL_INPUT_HZ)
            found = I2s(factor, divisor, divider, bits)
            if factor in _FACTORS and found.audio_clock <= _HIGHEST_CLOCK:
                yield found
