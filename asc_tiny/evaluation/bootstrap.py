"""Confidence intervals by the bootstrap over recordings.

Clips of one recording are alike, so the recording is what another sample of the world would
replace: draws take whole recordings with replacement, and the interval is between percentiles of
the statistic over the draws (B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap,
Chapman and Hall 1993, chapters 8 and 13).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
Interval = tuple[float, float]

DRAWS = 2000
SEED = 0
LEVEL = 0.95


def draw(recordings: int, draws: int = DRAWS, seed: int = SEED) -> Int64Array:
    """Return the recordings of every draw, shape (draws, recordings), from 0 up."""
    return np.random.default_rng(seed).integers(recordings, size=(draws, recordings))


class Bootstrap:
    """Draws of the recordings of some clips; every mean over them sees the same draws.

    Args:
        identifiers: the recording of each clip.
        draws: number of draws, 1 or more.
        seed: seed of the random numbers that draw.
    """

    def __init__(self, identifiers: Sequence[str], *, draws: int = DRAWS, seed: int = SEED) -> None:
        names, self._recording = np.unique(np.array(identifiers), return_inverse=True)
        self._count = len(names)
        self._times = _counts(draw(self._count, draws, seed), self._count)

    def means(self, values: Float64Array, chosen: NDArray[np.bool_]) -> Float64Array:
        """Return the mean over the chosen clips in every draw.

        Args:
            values: one per clip.
            chosen: whether each clip counts, in the shape of ``values``.

        Returns:
            Shape (draws,), NaN in draws without any chosen clip.
        """
        recording = self._recording[chosen]
        sums = self._times @ np.bincount(recording, values[chosen], self._count)
        clips = self._times @ np.bincount(recording, minlength=self._count)
        return np.divide(sums, clips, out=np.full_like(sums, np.nan), where=clips > 0)


def interval(statistic: Float64Array) -> Interval:
    """Return the 95 % percentile interval of a statistic over the draws; NaN draws are left out."""
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.nanpercentile(statistic, [tail, 100 - tail])
    return float(low), float(high)


def paired_difference(
    first: Float64Array, second: Float64Array, identifiers: Sequence[str]
) -> Float64Array:
    """Return the difference of two recipes' mean values in every draw, second less first.

    Both see the same recordings in a draw, so that those which are hard for both cancel out; the
    trainings of each are drawn with replacement as well, each recipe's by themselves.

    Args:
        first, second: values, such as hits, of the clips in each training, shape (trainings,
            clips); the two may have other numbers of trainings.
        identifiers: the recording of each clip.

    Returns:
        Shape (``DRAWS``,).
    """
    names, recording = np.unique(np.array(identifiers), return_inverse=True)
    times = _counts(draw(len(names)), len(names))
    clips = times @ np.bincount(recording, minlength=len(names))
    means = []
    for number, values in enumerate((first, second)):
        sums = np.stack([np.bincount(recording, row, len(names)) for row in values])
        drawn = _counts(draw(len(values), seed=SEED + 1 + number), len(values))
        means.append(((drawn @ sums) * times).sum(axis=1) / (len(values) * clips))
    return np.asarray(means[1] - means[0])


def _counts(drawn: Int64Array, count: int) -> Float64Array:
    """Return how often each of ``count`` things is in every draw, shape (draws, count)."""
    rows = drawn + count * np.arange(len(drawn))[:, None]
    times = np.bincount(rows.ravel(), minlength=len(drawn) * count)
    return times.reshape(len(drawn), count).astype(np.float64)
