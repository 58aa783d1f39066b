"""Float64 reference of the front end: the definition that every other implementation is held to."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from asc_tiny.frontend import pcen
from asc_tiny.frontend.arrays import Float64Array, Int8Array, Samples
from asc_tiny.frontend.config import (
    DELTA_REACH,
    LOGS,
    FrontEndConfig,
    Normalization,
    Quantization,
)
from asc_tiny.util.errors import AscError

# Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz, then 27 steps per factor of 6.4.


def window(config: FrontEndConfig) -> Float64Array:
    """Return the periodic Hann window, shape (frame_length,)."""
    length = config.frame_length
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)


def frame(pcm: Samples, config: FrontEndConfig) -> Samples:
    """Cut a clip into frames; centred ones reach beyond its ends, where all is zero.

    Args:
        pcm: shape (clip_samples,).
        config: the front end.

    Returns:
        Shape (frames, frame_length), dtype as given; frames that overlap share memory, so they are
        read-only.

    Raises:
        AscError: there are fewer samples than a clip has, or they are of another type.
    """
    if pcm.dtype != config.sample_type:
        wanted = np.dtype(config.sample_type)
        raise AscError(
            f"front end: {pcm.dtype} samples, sample_bits = {config.sample_bits} needs {wanted}"
        )
    if len(pcm) < config.clip_samples:
        raise AscError(f"front end: {len(pcm)} samples, a clip has {config.clip_samples}")
    lead, step = config.lead, pcm.dtype.itemsize
    padded = np.zeros(lead + len(pcm) + config.frame_length, pcm.dtype)
    padded[lead : lead + len(pcm)] = pcm
    # The last frame ends within the zeros; sliding_window_view would take twice the time.
    shape, strides = (config.frames, config.frame_length), (config.hop * step, step)
    return as_strided(padded, shape, strides, writeable=False)


def band_power(pcm: Samples, config: FrontEndConfig) -> Float64Array:
    """Return the mel bands of a clip for samples scaled to +-1, shape (n_mels, frames).

    They are sums of powers or, with ``spectrum = "magnitude"``, of magnitudes.
    """
    sample_window, weights = _constants(config)
    windowed = frame(pcm, config) * sample_window
    parts = np.fft.rfft(windowed, config.n_fft, axis=1).view(np.float64)
    np.square(parts, out=parts)
    power = parts[:, 0::2] + parts[:, 1::2]
    if config.spectrum == "magnitude":
        np.sqrt(power, out=power)
    return np.asarray(weights @ power.T)


@lru_cache(maxsize=16)
def _constants(config: FrontEndConfig) -> tuple[Float64Array, Any]:
    """Return the window that also scales samples to +-1, and the filters as a sparse matrix.

    A bin lies in two bands at most, and building the filters takes longer than a clip does.
    """
    from scipy.sparse import csr_array

    full_scale = -float(np.iinfo(config.sample_type).min)
    return window(config) / full_scale, csr_array(config.mel_weights)


def log_mel(pcm: Samples, config: FrontEndConfig) -> Float64Array:
    """Return the logarithm of a clip's band power and floor, shape (n_mels, frames)."""
    power = band_power(pcm, config)
    if config.floor == "add":
        power += config.log_floor
    else:
        np.maximum(power, config.log_floor, out=power)
    x = np.log(power)
    x /= LOGS[config.log]
    return x


def values(pcm: Samples, config: FrontEndConfig) -> Float64Array:
    """Return the logarithm or PCEN of a clip's mel bands, shape (n_mels, frames)."""
    if config.pcen is None:
        return log_mel(pcm, config)
    return pcen.compressed(band_power(pcm, config), config.pcen)


def normalized(x: Float64Array, normalization: Normalization | None) -> Float64Array:
    """Return log-mel values, shape (..., n_mels, frames), less each band's mean, by its scale."""
    if normalization is None:
        return x
    means, scales = np.array(normalization.means), np.array(normalization.scales)
    return np.asarray((x - means[:, None]) / scales[:, None])


def denormalized(x: Float64Array, normalization: Normalization | None) -> Float64Array:
    """Return what ``normalized`` gives ``x`` for."""
    if normalization is None:
        return x
    means, scales = np.array(normalization.means), np.array(normalization.scales)
    return np.asarray(x * scales[:, None] + means[:, None])


def delta(values: Float64Array) -> Float64Array:
    """Return d[t] = (x[t+1] - x[t-1]) / 10 + (x[t+2] - x[t-2]) / 5 along the last axis, no padding.

    Shape (..., frames) gives (..., frames - 4).
    """
    near = values[..., 3:-1] - values[..., 1:-3]
    near *= 0.1
    far = values[..., 4:] - values[..., :-4]
    far *= 0.2
    near += far
    return near


def features(pcm: Samples, config: FrontEndConfig) -> Float64Array:
    """Return a clip's features before quantisation.

    Args:
        pcm: samples of the front end's type, shape (clip_samples,).
        config: the front end.

    Returns:
        Shape (n_mels, columns, channels): log-mel or PCEN (normalised if the front end says so),
        first delta, second delta.
    """
    x = normalized(values(pcm, config), config.normalization)
    if not config.deltas:
        return x[:, :, None]
    d = delta(x)
    dd = delta(d)
    reach = DELTA_REACH
    return np.stack([x[:, reach:-reach], d[:, reach // 2 : -(reach // 2)], dd], axis=-1)


def quantize(values: Float64Array, quantization: Quantization) -> Int8Array:
    """Return int8 codes of ``values``: rounded to nearest, halves up, saturated."""
    return rounded_codes(values.copy(), quantization).astype(np.int8)


def rounded_codes(values: Float64Array, quantization: Quantization) -> Float64Array:
    """Turn ``values`` into their int8 codes as ``quantize`` does, in their own memory."""
    values /= quantization.scale
    values += quantization.zero_point
    values += 0.5
    np.floor(values, out=values)
    return np.clip(values, -128, 127, out=values)
