"""Features of a dataset, computed once and kept on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from asc_tiny.audio.clips import read_pcm
from asc_tiny.audio.dataset import Clip
from asc_tiny.errors import AscError
from asc_tiny.files import read_bytes, replacing, sha256
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.frontend.reference import Int16Array, features

Float32Array = NDArray[np.float32]

SHARD_CLIPS = 256
"""Clips in a file of the cache; a killed run loses less than one such file's work."""


class FeatureSet:
    """Float32 features of clips; they stay on disk until they are taken.

    Attributes:
        shape: (clips, n_mels, columns, channels).
    """

    def __init__(self, shards: Sequence[Path], clip_shape: tuple[int, int, int]) -> None:
        self._shards = [np.load(path, mmap_mode="r") for path in shards]
        self.shape = (sum(len(shard) for shard in self._shards), *clip_shape)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, indices: NDArray[np.integer]) -> Float32Array:
        """Return the features of some clips, shape (len(indices), n_mels, columns, channels)."""
        taken = np.empty((len(indices), *self.shape[1:]), np.float32)
        for row, index in enumerate(indices):
            taken[row] = self._shards[index // SHARD_CLIPS][index % SHARD_CLIPS]
        return taken

    def batches(self, size: int) -> Iterator[Float32Array]:
        """Yield all features in order, ``size`` clips at a time."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self))))


def default_folder() -> Path:
    """Return the user's cache folder for asc-tiny (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "asc-tiny"


def load(
    clips: Sequence[Clip], config: FrontEndConfig, *, folder: Path | None = None
) -> FeatureSet:
    """Return the float features of clips, from the cache where it has them.

    A file of the cache is named by a hash over the front end and the bytes of its clips, so a
    changed clip or front end is never mixed up with an old one.

    Args:
        clips: in the order of the result.
        config: the front end.
        folder: of the cache, ``default_folder()`` if not given.

    Raises:
        AscError: a clip cannot be read or does not have the front end's length.
    """
    folder = (folder or default_folder()) / "features"
    shards = []
    with tqdm(total=len(clips), desc="features", unit="clip", disable=None, leave=False) as bar:
        for start in range(0, len(clips), SHARD_CLIPS):
            some = clips[start : start + SHARD_CLIPS]
            path = folder / f"{_key(some, config)}.npy"
            if not _complete(path, (len(some), *config.shape)):
                _write(path, some, config, bar)
            else:
                bar.update(len(some))
            shards.append(path)
    return FeatureSet(shards, config.shape)


def clip_pcm(clip: Clip, config: FrontEndConfig) -> Int16Array:
    """Read the samples of a clip, shape (clip_samples,).

    Raises:
        AscError: it cannot be read or has another length or sample rate.
    """
    pcm = read_pcm(clip.path, config.sample_rate)
    if len(pcm) != config.clip_samples:
        raise AscError(
            f"{clip.path}: {len(pcm)} samples, the front end needs {config.clip_samples}"
        )
    return pcm


def _key(clips: Sequence[Clip], config: FrontEndConfig) -> str:
    parts = [config.digest(), *(sha256(read_bytes(clip.path)) for clip in clips)]
    return sha256("\n".join(parts).encode("ascii"))


def _complete(path: Path, shape: tuple[int, ...]) -> bool:
    try:
        return bool(np.load(path, mmap_mode="r").shape == shape)
    except (OSError, ValueError, EOFError):
        return False


def _write(path: Path, clips: Sequence[Clip], config: FrontEndConfig, bar: tqdm) -> None:
    values = np.empty((len(clips), *config.shape), np.float32)
    for row, clip in enumerate(clips):
        values[row] = features(clip_pcm(clip, config), config)
        bar.update()
    with replacing(path) as temporary:
        np.save(temporary, values)
