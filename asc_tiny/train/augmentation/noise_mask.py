"""Mask-based method against noise of Bing et al. (DCASE2023 Task 1), in our reading.

The report says in section 2.3.2: a mask comes from comparing the features of clean audio with the
noise-added ones, the network is trained on noise-added data with the mask "as the label". It names
neither the noise nor how this label and the scene's go together. Here noise joins each training
clip at a random ratio, and while training the network has a second head that predicts, over time
and frequency, which share of the power is the clip's: the ideal ratio mask of Wang, Narayanan and
Wang, "On Training Targets for Supervised Speech Separation" (2014), with exponent 1. The head is
not exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend.config import DELTA_REACH, FrontEndConfig
from asc_tiny.frontend.reference import band_power, delta, denormalized, normalized
from asc_tiny.util.errors import AscError

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


class Noise:
    """White and pink noise in the mel power domain.

    A band's power is the weighted sum of independent bins with exponential power each, taken as
    a gamma distribution of the same mean and variance. Bands and frames are drawn independently:
    what the window and overlapping triangles and frames have in common is left out.

    Args:
        config: the front end of the features.
        snr_db: lowest and highest ratio of a clip's power, summed over all its bands and
            frames, to the noise's expected one.
    """

    def __init__(self, config: FrontEndConfig, snr_db: Sequence[float]) -> None:
        self._low, self._high = snr_db
        self._normalization = config.normalization
        weights = config.mel_weights
        bins = np.maximum(np.arange(weights.shape[1]), 1.0)
        colored = np.stack([weights, weights / bins])
        self._power = colored.sum(axis=2)
        squares = np.square(colored).sum(axis=2)
        self._freedom = np.square(self._power) / np.where(squares > 0.0, squares, 1.0)

    def __call__(self, x: Float32Array, rng: np.random.Generator) -> Float32Array:
        """Add noise to clips.

        Args:
            x: features of whole clips, shape (clips, n_mels, columns, channels).
            rng: source of colour, ratio and noise.

        Returns:
            Shape (clips, n_mels, columns, channels + 1): noisy features, and as the last channel
            the clip's share of the power, 0 to 1.
        """
        clean = np.exp(denormalized(log_mel_frames(x), self._normalization))
        noise = self._draw(clean, rng)
        noisy = normalized(np.log(clean + noise), self._normalization)
        ratio = clean / (clean + noise)
        if x.shape[-1] == 1:
            channels = [noisy, ratio]
        else:
            reach, half = DELTA_REACH, DELTA_REACH // 2
            first = delta(noisy)
            inner = [noisy[..., reach:-reach], first[..., half:-half], delta(first)]
            channels = [*inner, ratio[..., reach:-reach]]
        return np.stack(channels, axis=-1).astype(np.float32)

    def _draw(self, clean: Float64Array, rng: np.random.Generator) -> Float64Array:
        """Return noise power for clips' band powers, shape (clips, n_mels, frames)."""
        count, _, frames = clean.shape
        color = rng.integers(0, len(self._power), count)
        snr = 10.0 ** (rng.uniform(self._low, self._high, count) / 10.0)
        freedom, power = self._freedom[color], self._power[color]
        level = clean.sum(axis=(1, 2)) / (snr * power.sum(axis=1) * frames)
        unit = rng.gamma(freedom[:, :, None], size=clean.shape)
        mean = np.where(freedom > 0.0, power / np.where(freedom > 0.0, freedom, 1.0), 0.0)
        return np.asarray(level[:, None, None] * mean[:, :, None] * unit)


class RecordedNoise(Noise):
    """Noise of recordings, each clip's from a random place in one of them.

    The powers of clip and noise add up in each band, as they do on the mean where neither knows of
    the other.

    Args:
        config: the front end of the features.
        snr_db: lowest and highest ratio of a clip's power to the noise's.
        paths: recordings of any sample rate; short ones repeat.

    Raises:
        AscError: one cannot be read or is silent.
    """

    def __init__(
        self, config: FrontEndConfig, snr_db: Sequence[float], paths: Sequence[Path]
    ) -> None:
        super().__init__(config, snr_db)
        self._recordings = [_recorded_power(path, config) for path in paths]

    def _draw(self, clean: Float64Array, rng: np.random.Generator) -> Float64Array:
        """Return noise power for clips' band powers, shape (clips, n_mels, frames)."""
        count, _, frames = clean.shape
        snr = 10.0 ** (rng.uniform(self._low, self._high, count) / 10.0)
        noise = np.stack([self._part(frames, rng) for _ in range(count)])
        found = noise.sum(axis=(1, 2))
        level = clean.sum(axis=(1, 2)) / (snr * np.where(found > 0.0, found, 1.0))
        return np.asarray(noise * level[:, None, None])

    def _part(self, frames: int, rng: np.random.Generator) -> Float64Array:
        power = self._recordings[rng.integers(len(self._recordings))]
        places = np.arange(frames) + rng.integers(power.shape[1])
        return power.take(places, axis=1, mode="wrap").astype(np.float64)


