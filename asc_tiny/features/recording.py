"""Features of the clips of a recording, several of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.features import host_library
from asc_tiny.frontend import reference
from asc_tiny.frontend.arrays import Samples
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util import parallel, progress

_PART = 64
"""Clips that a process computes at a time."""


def features(
    clips: Sequence[Samples],
    configs: Sequence[FrontEndConfig],
    arithmetic: str,
    pool: Executor | None = None,
) -> NDArray[Any]:
    """Return the features of clips, those of all front ends along the channels.

    Args:
        clips: samples of each clip, shape (clip_samples,), one clip or more.
        configs: front ends.
        arithmetic: ``fixed`` for int8 codes, ``float`` for float64 values.
        pool: what ``parallel.executor`` has yielded; the result is the same.

    Returns:
        Shape (clips, n_mels, columns, channels of all front ends).

    Raises:
        AscError: codes are asked for of a front end without quantization, or a process was killed.
    """
    parts = [(clips[at : at + _PART], configs, arithmetic) for at in range(0, len(clips), _PART)]
    found: dict[int, NDArray[Any]] = {}
    with progress.bar(len(clips), "features", "clip") as bar:
        for index, values in parallel.completed(pool, _part, parts, what="features"):
            found[index] = values
            bar.update(len(values))
    return np.concatenate([found[index] for index in range(len(parts))])


def _part(
    clips: Sequence[Samples], configs: Sequence[FrontEndConfig], arithmetic: str
) -> NDArray[Any]:
    compute = reference.features if arithmetic == "float" else host_library.features
    return np.stack(
        [np.concatenate([compute(clip, each) for each in configs], axis=-1) for clip in clips]
    )
