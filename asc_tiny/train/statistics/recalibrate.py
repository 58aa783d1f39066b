"""Batch-norm statistics for inference, from clips as the network will meet them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import keras
import numpy as np
from numpy.typing import NDArray

from asc_tiny.nets.feature_norms import SubSpectralNormalization
from asc_tiny.util import progress

Float32Array = NDArray[np.float32]

_BATCH = 64


def recalibrate(
    model: keras.Model, features: Float32Array, *, without: Collection[str] = ()
) -> None:
    """Set the moving statistics of every batch-norm to those of ``features``.

    While training, they are averaged over masked, mixed and cropped clips, which vary less than
    real ones; the network then sees shifted values at inference (Wu and Johnson, "Rethinking
    'Batch' in BatchNorm", arXiv:2105.07576, call the remedy precise batch-norm). Layers are set
    in order, so that each takes its statistics behind those already set.

    Args:
        model: a trained network; changed in place.
        features: clips without augmentation, shape (clips, n_mels, columns, channels).
        without: names of layers that keep their statistics.
    """
    norms = [(layer, _norm(layer)) for layer in model.layers if layer.name not in without]
    found = [(layer, norm) for layer, norm in norms if norm is not None]
    for layer, norm in progress.over(found, "batch-norm statistics", "layer"):
        before = keras.Model(model.input, layer.input)
        outputs = (
            before(features[i : i + _BATCH], training=False)
            for i in range(0, len(features), _BATCH)
        )
        split = norm is not layer
        mean, variance = _moments(np.asarray(layer.split(x) if split else x) for x in outputs)
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)


def _norm(layer: keras.layers.Layer) -> keras.layers.BatchNormalization | None:
    """Return the batch-norm that a layer is or has in it, None for a layer without."""
    norm = layer.norm if isinstance(layer, SubSpectralNormalization) else layer
    return norm if isinstance(norm, keras.layers.BatchNormalization) else None


def _moments(
    batches: Iterable[Float32Array],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance per channel over all clips, rows and columns."""
    count = 0
    total = squares = np.zeros((), np.float64)
    for batch in batches:
        values = batch.reshape(-1, batch.shape[-1]).astype(np.float64)
        count += len(values)
        total = total + values.sum(axis=0)
        squares = squares + np.square(values).sum(axis=0)
    mean = np.asarray(total / count)
    return mean, np.asarray(squares / count - np.square(mean))
