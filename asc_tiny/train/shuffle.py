"""Random order of clips: anywhere in the set, or file by file for sets that exceed the memory.

A random order reads a file of features here and there. Where the set does not fit in memory, each
clip costs the disk a movement of its own. In windows, whole files come in random order, are read
from start to end, and the clips of some files that follow each other are mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from asc_tiny.features.cache import SHARD_CLIPS

Int64Array = NDArray[np.int64]


def order(
    clips: int,
    steps: int,
    window: int,
    rng: np.random.Generator,
    read_ahead: Callable[[Int64Array], None] = lambda _: None,
) -> Iterator[Int64Array]:
    """Yield the clips of each step of an epoch, in random order.

    Args:
        clips: number of clips.
        steps: number of steps, of nearly equal size.
        window: clips that are mixed; 0 for all.
        rng: source of the order; it is asked before the first step alone.
        read_ahead: told the clips of a window, in a window's time before they are taken.
    """
    parts = _windows(clips, window, rng) if window else [rng.permutation(clips)]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    told = taken = 0
    for indices in np.array_split(np.concatenate(parts), steps):
        taken += len(indices)
        while window and told < len(parts) and starts[told] < taken + window:
            read_ahead(parts[told])
            told += 1
        yield indices


def _windows(clips: int, window: int, rng: np.random.Generator) -> list[Int64Array]:
    """Return the clips of each window in random order; files are in random order, too."""
    files = np.array_split(np.arange(clips), range(SHARD_CLIPS, clips, SHARD_CLIPS))
    by_file = np.concatenate([files[number] for number in rng.permutation(len(files))])
    return [rng.permutation(by_file[start : start + window]) for start in range(0, clips, window)]
