"""Sources of recordings that tests write by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 8000


def noise(seconds: float, seed: int = 0, *, rate: int = RATE, level: float = 0.1) -> NDArray:
    """White noise of a level (root mean square), full scale 1."""
    return np.random.default_rng(seed).normal(0.0, level, round(seconds * rate))


def write(path: Path, samples: NDArray, *, rate: int = RATE, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


def write_noise(root: Path, names: object, *, seconds: float = 1.0) -> Path:
    """A recording of noise for each name, all of them different."""
    for seed, name in enumerate(names):  # type: ignore[arg-type]
        write(root / name, noise(seconds, seed))
    return root


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
