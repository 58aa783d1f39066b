"""Continuous streams: columns of one clip without end, which the firmware's windows slide over.

Frames lie as in a clip, with zeros before the first sample if they are centred; but a stream has
no end, so no zeros stand in for samples that are still to come.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from asc_tiny.frontend import fixed
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.frontend.config import DELTA_REACH, FrontEndConfig

_BLOCK_FRAMES = 256
"""Frames that are computed at once, to save memory."""


def samples_needed(config: FrontEndConfig, columns: int) -> int:
    """Return how many samples of a stream give ``columns`` columns, at least 1."""
    return _span(config, columns) - config.lead


def columns_of(config: FrontEndConfig, samples: int) -> int:
    """Return how many columns the first ``samples`` samples of a stream give."""
    return max(0, 1 + (samples - samples_needed(config, 1)) // config.hop)


def features(pcm: Samples, config: FrontEndConfig) -> Int8Array:
    """Return the int8 codes of a stream's columns, exactly those of the continuous firmware.

    Args:
        pcm: samples from the start of the stream, shape (samples,).
        config: a front end with quantisation; its ``clip_samples`` have no say.

    Returns:
        Shape (n_mels, columns, channels).

    Raises:
        AscError: the configuration has no quantisation.
    """
    count = columns_of(config, len(pcm))
    frames = count + _more_frames(config) if count else 0
    pcm = np.concatenate([np.zeros(config.lead, config.sample_type), pcm])
    bands = fixed.BandValues(config)
    blocks = [np.empty((config.n_mels, 0, config.channels), np.int8)]
    values = np.empty((config.n_mels, 0), np.int64)
    for first in range(0, frames, _BLOCK_FRAMES):
        samples = _samples_of(config, min(_BLOCK_FRAMES, frames - first))
        block = dataclasses.replace(
            config, framing="causal", clip_samples=samples, deltas=False, normalization=None
        )
        start = first * config.hop
        new = bands.next(pcm[start : start + samples], block)
        values = np.concatenate([values, new], axis=1)
        if values.shape[1] > _more_frames(config):
            blocks.append(bands.codes(values))
            values = values[:, values.shape[1] - _more_frames(config) :]
    return np.concatenate(blocks, axis=1)


def joint_features(pcm: Samples, configs: Sequence[FrontEndConfig]) -> Int8Array:
    """Return a stream's codes in several quantisations, one after the other as channels."""
    return np.concatenate([features(pcm, config) for config in configs], axis=-1)


def _span(config: FrontEndConfig, columns: int) -> int:
    """Return the samples of all frames that ``columns`` columns need."""
    return _samples_of(config, columns + _more_frames(config))


def _more_frames(config: FrontEndConfig) -> int:
    """Return how many frames more than columns there are."""
    return 2 * DELTA_REACH if config.deltas else 0


def _samples_of(config: FrontEndConfig, frames: int) -> int:
    """Return the samples of frames that follow each other."""
    return (frames - 1) * config.hop + config.frame_length
