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

from asc_tiny.audio.clips import clip_info, read_pcm
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, sha256

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_SUFFIXES = (".wav", ".flac")
_REACH = 30.0 * np.log(10.0) / 10.0
"""Gains are kept within 30 dB of a response's mean: deeper notches are the measurement's."""


def responses(folder: Path) -> list[Path]:
    """Return the impulse responses in ``folder`` in alphabetic order.

    Raises:
        AscError: it is not a folder or has none.
    """
    if not folder.is_dir():
        raise AscError(f"{folder}: not a folder of impulse responses")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise AscError(f"{folder}: has no impulse responses, allowed: {', '.join(_SUFFIXES)}")
    return found


def digest(folder: Path) -> str:
    """Return a SHA-256 over the names and bytes of the responses in ``folder``."""
    lines = [f"{path.name}\t{sha256(read_bytes(path))}\n" for path in responses(folder)]
    return sha256("".join(lines).encode("utf-8"))


def gains(folder: Path, config: FrontEndConfig) -> Float32Array:
    """Return the band gains of all responses in a folder, shape (responses, n_mels), in nats.

    Raises:
        AscError: no folder, no responses, or one that is not audio, silent or at another rate.
    """
    return np.stack([band_gain(path, config) for path in responses(folder)]).astype(np.float32)


def band_gain(path: Path, config: FrontEndConfig) -> Float64Array:
    """Return ln of a response's power gain in each mel band, shape (n_mels,), mean 0.

    The gain of a band is its triangle's mean of |H|^2. The mean over the bands is taken away:
    the level of a measured response means nothing.

    Raises:
        AscError: not audio, silent, or at another rate than the front end's.
    """
    rate = clip_info(path).rate
    if rate != config.sample_rate:
        raise AscError(f"{path}: {rate} Hz, the front end has {config.sample_rate} Hz")
    pcm = read_pcm(path, config.sample_rate).astype(np.float64)
    if not pcm.any():
        raise AscError(f"{path}: the impulse response is silent")
    weights = config.mel_weights
    total = weights.sum(axis=1)
    # Low bands can be so narrow that no bin lies in them: they take their neighbours' gain.
    filled = np.flatnonzero(total)
    power = (weights @ _power_response(pcm, config.n_fft))[filled] / total[filled]
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
