"""Golden clips, which take the front end's arithmetic to its limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend.config import FrontEndConfig

Int16Array = NDArray[np.int16]


def clips(config: FrontEndConfig) -> dict[str, Int16Array]:
    """Return named clips, each int16 of shape (clip_samples,), always the same."""
    count = config.clip_samples
    n = np.arange(count)
    generator = np.random.default_rng(20230601)
    noise = generator.integers(-32768, 32768, count)
    impulses = np.zeros(count, np.int64)
    impulses[[0, count // 3, count - 1]] = [32767, -32768, 32767]
    # Sweeps from 0 Hz to half the sample rate.
    chirp = 12000.0 * np.sin(0.5 * np.pi * n * n / count)
    values = {
        "silence": np.zeros(count, np.int64),
        "square": np.where(n // 50 % 2 == 0, 32767, -32768),
        "offset": np.full(count, -32768),
        "impulses": impulses,
        "noise": noise,
        "quiet noise": noise >> 14,
        "chirp": np.rint(chirp).astype(np.int64),
        "fade": np.rint(noise * 10.0 ** (-5.0 * n / count)).astype(np.int64),
    }
    return {name: value.astype(np.int16) for name, value in values.items()}


def noise(config: FrontEndConfig) -> Int16Array:
    """Return the full-scale noise clip alone."""
    return clips(config)["noise"]
