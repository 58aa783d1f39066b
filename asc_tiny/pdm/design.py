"""Designs the decimator of a PDM microphone: bits of a sigma-delta modulator to 16-bit samples.

Four filters follow each other. A cascaded integrator-comb filter (CIC; Hogenauer, An economical
class of digital filters for decimation and interpolation, IEEE Trans. ASSP 29, 1981) leaves 4 times
the sample rate, two half-band filters leave the sample rate, and a filter of 5 taps there lifts
what the CIC filter has attenuated towards the end of the pass band.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asc_tiny.util.errors import AscError

CIC_ORDER = 4
"""Number of integrators, and of combs."""

HALVINGS = 4
"""Samples of the CIC filter for each that comes out: two half-band filters halve the rate twice."""

BITS_MULTIPLE = 8 * HALVINGS
"""Bits per sample are a multiple of this: the CIC filter takes whole bytes."""

MOST_BITS = 192 * HALVINGS
"""Most bits per sample: the largest sum of the CIC filter then fits int32."""

HIGHEST_CLOCK = 3_250_000
"""Highest clock in Hz of usual microphones (MP34DT05, MP34DT01, SPH0641LU4H in their normal
modes)."""

PASS_EDGE = 0.45
"""The pass band ends here, as a share of the sample rate; the stop band begins at 1 minus this."""

ATTENUATION_DB = 82.0
"""Attenuation of the half-band filters, by Kaiser's formula."""

FULL_SCALE_BITS = 22
"""Between the filters a microphone's full scale is at most 2 to the power of this."""

COEFFICIENT_BITS = 18
"""Number of fraction bits of a half-band filter's coefficient."""

CORRECTION_BITS = 16
"""Number of fraction bits of a coefficient of the filter that corrects the pass band."""

SPLIT_BITS = 12
"""The C code multiplies the upper part and so many lower bits of a value one after the other, so
that products of 32 bits are enough."""

Float64Array = NDArray[np.float64]
Int32Array = NDArray[np.int32]


@dataclass(frozen=True)
class Decimator:
    """Makes a sample of so many bits of a microphone.

    Attributes:
        bits: bits of the microphone for each sample, a multiple of ``BITS_MULTIPLE``.

    Raises:
        AscError: the number of bits is not allowed.
    """

    bits: int

    def __post_init__(self) -> None:
        if not BITS_MULTIPLE <= self.bits <= MOST_BITS or self.bits % BITS_MULTIPLE:
            raise AscError(
                f"PDM decimator: {self.bits} bits per sample, a multiple of {BITS_MULTIPLE} up to "
                f"{MOST_BITS} is allowed"
            )

    @property
    def cic_bits(self) -> int:
        """Bits of the microphone for each sample of the CIC filter."""
        return self.bits // HALVINGS

    @property
    def cic_gain(self) -> int:
        """What the CIC filter makes of full scale."""
        return int(self.cic_bits**CIC_ORDER)

    @property
    def cic_shift(self) -> int:
        """Bits by which its samples are shifted to the left (right, if negative)."""
        return FULL_SCALE_BITS - (self.cic_gain - 1).bit_length()

    @property
    def delay(self) -> float:
        """Delay in samples of what comes out."""
        cic = CIC_ORDER * (self.cic_bits - 1) / 2 / self.bits
        return cic + FIRST_TAPS // 2 / HALVINGS + SECOND_TAPS // 2 / 2 + 2

    @cached_property
    def correction(self) -> Int32Array:
        """Outer, inner and middle coefficient of the last filter, shape (3,).

        They make the gain 1 at three frequencies of the pass band, its ends among them; and full
        scale, whatever the CIC filter's gain.
        """
        frequencies = np.array([0.0, 0.31, PASS_EDGE])
        angles = 2.0 * np.pi * frequencies
        cosines = np.stack([2.0 * np.cos(2.0 * angles), 2.0 * np.cos(angles), 1.0 + 0.0 * angles])
        scale = 2.0**FULL_SCALE_BITS / (self.cic_gain * 2.0**self.cic_shift)
        wanted = scale / np.abs(self._response_before(frequencies))
        found = np.rint(np.linalg.solve(cosines.T, wanted) * 2.0**CORRECTION_BITS)
        assert _sums_fit(found, _LARGEST_CORRECTED)
        return np.asarray(found, np.int32)

    def response(self, frequencies: Float64Array) -> Float64Array:
        """Return the gain of the coefficients as stored, any shape, 1 for full scale.

        Args:
            frequencies: as a share of the sample rate, from 0 to half of ``bits``.
        """
        outer, inner, middle = self.correction / 2.0**CORRECTION_BITS
        angles = 2.0 * np.pi * frequencies
        last = middle + 2.0 * inner * np.cos(angles) + 2.0 * outer * np.cos(2.0 * angles)
        scale = self.cic_gain * 2.0**self.cic_shift / 2.0**FULL_SCALE_BITS
        return np.asarray(np.abs(self._response_before(frequencies) * last * scale), np.float64)

    def _response_before(self, frequencies: Float64Array) -> Float64Array:
        """Return the gain of all filters but the last, the CIC filter's 1 at frequency 0."""
        angles = np.pi * frequencies / self.bits
        sines = self.cic_bits * np.sin(angles)
        # At whole multiples of the clock both sines are 0, and the gain is 1.
        ratio = np.divide(
            np.sin(self.cic_bits * angles), sines, out=np.ones_like(angles), where=sines != 0.0
        )
        first = _half_band_gain(FIRST_COEFFICIENTS, 2.0 * np.pi * frequencies / HALVINGS)
        second = _half_band_gain(SECOND_COEFFICIENTS, np.pi * frequencies)
        return np.asarray(ratio**CIC_ORDER * first * second, np.float64)


