"""Pairs of sample rates, and the errors of a resampler between them."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
from scipy import signal

from asc_tiny.frontend import reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.resample import fixed
from asc_tiny.resample.design import FRACTION_BITS, Resampler

NANO_RATE = Fraction(125_000, 3)

RATES = {
    "41667 to 44100": (NANO_RATE, 44100),
    "48000 to 44100": (Fraction(48000), 44100),
    "48000 to 16000": (Fraction(48000), 16000),
    "20000 to 16000": (Fraction(20000), 16000),
    "16000 to 44100": (Fraction(16000), 44100),
    "16000 to 32000": (Fraction(16000), 32000),
    "41667 to 16000": (NANO_RATE, 16000),
}


def rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


def response(resampler: Resampler) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies as a share of the lower rate, and gains in dB, of the coefficients as stored."""
    filter_ = resampler.coefficients[:, ::-1].T.ravel() / 2.0**FRACTION_BITS / resampler.up
    length = 1 << 19
    lower = min(1.0, resampler.up / resampler.down)
    share = np.arange(length // 2 + 1) / length * resampler.up / lower
    return share, 20.0 * np.log10(np.abs(np.fft.rfft(filter_, length)) + 1e-12)


def ideal(pcm: np.ndarray, resampler: Resampler) -> np.ndarray:
    """The same by SciPy in float64 with a filter of its own, four times as steep, delay aligned."""
    up, down = resampler.up, resampler.down
    largest = max(up, down)
    filter_ = signal.firwin(2 * 128 * largest + 1, 1.0 / largest, window=("kaiser", 12.0))
    delayed = np.concatenate([np.zeros(resampler.delay), pcm.astype(float)])
    return signal.resample_poly(delayed, up, down, window=filter_)


def recorded(pcm: np.ndarray, resampler: Resampler) -> np.ndarray:
    """Return what a microphone of the resampler's rate gives for a clip, padded by its delay."""
    ratio = (resampler.source_rate / resampler.target_rate).limit_denominator(2000)
    steep = max(ratio.numerator, ratio.denominator)
    filter_ = signal.firwin(2 * 128 * steep + 1, 1.0 / steep, window=("kaiser", 12.0))
    padded = np.concatenate([pcm.astype(float), np.zeros(4 * resampler.taps)])
    up, down = ratio.numerator, ratio.denominator
    return rounded(signal.resample_poly(padded, up, down, window=filter_))


def log_mel_errors(
    clip: np.ndarray, resampler: Resampler, config: FrontEndConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the errors of the resampler and of rounding alone in dB, and the level in dBFS.

    Each of shape (n_mels, frames); against the same resampled in float64 and not rounded.
    """
    source = recorded(clip, resampler)
    best = ideal(source, resampler)[: config.clip_samples]
    mine = fixed.resample(source, resampler)[: config.clip_samples]
    # Finer than 16 bits: what was not rounded would be of no use otherwise.
    fine = dataclasses.replace(config, sample_bits=24)
    values, rounding, wanted = (
        10.0
        * np.log10(
            reference.band_power(np.rint(each * 65536.0).astype(np.int32), fine) + config.log_floor
        )
        for each in (mine, rounded(best), best)
    )
    return values - wanted, rounding - wanted, wanted - 20.0 * np.log10(config.n_fft / 4)


def worst_case(resampler: Resampler) -> np.ndarray:
    """The full-scale signs that make the largest sum of each phase, with either sign."""
    parts = []
    for row in resampler.coefficients:
        signs = np.where(row < 0, -32768, 32767)
        parts += [signs, np.where(row < 0, 32767, -32768)]
    return np.concatenate(parts).astype(np.int16)
