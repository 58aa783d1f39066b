"""Inputs that set the ranges of a quantised network: arrays, or recordings with a front end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.clips import read_pcm
from asc_tiny.compress.keras_file import ModelInput
from asc_tiny.frontend import reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util import progress
from asc_tiny.util.array_files import as_many, in_order, inferences, read_arrays
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError, reason

AnyArray = NDArray[Any]
Samples = list[list[AnyArray]]
"""An array for each input, inference by inference."""

MOST = 1000
"""Inferences that are used, spread evenly over more: further ones take time and hardly widen."""

_ARRAYS = (".npy", ".npz")
_AUDIO = (".wav", ".flac")


def read(
    path: Path,
    inputs: Sequence[ModelInput],
    frontend: FrontEndConfig | None = None,
    warn: Callable[[str], None] | None = None,
) -> Samples:
    """Return the inferences of a file of arrays, or of a folder of such files or of recordings.

    Args:
        path: a .npy or .npz file, or a folder.
        inputs: the inputs of the model.
        frontend: the front end that makes features of recordings; None for arrays.
        warn: as ``read_pcm`` takes it.

    Raises:
        AscError: nothing there, or something that does not fit the inputs.
    """
    files = _files(path, _AUDIO if frontend else _ARRAYS)
    if frontend:
        samples = [
            each
            for file in progress.over(files, "calibration", "file")
            for each in _clips(file, inputs, frontend, warn)
        ]
    else:
        samples = [each for file in files for each in _inferences(file, inputs)]
    if not samples:
        raise AscError(f"{path}: holds no inputs")
    even = np.unique(np.linspace(0, len(samples) - 1, min(MOST, len(samples))).astype(int))
    return [samples[number] for number in even]


def _files(path: Path, endings: Sequence[str]) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        found = sorted(each for each in path.iterdir() if each.suffix.lower() in endings)
    except OSError as error:
        raise AscError(f"{path}: cannot read: {reason(error)}") from error
    if not found:
        raise AscError(f"{path}: no files ending in {' or '.join(endings)}")
    return found


def _clips(
    path: Path,
    inputs: Sequence[ModelInput],
    config: FrontEndConfig,
    warn: Callable[[str], None] | None,
) -> Samples:
    """Return the features of a recording's whole clips."""
    if len(inputs) != 1 or inputs[0].shape[1:] != config.shape:
        shapes = ", ".join(str(each.shape[1:]) for each in inputs)
        raise AscError(
            f"front end gives features of shape {config.shape}, the model takes {shapes}"
        )
    pcm = read_pcm(path, config.sample_rate, bits=config.sample_bits, warn=warn)
    count = len(pcm) // config.clip_samples
    if not count:
        raise AscError(f"{path}: {len(pcm)} samples, at least {config.clip_samples} are needed")
    clips = pcm[: count * config.clip_samples].reshape(count, config.clip_samples)
    return [[reference.features(clip, config).astype(np.float32)[None]] for clip in clips]


def _inferences(path: Path, inputs: Sequence[ModelInput]) -> Samples:
    arrays = in_order(path, read_arrays(path), [each.name for each in inputs])
    return as_many(path, [_group(path, *pair) for pair in zip(arrays, inputs, strict=True)])


def _group(path: Path, values: AnyArray, one: ModelInput) -> list[AnyArray]:
    source = f"{path}: input {shown(one.name)}"
    values = inferences(source, values, one.shape)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise AscError(f"{source}: values that are not finite")
    return list(values.astype(one.dtype))