def _recorded_power(path: Path, config: FrontEndConfig) -> Float32Array:
    """Return the band power of a recording clip by clip, shape (n_mels, frames of all clips)."""
    pcm = read_pcm(path, config.sample_rate, bits=config.sample_bits, resample=True)
    if not pcm.any():
        raise AscError(f"{path}: is silent")
    clips = max(len(pcm) // config.clip_samples, 1)
    parts = np.resize(pcm, (clips, config.clip_samples))
    powers = [band_power(part, config) for part in parts]
    return np.concatenate(powers, axis=1).astype(np.float32)


def log_mel_frames(x: Float32Array) -> Float64Array:
    """Return the log-mel of all frames of clips, also those beyond the first and last column.

    Columns leave out the ``DELTA_REACH`` frames at each end, but the deltas of the outermost
    columns tell them: d[t] = (x[t+1] - x[t-1]) / 10 + (x[t+2] - x[t-2]) / 5 is solved for x[t+2].

    Args:
        x: features of whole clips, shape (clips, n_mels, columns, channels); 5 columns or more.

    Returns:
        Shape (clips, n_mels, columns + 2 * DELTA_REACH), or (clips, n_mels, columns) without
        deltas.
    """
    values, *deltas = np.moveaxis(x.astype(np.float64), -1, 0)
    if not deltas:
        return np.asarray(values)
    first, second = deltas
    # Backwards in time the first delta changes its sign and the second keeps it.
    after = _following(values, first, second)
    before = _following(values[..., ::-1], -first[..., ::-1], second[..., ::-1])
    return np.concatenate([before[..., ::-1], values, after], axis=-1)


def _following(values: Float64Array, first: Float64Array, second: Float64Array) -> Float64Array:
    first = _solved(first, second, DELTA_REACH // 2)
    return _solved(values, first, DELTA_REACH)[..., values.shape[-1] :]


def _solved(values: Float64Array, slope: Float64Array, count: int) -> Float64Array:
    """Return ``values``, whose delta is ``slope``, with ``count`` more along the last axis."""
    columns = [values[..., t] for t in range(values.shape[-1])]
    for t in range(values.shape[-1] - 2, values.shape[-1] - 2 + count):
        near = (columns[t + 1] - columns[t - 1]) / 10.0
        columns.append(5.0 * (slope[..., t] - near) + columns[t - 2])
    return np.stack(columns, axis=-1)


def with_head(network: keras.Model) -> keras.Model:
    """Return a model with two outputs: the network's scores and its noise mask.

    The head is a 1x1 convolution with sigmoid on the last feature map that still has half of the
    input's mel bands: MobileNet's joined bands, Mini-SegNet's decoder. All layers are shared
    with ``network``.
    """
    rows = network.input_shape[1] / 2.0
    maps = [layer.output for layer in network.layers[1:] if len(layer.output.shape) == 4]
    (*_, last) = (tensor for tensor in maps if tensor.shape[1] >= rows)
    mask = keras.layers.Conv2D(1, 1, activation="sigmoid", name="noise_mask")(last)
    return keras.Model(network.input, [network.output, mask])


def loss(ratio: Any, mask: Any) -> Any:
    """Return the binary cross-entropy of each clip's mask, averaged over it, shape (clips,).

    Args:
        ratio: the clip's share of the power, shape (clips, n_mels, columns).
        mask: as the head gives it, shape (clips, rows, columns, 1); the ratio is averaged over
            the area of each of its points.
    """
    target = tf.image.resize(ratio[..., None], mask.shape[1:3], method="area")
    return tf.reduce_mean(keras.losses.binary_crossentropy(target, mask), axis=(1, 2))
