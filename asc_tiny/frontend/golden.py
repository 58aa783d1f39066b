"""Golden clips, which take the front end's arithmetic to its limits."""

from __future__ import annotations

import numpy as np

from asc_tiny.frontend.arrays import Samples
from asc_tiny.frontend.config import FrontEndConfig


def clips(config: FrontEndConfig) -> dict[str, Samples]:
    """Return named clips, each of shape (clip_samples,), always the same."""
    count, bits = config.clip_samples, config.sample_bits
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    n = np.arange(count)
    generator = np.random.default_rng(20230601)
    noise = generator.integers(low, high + 1, count)
    impulses = np.zeros(count, np.int64)
    impulses[[0, count // 3, count - 1]] = [high, low, high]
    # Sweeps from 0 Hz to half the sample rate.
    chirp = 12000.0 * 2 ** (bits - 16) * np.sin(0.5 * np.pi * n * n / count)
    values = {
        "silence": np.zeros(count, np.int64),
        "square": np.where(n // 50 % 2 == 0, high, low),
        "offset": np.full(count, low),
        "impulses": impulses,
        "noise": noise,
        "quiet noise": noise >> (bits - 2),
        "chirp": np.rint(chirp).astype(np.int64),
        "fade": np.rint(noise * 10.0 ** (-5.0 * n / count)).astype(np.int64),
    }
    unused = 8 * np.dtype(config.sample_type).itemsize - bits
    return {name: (value << unused).astype(config.sample_type) for name, value in values.items()}


def noise(config: FrontEndConfig) -> Samples:
    """Return the full-scale noise clip alone."""
    return clips(config)["noise"]
