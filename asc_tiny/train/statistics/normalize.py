"""Mean and deviation of each mel band over the training clips, for a normalised front end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip
from asc_tiny.features import cache
from asc_tiny.features.cache import FeatureSet
from asc_tiny.train.recipe import Recipe

Float64Array = NDArray[np.float64]

_SMALLEST = 0.1
"""Least scale of a band beside the largest: one that hardly varies must not set the range."""

_BATCH = 128


def with_band_statistics(recipe: Recipe, clips: Sequence[Clip], folder: Path | None) -> Recipe:
    """Return a recipe whose front end is normalised as ``normalize_bands`` asks, if it does.

    Args:
        recipe: recipe as it was read.
        clips: clips to train on, at least one.
        folder: folder of the cached features; None for the user's.

    Raises:
        AscError: a clip cannot be read or does not have the front end's length.
    """
    if not recipe.normalize_bands:
        return recipe
    means, scales = band_statistics(
        cache.load(clips, recipe.frontend, storage=recipe.feature_storage, folder=folder)
    )
    frontend = recipe.frontend.normalized(_short(means), _short(scales))
    return dataclasses.replace(recipe, frontend=frontend)


def band_statistics(features: FeatureSet) -> tuple[Float64Array, Float64Array]:
    """Return mean and scale of each band's log-mel, shape (n_mels,) each.

    The scale is the standard deviation, but at least a tenth of the largest one.

    Args:
        features: features of the training clips, not normalised.
    """
    count = features.shape[0] * features.shape[2]
    zero = np.zeros(features.shape[1])
    mean = sum((_band_sums(some) for some in _log_mels(features)), zero) / count
    squares = (_band_sums(np.square(some - mean[:, None])) for some in _log_mels(features))
    deviation = np.sqrt(sum(squares, zero) / count)
    largest = float(deviation.max())
    return mean, np.maximum(deviation, _SMALLEST * largest) if largest else np.ones_like(mean)


def _log_mels(features: FeatureSet) -> Iterator[Float64Array]:
    return (some[..., 0].astype(np.float64) for some in features.batches(_BATCH))


def _band_sums(values: Float64Array) -> Float64Array:
    return np.asarray(values.sum(axis=(0, 2)))


def _short(values: Float64Array) -> list[float]:
    """Round to five digits: they are part of every model made of the run."""
    return [float(f"{value:.5g}") for value in values]
