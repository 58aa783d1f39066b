"""Features of a dataset, computed once and kept on disk."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.clips import read_pcm
from asc_tiny.audio.dataset import Clip
from asc_tiny.features import host_library
from asc_tiny.frontend.arrays import Samples
from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.frontend.reference import features
from asc_tiny.util import process_pool, progress, user_cache
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, replacing, sha256
from asc_tiny.util.progress import Bar

Float32Array = NDArray[np.float32]

ARITHMETICS = ("float", "fixed")
"""Features before quantisation, or what the int8 codes of the integer front end stand for."""

STORAGES = ("float32", "float16")
"""How files of the cache hold float features; those of the integer front end are int8 codes."""

SHARD_CLIPS = 128
"""Clips in a file of the cache: what a killed run may lose per process, and one may have to do
while the others are done."""

PARALLEL_CLIPS = 1024
"""Clips to compute from which on several processes take less time than starting them does."""


class Change(Protocol):
    """A change of clips' samples before their features are computed; it travels to processes."""

    @property
    def key(self) -> str:
        """Text that tells this change from all others."""

    def __call__(self, pcm: Samples, clip_sha256: str) -> Samples:
        """Return changed samples, of the same length and type; equal clips give equal bytes."""


class FeatureSet:
    """Float32 features of clips; they stay on disk until they are taken.

    Args:
        shards: files of ``SHARD_CLIPS`` clips each, the last of fewer.
        clip_shape: (n_mels, columns, channels).
        codes: quantisation of int8 codes in the files; None where they hold features themselves.

    Attributes:
        shape: (clips, n_mels, columns, channels).
    """

    def __init__(
        self,
        shards: Sequence[Path],
        clip_shape: tuple[int, int, int],
        codes: Quantization | None = None,
    ) -> None:
        self._shards = [np.load(path, mmap_mode="r") for path in shards]
        self._codes = codes
        self.shape = (sum(len(shard) for shard in self._shards), *clip_shape)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, indices: NDArray[np.integer]) -> Float32Array:
        """Return the features of some clips, shape (len(indices), n_mels, columns, channels)."""
        taken = np.empty((len(indices), *self.shape[1:]), np.float32)
        # In the order in which they lie on the disk.
        for row in np.argsort(indices):
            index = indices[row]
            self._read(self._shards[index // SHARD_CLIPS][index % SHARD_CLIPS], taken[row])
        return taken

    def _read(self, stored: NDArray[Any], features: Float32Array) -> None:
        if self._codes is None:
            features[:] = stored
        else:
            codes = stored.astype(np.float64)
            codes -= self._codes.zero_point
            np.multiply(codes, self._codes.scale, out=features, casting="same_kind")

    def read_ahead(self, indices: NDArray[np.integer]) -> None:
        """Ask the system to read the whole files that hold some clips, before these are taken."""
        if sys.platform != "win32" and hasattr(mmap, "MADV_WILLNEED"):
            for shard in np.unique(indices // SHARD_CLIPS):
                mapped = self._shards[shard].base
                if isinstance(mapped, mmap.mmap):
                    mapped.madvise(mmap.MADV_WILLNEED)

    def batches(self, size: int) -> Iterator[Float32Array]:
        """Yield all features in order, ``size`` clips at a time."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self))))


def load(
    clips: Sequence[Clip],
    config: FrontEndConfig,
    *,
    arithmetic: str = "float",
    storage: str = "float32",
    folder: Path | None = None,
    workers: int | None = None,
    change: Change | None = None,
) -> FeatureSet:
    """Return the features of clips, from the cache where it has them.

    A file of the cache is named by a hash over the front end and the bytes of its clips, so a
    changed clip or front end is never mixed up with an old one; that of an integer front end is
    over its C text. Its bytes do not depend on the number of processes. Processes are spawned:
    a script that calls this for many clips needs an ``if __name__ == "__main__":``.

    Args:
        clips: clips in the order that the result has.
        config: the front end; with a quantisation if the arithmetic is ``fixed``.
        arithmetic: one of ``ARITHMETICS``.
        storage: one of ``STORAGES``, for float features. Half precision rounds values of 8 to 16
            to multiples of 2^-7, smaller ones less; int8 codes are exact and a byte each.
        folder: folder of the cache; None for the user's.
        workers: most processes to use, by default as many as there are processors.
        change: what is done to the samples first; None for nothing.

    Raises:
        AscError: a clip cannot be read or does not have the front end's length, the arithmetic is
            ``fixed`` and the front end has no quantisation, or a process was killed.
    """
    folder = (folder or user_cache.folder()) / "features"
    shards: list[Path] = []
    missing: list[tuple[Path, Sequence[Clip]]] = []
    is_float = arithmetic == "float"
    dtype = np.dtype(storage if is_float else "int8")
    front_end = _front_end_key(config, arithmetic, dtype) + (f" {change.key}" if change else "")
    with progress.bar(len(clips), "features", "clip") as bar:
        for start in range(0, len(clips), SHARD_CLIPS):
            some = clips[start : start + SHARD_CLIPS]
            path = folder / f"{clips_key(some, front_end)}.npy"
            shards.append(path)
            if _complete(path, (len(some), *config.shape), dtype):
                bar.update(len(some))
            else:
                missing.append((path, some))
        _write_all(missing, (config, dtype, change), workers or process_pool.processors(), bar)
    return FeatureSet(shards, config.shape, None if is_float else config.quantization)


def clip_pcm(clip: Clip, config: FrontEndConfig) -> Samples:
    """Read the samples of a clip, shape (clip_samples,).

    Raises:
        AscError: it cannot be read or has another length or sample rate.
    """
    rate, bits = config.sample_rate, config.sample_bits
    pcm = read_pcm(clip.path, rate, bits=bits, resample=clip.resample)
    if len(pcm) != config.clip_samples:
        raise AscError(
            f"{clip.path}: {len(pcm)} samples, the front end needs {config.clip_samples}"
        )
    return pcm


def _front_end_key(config: FrontEndConfig, arithmetic: str, dtype: np.dtype[Any]) -> str:
    key = config.digest() if arithmetic == "float" else host_library.digest(config)
    return key if dtype == np.float32 else f"{key} {dtype}"


def clips_key(clips: Sequence[Clip], how: str) -> str:
    """Return a SHA-256 over the bytes of clips and a text that says what is made of them.

    Raises:
        AscError: a clip cannot be read.
    """
    # With its own key, what is converted never stands in for what must have the right rate.
    conversion = ["resample"] if any(clip.resample for clip in clips) else []
    parts = [how, *conversion, *(sha256(read_bytes(clip.path)) for clip in clips)]
    return sha256("\n".join(parts).encode("ascii"))


def _complete(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    try:
        stored = np.load(path, mmap_mode="r")
        return bool(stored.shape == shape and stored.dtype == dtype)
    except (OSError, ValueError, EOFError):
        return False


def _write_all(
    shards: Sequence[tuple[Path, Sequence[Clip]]],
    how: tuple[FrontEndConfig, np.dtype[Any], Change | None],
    workers: int,
    bar: Bar,
) -> None:
    workers = min(workers, len(shards))
    if workers < 2 or sum(len(clips) for _, clips in shards) < PARALLEL_CLIPS:
        for path, clips in shards:
            bar.update(_write(path, clips, *how))
        return
    try:
        with process_pool.pool(workers) as pool:
            with process_pool.interrupts_blocked():
                written = [pool.submit(_write, path, clips, *how) for path, clips in shards]
            for future in as_completed(written):
                bar.update(future.result())
    except BrokenProcessPool as error:
        raise AscError(
            "features: a process computing them was killed, is there enough memory?"
        ) from error


def _write(
    path: Path,
    clips: Sequence[Clip],
    config: FrontEndConfig,
    dtype: np.dtype[Any],
    change: Change | None = None,
) -> int:
    """Compute the features of clips into a file of the cache; return how many clips there are."""
    compute = host_library.features if dtype == np.int8 else features
    values = np.empty((len(clips), *config.shape), dtype)
    for row, clip in enumerate(clips):
        pcm = clip_pcm(clip, config)
        if change is not None:
            pcm = change(pcm, sha256(read_bytes(clip.path)))
        values[row] = compute(pcm, config)
    # Two runs may miss the same file of the cache: the second writes the same bytes again.
    with replacing(path, wait=True) as temporary:
        np.save(temporary, values)
    return len(clips)
