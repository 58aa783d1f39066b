"""Time of feeding an epoch of the size of TAU's training set, without a network, as a table.

``python benchmarks/feeding_speed.py FOLDER`` writes files as the feature cache has them, of made up
features, into a folder below FOLDER (16 GB for float32), and reads, augments and drops each clip
once, in the order of the recipe's defaults and in windows. The system is told to forget the files
before each epoch: the time on the wall is the disk's as well.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from asc_tiny.features.cache import SHARD_CLIPS, FeatureSet
from asc_tiny.frontend.config import Quantization
from asc_tiny.train import shuffle
from asc_tiny.train.augmentation import augment
from asc_tiny.train.prefetch import prefetched
from asc_tiny.train.recipe_tables import Augmentation

TAU_CLIPS = 139_970
"""Clips of the training split of TAU Urban Acoustic Scenes 2022 Mobile (DCASE2023 Task 1)."""

SHAPE = (256, 36, 3)
CODES = Quantization(scale=0.11, zero_point=40)
BATCH = 128


def write(folder: Path, clips: int, dtype: str) -> list[Path]:
    """Write the files of so many clips and return their paths."""
    rng = np.random.default_rng(0)
    values = rng.normal(-5.0, 4.0, (SHARD_CLIPS, *SHAPE))
    stored = values.astype(np.float32 if dtype == "float32" else dtype)
    paths = []
    for start in range(0, clips, SHARD_CLIPS):
        paths.append(folder / f"{start:07d}.npy")
        np.save(paths[-1], np.roll(stored, start, axis=0)[: clips - start])
    return paths


def forget(paths: list[Path]) -> None:
    """Drop the files from the system's memory, where it can be asked to."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def epoch(features: FeatureSet, window: int) -> Iterator[object]:
    """Yield the batches of an epoch, made by the thread that makes them in training."""
    rng = augment.generator(1, 0)
    clips = len(features)
    order = shuffle.order(clips, augment.step_count(clips, BATCH), window, rng, features.read_ahead)
    targets = np.zeros((clips, 10), np.float32)
    table = Augmentation(quantize_input=True)
    yield from prefetched(augment.batches(features.take, targets, order, table, CODES, rng))


def main() -> None:
    """Time all storages and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files are written and removed again")
    parser.add_argument("--clips", type=int, default=TAU_CLIPS)
    parser.add_argument("--window", type=int, default=32 * SHARD_CLIPS)
    parser.add_argument("--storages", nargs="+", default=["int8", "float16", "float32"])
    arguments = parser.parse_args()
    print(f"{arguments.clips} clips of {SHAPE}, batches of {BATCH}\n")
    print("| files | GB | shuffle_window | ms a clip, processor | ms a clip, wall | memory, MB |")
    print("|---|---|---|---|---|---|")
    for dtype in arguments.storages:
        with tempfile.TemporaryDirectory(prefix="asc-tiny-", dir=arguments.folder) as folder:
            paths = write(Path(folder), arguments.clips, dtype)
            size = sum(path.stat().st_size for path in paths) / 1e9
            for window in (0, arguments.window):
                forget(paths)
                features = FeatureSet(paths, SHAPE, CODES if dtype == "int8" else None)
                processor, wall = time.process_time(), time.perf_counter()
                for _ in epoch(features, window):
                    pass
                clips = arguments.clips / 1e3
                used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
                print(
                    f"| {dtype} | {size:.1f} | {window} "
                    f"| {(time.process_time() - processor) / clips:.2f} "
                    f"| {(time.perf_counter() - wall) / clips:.2f} | {used:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
