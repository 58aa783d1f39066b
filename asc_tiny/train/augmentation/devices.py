"""Device augmentation: the colour that a microphone's impulse response gives a recording.

Convolution with a response multiplies the spectrum by its magnitude. Where that is nearly
constant over a mel band, the band's power changes by one factor: a constant added to the log-mel
channel, which the deltas do not see. This is spectrum correction (Kosmider, "Spectrum Correction:
Acoustic Scene Classification with Mismatched Recording Devices", Interspeech 2020) the other way
round. It leaves out what a response longer than a frame does in time, and ``log_floor``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio import responses
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.files import read_bytes, sha256

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_REACH = 30.0 * np.log(10.0) / 10.0
"""Gains are kept within 30 dB of a response's mean: deeper notches are the measurement's."""


def digest(source: Path | str) -> str:
    """Return a SHA-256 over the names and bytes of the files in a folder, or of the responses that
    the package makes, one of ``responses.MADE``.
    """
    if isinstance(source, str):
        some = responses.builtin(source)
        made = [(name, np.float32(samples).tobytes()) for name, samples in some]
    else:
        made = [(path.name, read_bytes(path)) for path in responses.files(source)]
    lines = [f"{name}\t{sha256(data)}\n" for name, data in made]
    return sha256("".join(lines).encode("utf-8"))


def gains(source: Path | str, config: FrontEndConfig) -> Float32Array:
    """Return the band gains of all responses in a folder, shape (responses, n_mels), in nats.

    Args:
        source: folder of responses of any sample rate, or one of ``responses.MADE``.
        config: the front end.

    Raises:
        AscError: no folder, no responses, or one that is not mono audio, or silent.
    """
    rate = config.sample_rate
    if isinstance(source, str):
        found = responses.builtin_at(rate, source)
    else:
        found = [responses.read(path, rate) for path in responses.files(source)]
    return np.stack([band_gain(*each, config) for each in found]).astype(np.float32)


def band_gain(response: Float64Array, known_hz: float, config: FrontEndConfig) -> Float64Array:
    """Return ln of a response's power gain in each mel band, shape (n_mels,), mean 0.

    The gain of a band is its triangle's mean of |H|^2. The mean over the bands is taken away:
    the level of a measured response means nothing.

    Args:
        response: impulse response at the front end's sample rate, shape (samples,), not silent.
        known_hz: frequency up to which it is known; bands that reach beyond take the gain of the
            last one that does not.
        config: the front end.
    """
    weights = config.mel_weights
    total = weights.sum(axis=1)
    # Low bands can be so narrow that no bin lies in them: they take their neighbours' gain.
    filled = np.flatnonzero((total > 0.0) & (config.mel_edges[2:] <= known_hz))
    if not len(filled):
        filled = np.flatnonzero(total)[:1]
    power = (weights @ _power_response(response, config.n_fft))[filled] / total[filled]
    smallest = np.finfo(np.float64).tiny
    level = np.interp(np.arange(len(total)), filled, np.log(np.maximum(power, smallest)))
    level = np.maximum(level, level.max() - 2.0 * _REACH)
    return np.asarray(np.clip(level - level.mean(), -_REACH, _REACH))


def recolor(
    x: Float32Array, gains: Float32Array, share: float, rng: np.random.Generator
) -> Float32Array:
    """Give a ``share`` of the clips the colour of a random response.

    Args:
        x: features, shape (clips, n_mels, columns, channels).
        gains: as ``gains`` gives them, shape (responses, n_mels), in nats.
        share: 0 to 1.
        rng: chooses clips and responses.
    """
    chosen = gains[rng.integers(0, len(gains), len(x))]
    chosen = np.where(rng.random(len(x))[:, None] < share, chosen, np.float32(0.0))
    changed = x.copy()
    changed[..., 0] += chosen[:, :, None]
    return changed


def _power_response(pcm: Float64Array, n_fft: int) -> Float64Array:
    """Return |H|^2 at the front end's bins, shape (n_fft // 2 + 1,).

    A response longer than n_fft has a finer spectrum, of which each bin takes the mean around it.
    """
    factor = -(-len(pcm) // n_fft)
    power = np.abs(np.fft.rfft(pcm, factor * n_fft)) ** 2
    half = factor // 2
    padded = np.pad(power, (half, half), mode="reflect")
    means = np.convolve(padded, np.full(2 * half + 1, 1.0 / (2 * half + 1)), mode="valid")
    return np.asarray(means[::factor])
