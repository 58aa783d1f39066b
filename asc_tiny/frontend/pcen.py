"""Per-channel energy normalisation (PCEN) in float64, instead of the logarithm of mel bands.

Wang, Getreuer, Hughes, Lyon and Saurous, "Trainable frontend for robust and far-field keyword
spotting" (ICASSP 2017, arXiv 1607.05666), equations 1 and 2: a band's energy E[t] is divided by a
power of its own past,

    M[t] = (1 - s) M[t - 1] + s E[t]
    PCEN[t] = (E[t] / (eps + M[t]) ** gain + bias) ** power - bias ** power

At the start of a clip or of a stream nothing is known of the past: M is the first frame's energy,
as in LEAF (Zeghidour et al., "LEAF: A learnable frontend for audio classification", ICLR 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from asc_tiny.frontend.arrays import Float64Array

MOST_HOPS = 10_000
"""Hops of the longest time constant, which the integer smoother follows within 0.001 %."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What PCEN is computed with.

    Attributes:
        smoothing: weight s of a frame's energy in the smoothed one, above 0 and below 1.
        gain: exponent of the smoothed energy, 0 to 1.
        bias: summand before the root, above 0.
        power: exponent of the root, above 0, at most 1.
        eps: summand of the smoothed energy, above 0, for samples scaled to +-1.
    """

    smoothing: float
    gain: float
    bias: float
    power: float
    eps: float

    def largest(self, energy: float) -> float:
        """Return the largest value before the root, for bands of up to ``energy``.

        That is a burst after silence: the smoothed energy is s times a frame's at least.
        """
        smoothed = self.eps + self.smoothing * energy
        return float(self.bias + energy / smoothed**self.gain)


def smoothing(time_constant: float, sample_rate: int, hop: int) -> float:
    """Return the weight of a new frame for a time constant in seconds, as librosa has it.

    It is the solution of s^2 T^2 + s - 1 = 0, with T hops in the time constant: the bandwidth of
    the smoother is then that of an exponential decay.
    """
    hops = time_constant * sample_rate / hop
    return (math.sqrt(1.0 + 4.0 * hops * hops) - 1.0) / (2.0 * hops * hops)


def compressed(bands: Float64Array, to: Parameters) -> Float64Array:
    """Return PCEN of a clip.

    Args:
        bands: energy of mel bands for samples scaled to +-1, shape (n_mels, frames).
        to: what it is computed with.

    Returns:
        Values of 0 or more, shape (n_mels, frames).
    """
    from scipy.signal import lfilter

    before = (1.0 - to.smoothing) * bands[:, :1]
    smoothed, _ = lfilter([to.smoothing], [1.0, to.smoothing - 1.0], bands, zi=before)
    normalized = bands / np.power(to.eps + smoothed, to.gain)
    return np.asarray(np.power(normalized + to.bias, to.power) - to.bias**to.power)
