"""Designs the resampler between a microphone's sample rate and a model's."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asc_tiny.util.errors import AscError

CLOCK_TOLERANCE = 500e-6
"""Largest relative error of a rate: at 22 kHz, half a bin of a 2,048-point transform at 44.1 kHz.
Quartz crystals are within 100e-6."""

PASS_EDGE = 0.45
"""The pass band ends here, as a share of the lower of both rates; the stop band begins at 1 minus
this, so that what folds back stays above the pass band."""

ATTENUATION_DB = 82.0
"""Least attenuation of the stop band, by Kaiser's formula, which is right within 1 dB."""

FRACTION_BITS = 30
"""Number of fraction bits of a coefficient, so that 1 fits int32."""

PRODUCT_SHIFT = 16
"""Bits that each product of a coefficient and a sample drops: what SMLAW of Arm's cores does."""

TAPS_MULTIPLE = 4
"""The C code takes so many taps at a time."""

Int32Array = NDArray[np.int32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Resampler:
    """Changes the sample rate by ``up / down``.

    Attributes:
        source_rate: samples per second of the microphone.
        target_rate: samples per second that the model takes.
        up, down: output j is computed at input time ``j * down / up``.
        taps: coefficients per output, a multiple of ``TAPS_MULTIPLE``.
    """

    source_rate: Fraction
    target_rate: int
    up: int
    down: int
    taps: int

    def __str__(self) -> str:
        error = self.clock_error * 1e6
        return (
            f"{float(self.source_rate):.0f} Hz to {self.target_rate} Hz by {self.up}/{self.down}, "
            f"clock error {error:.0f} ppm, table of {self.table_bytes} bytes"
        )

    @property
    def clock_error(self) -> float:
        """Relative error of the output's rate, positive if it is too high."""
        return float(self.source_rate * self.up / self.down / self.target_rate - 1)

    @property
    def delay(self) -> int:
        """Delay in samples of the input."""
        return self.taps // 2

    @property
    def table_bytes(self) -> int:
        """Flash that the coefficients take."""
        return 4 * self.up * self.taps

    @property
    def pass_edge(self) -> float:
        """End of the pass band in Hz."""
        return PASS_EDGE * min(float(self.source_rate), self.target_rate)

    def output_count(self, count: int) -> int:
        """Return how many samples come out for the first ``count`` samples of a stream."""
        return -(-count * self.up // self.down)

    @cached_property
    def coefficients(self) -> Int32Array:
        """Shape (up, taps), with ``FRACTION_BITS``; row p is for outputs p / up after an input.

        The last tap is for the newest sample.
        """
        phases = prototype(self.up, self.down, self.taps).reshape(self.taps, self.up).T[:, ::-1]
        phases = phases / phases.sum(axis=1, keepdims=True)
        table = np.rint(phases * 2.0**FRACTION_BITS)
        # Bounds of the C code's accumulator: a product rounded down, for each tap, and the
        # rounding of the result.
        largest = np.abs(table).sum(axis=1).max() * 2.0 ** (15 - PRODUCT_SHIFT) + self.taps
        assert largest + 2.0 ** (FRACTION_BITS - PRODUCT_SHIFT - 1) < 2.0**31
        return np.asarray(table, np.int32)


def prototype(up: int, down: int, taps: int) -> Float64Array:
    """Return the low-pass filter at ``up`` times the input's rate, shape (taps * up,), sum ``up``.

    A Kaiser-windowed sinc that cuts at half the lower rate (Oppenheim and Schafer, Discrete-Time
    Signal Processing, 7.6). Centred on taps * up / 2: the delay is a whole number of input samples.
    """
    half = taps * up // 2
    n = np.arange(1 - half, half)
    cut = min(1.0 / up, 1.0 / down)
    beta = 0.1102 * (_attenuation(up, down, taps) - 8.7)
    filter_ = np.sinc(cut * n) * np.kaiser(len(n), beta)
    return np.concatenate([[0.0], filter_ * (up / filter_.sum())])


def design(source_rate: Fraction | int, target_rate: int) -> Resampler:
    """Return the resampler with the smallest table whose clock error is tolerable.

    Raises:
        AscError: the rates are further apart than a factor of 8.
    """
    source = Fraction(source_rate)
    if not Fraction(1, 8) <= source / target_rate <= 8:
        raise AscError(
            f"resampler: {float(source):g} Hz to {target_rate} Hz, at most a factor of 8 is allowed"
        )
    up, down = _ratio(target_rate / source)
    taps = TAPS_MULTIPLE
    while _attenuation(up, down, taps) < ATTENUATION_DB:
        taps += TAPS_MULTIPLE
    return Resampler(source, target_rate, up, down, taps)


def _attenuation(up: int, down: int, taps: int) -> float:
    """Return what so many taps attenuate in dB, by Kaiser's formula for a filter's order."""
    width = (1.0 - 2.0 * PASS_EDGE) * min(1.0, up / down)  # of the input's rate
    return 7.95 + 14.36 * width * (taps - 2.0 / up)


def same_rate(one: Fraction | int, other: Fraction | int) -> bool:
    """Return whether two rates differ by no more than clocks may."""
    return abs(float(Fraction(one) / Fraction(other)) - 1.0) <= CLOCK_TOLERANCE


def _ratio(wanted: Fraction) -> tuple[int, int]:
    """Return the fraction of the smallest numerator within the clock tolerance."""
    up = 1
    while True:
        down = max(1, round(up / wanted))
        if same_rate(Fraction(up, down), wanted):
            return up, down
        up += 1