def bits_per_sample(sample_rate: int, highest_clock: int = HIGHEST_CLOCK) -> int:
    """Return the bits per sample that make a microphone's clock the fastest that it takes.

    Args:
        sample_rate: samples per second that come out.
        highest_clock: the microphone's highest clock in Hz.

    Raises:
        AscError: the clock is too slow for the sample rate.
    """
    multiple = min(highest_clock // sample_rate, MOST_BITS) // BITS_MULTIPLE
    if multiple < 1:
        raise AscError(
            f"PDM decimator: {sample_rate} Hz from a clock of {highest_clock} Hz, at most "
            f"{highest_clock // BITS_MULTIPLE} Hz is allowed"
        )
    return multiple * BITS_MULTIPLE


def _half_band(taps: int) -> Int32Array:
    """Return every second coefficient of a half-band filter up to its middle, the oldest first.

    A Kaiser-windowed sinc (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.6). Of the
    others the one in the middle is a half, and all else is 0. The sum is exactly 1.

    Args:
        taps: odd number of taps, 3 more than a multiple of 4.
    """
    n = np.arange(-(taps // 2), 0, 2)
    beta = 0.1102 * (ATTENUATION_DB - 8.7)
    window = np.kaiser(taps, beta)[: taps // 2 + 1 : 2]
    half = np.sinc(n / 2.0) * window
    coefficients = np.rint(half / half.sum() * 2.0 ** (COEFFICIENT_BITS - 2))
    coefficients[-1] += 2.0 ** (COEFFICIENT_BITS - 2) - coefficients.sum()
    return np.asarray(coefficients, np.int32)


def _half_band_gain(coefficients: Int32Array, angles: Float64Array) -> Float64Array:
    """Return the gain of a half-band filter at angles in radians per sample that it takes."""
    distances = np.arange(2 * len(coefficients) - 1, 0, -2)
    cosines = np.cos(np.multiply.outer(angles, distances))
    return np.asarray(0.5 + 2.0 * cosines @ (coefficients / 2.0**COEFFICIENT_BITS), np.float64)


def _largest(coefficients: Int32Array, largest: float) -> float:
    """Return the largest value that a half-band filter makes of values up to ``largest``."""
    gain = 0.5 + 2.0 * float(np.abs(coefficients).sum()) / 2.0**COEFFICIENT_BITS
    return gain * largest + 1.0


def _sums_fit(coefficients: NDArray[np.generic], largest: float) -> bool:
    """Return whether both sums of the C code fit int32, of pairs of values up to ``largest``."""
    total = float(np.abs(coefficients).sum())
    middle = largest * 2.0 ** (COEFFICIENT_BITS - 1 - SPLIT_BITS)
    upper = total * (2.0 * largest / 2.0**SPLIT_BITS + 1.0) + middle
    lower = total * 2.0**SPLIT_BITS + 2.0 ** (CORRECTION_BITS + FULL_SCALE_BITS - 16)
    return max(upper, lower) < 2.0**31


FIRST_TAPS = 19
SECOND_TAPS = 107
FIRST_COEFFICIENTS = _half_band(FIRST_TAPS)
SECOND_COEFFICIENTS = _half_band(SECOND_TAPS)

_LARGEST_HALVED = _largest(FIRST_COEFFICIENTS, 2.0**FULL_SCALE_BITS)
_LARGEST_CORRECTED = _largest(SECOND_COEFFICIENTS, _LARGEST_HALVED)
assert _sums_fit(FIRST_COEFFICIENTS, 2.0**FULL_SCALE_BITS)
assert _sums_fit(SECOND_COEFFICIENTS, _LARGEST_HALVED)
