"""Clocks of an STM32's SAI, which reads an I2S microphone as the master of its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

FRAME_CLOCKS = 256
"""Master clocks of a frame: with NODIV = 0 the word select is the master clock over 256."""


@dataclass(frozen=True)
class _Tree:
    """How a line of chips makes the SAI's clock.

    Attributes:
        input_hz: clock in Hz that the PLL multiplies.
        factors: what the PLL may multiply by, such that its oscillator runs in its range.
        divisors: what the PLL's output may be divided by.
        dividers: what a second divider may divide that by.
        master_dividers: what the SAI itself may divide by; each is given to the HAL as a value
            that ``master_values`` has at the same place.
        master_values: values of ``Init.Mckdiv``.
    """

    input_hz: int
    factors: Sequence[int]
    divisors: Sequence[int]
    dividers: Sequence[int] = (1,)
    master_dividers: Sequence[int] = (1,)
    master_values: Sequence[int] = (0,)


_EVEN = (1, *range(2, 31, 2))

_TREES = {
    # RM0351: PLLSAI1 on the MSI of 4 MHz, oscillator of 64 to 344 MHz, PLLSAI1PDIV of 2 to 31,
    # MCKDIV of 0 (undivided) to 15 (by twice as much).
    "l4": _Tree(4_000_000, range(16, 87), range(2, 32), (1,), _EVEN, range(16)),
    # RM0385: PLLI2S on 1 MHz, oscillator of 100 to 432 MHz, PLLI2SQ, PLLI2SDIVQ.
    "f7": _Tree(1_000_000, range(100, 433), range(2, 16), range(1, 33)),
    # RM0433: PLL2 on 2 MHz, oscillator of 192 to 836 MHz, PLL2P.
    "h7": _Tree(2_000_000, range(96, 419), range(1, 129)),
}


@dataclass(frozen=True)
class Sai:
    """How a rate comes about: the audio PLL, its dividers and the SAI's own.

    Attributes:
        input_hz: clock in Hz that the PLL multiplies.
        pll_n: factor of the PLL.
        pll_p: divisor of the PLL's output.
        divider: divisor behind it.
        master_divider: divisor of the SAI.
        master_value: the same as the HAL takes it, ``Init.Mckdiv``.
    """

    input_hz: int
    pll_n: int
    pll_p: int
    divider: int
    master_divider: int
    master_value: int

    @property
    def audio_clock(self) -> Fraction:
        """Clock of the SAI in Hz."""
        return Fraction(self.input_hz * self.pll_n, self.pll_p * self.divider)

    @property
    def rate(self) -> Fraction:
        """Samples per second."""
        return self.audio_clock / (self.master_divider * FRAME_CLOCKS)


def nearest(family: str, rate: Fraction) -> Sai:
    """Return the settings of a line of chips, ``l4``, ``f7`` or ``h7``, next to a rate in Hz."""
    return min(_settings(_TREES[family], rate), key=lambda each: abs(each.rate - rate))


def _settings(tree: _Tree, rate: Fraction) -> Iterator[Sai]:
    """Yield for each choice of divisors the factor that comes next to the rate."""
    for place, master in enumerate(tree.master_dividers):
        for divider in tree.dividers:
            for divisor in tree.divisors:
                product = divisor * divider * master
                factor = round(rate * FRAME_CLOCKS * product / tree.input_hz)
                if factor in tree.factors:
                    value = tree.master_values[place]
                    yield Sai(tree.input_hz, factor, divisor, divider, master, value)
