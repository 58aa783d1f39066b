"""The mel scales and the triangular filter bank."""

from __future__ import annotations

import numpy as np

from asc_tiny.frontend.arrays import Float64Array

_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(hz: Float64Array, scale: str) -> Float64Array:
    """Convert frequencies in Hz to mel on the ``htk`` or ``slaney`` scale."""
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    above = np.maximum(hz, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ
    return np.where(
        hz < _SLANEY_BREAK_HZ,
        hz / _SLANEY_HZ_PER_MEL,
        _SLANEY_BREAK_MEL + np.log(above) / _SLANEY_LOG_STEP,
    )


def mel_to_hz(mel: Float64Array, scale: str) -> Float64Array:
    """Convert mel on the ``htk`` or ``slaney`` scale to frequencies in Hz."""
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    return np.where(
        mel < _SLANEY_BREAK_MEL,
        mel * _SLANEY_HZ_PER_MEL,
        _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (mel - _SLANEY_BREAK_MEL)),
    )


def mel_edges(f_min: float, f_max: float, n_mels: int, scale: str) -> Float64Array:
    """Return the edges of the bands in Hz; band i rises from edge i to i + 1, falls to i + 2.

    Args:
        f_min: lowest edge of the first band, in Hz, at least 0.
        f_max: highest edge of the last band, in Hz, above ``f_min``.
        n_mels: number of bands.
        scale: ``htk`` or ``slaney``, on which the edges have equal distances.

    Returns:
        The edges, shape (n_mels + 2).
    """
    limits = hz_to_mel(np.array([f_min, f_max]), scale)
    edges = mel_to_hz(np.linspace(limits[0], limits[1], n_mels + 2), scale)
    edges[0], edges[-1] = f_min, f_max
    return edges


def mel_weights(edges: Float64Array, n_fft: int, sample_rate: int) -> Float64Array:
    """Return the triangular filters with a peak of 1, whose areas are not normalised.

    Args:
        edges: edges of the bands in Hz, as from ``mel_edges``, shape (n_mels + 2).
        n_fft: length of the Fourier transform in samples.
        sample_rate: samples per second of the audio.

    Returns:
        The weight of each bin of the transform in each band, shape (n_mels, n_fft // 2 + 1).
    """
    bins = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling))
