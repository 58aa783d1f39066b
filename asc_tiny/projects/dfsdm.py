"""Settings of an STM32's DFSDM, which filters a PDM microphone's bits to samples."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

ORDER = 3
"""Order of the sinc filter."""

_SAMPLE_BITS = 16
_REGISTER_BITS = 24
_PLL_INPUT_HZ = 4_000_000


@dataclass(frozen=True)
class Dfsdm:
    """How a rate comes about: PLL of the SAI, divider of the microphone's clock, oversampling.

    Attributes:
        pll_n, pll_p: factor and divisor of PLLSAI1, whose input is the 4 MHz of the MSI after
            reset.
        divider: divisor from the audio clock to the microphone's.
        oversampling: bits of the microphone for one sample of the filter, a power of two.
    """

    pll_n: int
    pll_p: int
    divider: int
    oversampling: int

    @property
    def audio_clock(self) -> Fraction:
        """Clock of the DFSDM in Hz."""
        return Fraction(_PLL_INPUT_HZ * self.pll_n, self.pll_p)

    @property
    def microphone_clock(self) -> Fraction:
        """Clock of the microphone in Hz."""
        return self.audio_clock / self.divider

    @property
    def rate(self) -> Fraction:
        """Samples per second."""
        return self.microphone_clock / self.oversampling

    @property
    def gain_bits(self) -> int:
        """The filter's largest magnitude is two to this power."""
        return ORDER * (self.oversampling.bit_length() - 1)

    @property
    def hardware_shift(self) -> int:
        """Bits that the channel must shift out for the register to hold the result."""
        return max(0, self.gain_bits - (_REGISTER_BITS - 1))

    @property
    def software_shift(self) -> int:
        """Bits that remain to be shifted out of the register's value for 16-bit samples."""
        return self.gain_bits - self.hardware_shift - (_SAMPLE_BITS - 1)


def _settings() -> dict[int, Dfsdm]:
    # 4 MHz * 48 / 17 = 11.294 MHz, 4 MHz * 86 / 7 = 49.143 MHz.
    settings = {44100 // by: Dfsdm(48, 17, 4, 64 * by) for by in (1, 2, 4)}
    settings.update({32000 // by: Dfsdm(86, 7, 24, 64 * by) for by in (1, 2, 4)})
    return {**settings, 48000: Dfsdm(86, 7, 16, 64)}


_SETTINGS = _settings()
"""Settings by their nominal rate in Hz."""


def nearest(rate: Fraction) -> Dfsdm:
    """Return the settings for the nominal rate next to ``rate``, in Hz."""
    return _SETTINGS[min(_SETTINGS, key=lambda nominal: abs(nominal - rate))]
