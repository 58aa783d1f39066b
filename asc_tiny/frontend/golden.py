"""Golden vectors: clips that take the front end's arithmetic to its limits, and their codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend import fixed
from asc_tiny.frontend.config import FrontEndConfig

Int8Array = NDArray[np.int8]
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


def features(clips: Sequence[Int16Array], configs: Sequence[FrontEndConfig]) -> Int8Array:
    """Return the codes that the integer front end must give for clips.

    Args:
        clips: int16 samples, each of shape (clip_samples,).
        configs: a front end in each quantisation that is computed.

    Returns:
        Shape (clips, n_mels, columns, channels of all quantisations).
    """
    return np.stack(
        [np.concatenate([fixed.features(clip, c) for c in configs], axis=-1) for clip in clips]
    )


def noise(config: FrontEndConfig) -> Int16Array:
    """Return the full-scale noise clip alone."""
    return clips(config)["noise"]
