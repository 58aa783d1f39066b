"""Clips per second: log-mel with two deltas by librosa and by this package.

``python benchmarks/features_speed.py`` on one core; to compare with librosa: ``pip install
librosa==0.11.0``. ``--data DATASET`` computes a data set's features as training does instead, in
one process and in as many as there are processors.
"""

from __future__ import annotations

import os

# Libraries read these when they are imported.
for _library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Dataset
from asc_tiny.features import cache, host_library
from asc_tiny.frontend import fixed, reference
from asc_tiny.frontend.config import DELTA_REACH, FrontEndConfig

try:
    import librosa
except ImportError:
    librosa = None

CONFIG = FrontEndConfig().quantized(0.11, 40)

Clip = NDArray[np.int16]
Features = Callable[[Clip], NDArray[np.generic]]


def librosa_rows() -> dict[str, Features]:
    """Return what ``reference.features`` does in librosa's functions and its usual float32.

    librosa has no place to keep the filters between calls of ``melspectrogram``, and fits a line
    to each end of a band for the deltas of columns that are cut off here: the second row spares
    it both. There are no rows where librosa is not installed.
    """
    if librosa is None:
        print("librosa is not installed, to compare: pip install librosa==0.11.0")
        return {}
    frames = {"n_fft": CONFIG.n_fft, "hop_length": CONFIG.hop}
    bands = {
        "sr": CONFIG.sample_rate,
        "n_mels": CONFIG.n_mels,
        "fmin": CONFIG.f_min,
        "fmax": CONFIG.f_max,
        "htk": CONFIG.mel_scale == "htk",
        "norm": None,
    }
    filters = librosa.filters.mel(n_fft=CONFIG.n_fft, **bands)

    def usual(pcm: Clip) -> NDArray[np.float32]:
        mel = librosa.feature.melspectrogram(y=pcm.astype(np.float32) / 32768, **frames, **bands)
        return with_deltas(mel, mode="interp")

    def filters_kept(pcm: Clip) -> NDArray[np.float32]:
        power = np.abs(librosa.stft(pcm.astype(np.float32) / 32768, **frames)) ** 2
        return with_deltas(filters @ power, mode="nearest")

    def with_deltas(mel: NDArray[np.float32], mode: str) -> NDArray[np.float32]:
        x = np.log(mel + np.float32(CONFIG.log_floor))
        # The slope of a line through 5 frames has the weights of reference.delta.
        first = librosa.feature.delta(x, width=5, mode=mode)
        second = librosa.feature.delta(first, width=5, mode=mode)
        return np.stack([x, first, second], axis=-1)[:, DELTA_REACH:-DELTA_REACH]

    return {
        f"librosa {librosa.__version__}": usual,
        "librosa, filters kept, no ends": filters_kept,
    }


def seconds_per_clip(
    rows: dict[str, Features], clips: list[Clip], rounds: int
) -> dict[str, NDArray[np.float64]]:
    """Return each row's mean processor time per clip in each round; rows take turns in a round."""
    seconds = {name: np.empty(rounds) for name in rows}
    for turn in range(rounds):
        for name, compute in rows.items():
            start = time.process_time()
            for pcm in clips:
                compute(pcm)
            seconds[name][turn] = (time.process_time() - start) / len(clips)
    return seconds


def print_processes(folder: Path) -> None:
    """Time a data set's features, reading and writing included, by the number of processes."""
    clips = Dataset.load(folder).clips
    processors = len(os.sched_getaffinity(0))
    print(f"{len(clips)} clips" + "".join(f"{f'{n} processes':>16}" for n in (1, processors)))
    for arithmetic in cache.ARITHMETICS:
        cells = ""
        for workers in (1, processors):
            with tempfile.TemporaryDirectory(prefix="asc-tiny-") as empty:
                start = time.perf_counter()
                options = {"arithmetic": arithmetic, "workers": workers}
                cache.load(clips, CONFIG, folder=Path(empty), **options)
                cells += f"{time.perf_counter() - start:14.1f} s"
        print(f"{arithmetic:10}{cells}")


def main() -> None:
    """Time all rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=20, help="in a round (default 20)")
    parser.add_argument("--rounds", type=int, default=15, help="the best one counts (default 15)")
    parser.add_argument("--data", type=Path, help="a data set in the TAU layout")
    arguments = parser.parse_args()
    if arguments.data:
        print_processes(arguments.data)
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, 3000.0, (arguments.clips, CONFIG.clip_samples))
    clips = list(np.clip(noise, -32768, 32767).astype(np.int16))
    rows = {
        **librosa_rows(),
        "float64 (reference.features)": lambda pcm: reference.features(pcm, CONFIG),
        "integer, the firmware's C": lambda pcm: host_library.features(pcm, CONFIG),
        "integer, NumPy": lambda pcm: fixed.features(pcm, CONFIG),
    }
    expected = reference.features(clips[0], CONFIG)
    for name, compute in rows.items():  # and warms up: tables, compiled functions
        values = compute(clips[0])
        if name.startswith("librosa"):
            error = np.abs(values - expected).max()
            print(f"{name}: differs from float64 by {error:.1e} at most")
    seconds = seconds_per_clip(rows, clips, arguments.rounds)

    slowest = next(iter(seconds.values())).min()
    print(f"\n{'one core':32}{'clips/s':>10}{'ms/clip':>10}{'ratio':>8}")
    for name, values in seconds.items():
        best = values.min()
        print(f"{name:32}{1.0 / best:10.0f}{1e3 * best:10.3f}{slowest / best:8.1f}")


if __name__ == "__main__":
    main()
