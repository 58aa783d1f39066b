"""The clip of the self-test, which firmware makes itself by a formula, and its features."""

from __future__ import annotations

import functools

import numpy as np

from asc_tiny.frontend import fixed
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.frontend.config import FrontEndConfig

# Numerical Recipes' generator modulo 2^32, as in asc_selftest.c.
_FACTOR, _INCREMENT = 1664525, 1013904223
LEVELS = 16
"""Steps of 6 dB by which the clip fades."""


def samples(config: FrontEndConfig) -> Samples:
    """Return the clip's samples, shape (clip_samples,): noise that loses 6 dB every 1/16 of it."""
    noise = np.empty(config.clip_samples, np.uint32)
    state = 1
    for n in range(noise.size):
        state = (state * _FACTOR + _INCREMENT) % 2**32
        noise[n] = state
    level = np.arange(noise.size) // (noise.size // LEVELS + 1)
    faded = noise.view(np.int32).astype(np.int64) >> level
    if config.sample_bits == 16:
        return (faded >> 16).astype(np.int16)
    return (faded & ~0xFF).astype(np.int32)


@functools.lru_cache(maxsize=4)
def features(configs: tuple[FrontEndConfig, ...]) -> Int8Array:
    """Return the features of the clip, computed once for scores and checksum.

    Args:
        configs: the front end in each quantisation that the networks need.

    Returns:
        Shape (n_mels, columns, channels of all quantisations), int8.
    """
    return fixed.joint_features(samples(configs[0]), configs)
