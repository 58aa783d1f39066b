"""Golden vectors as files of a generated project: samples, and the codes they must give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.frontend import fixed, golden
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

CLIPS = "golden/clips.pcm"
FEATURES = "golden/features.bin"


def golden_files(configs: Sequence[FrontEndConfig]) -> dict[str, bytes]:
    """Return the golden vectors of a front end, file name to content.

    ``clips.pcm`` has little-endian samples, clip after clip; ``features.bin`` the int8 codes
    of each clip, by mel band, column and channel.

    Args:
        configs: the front end in each quantisation that is computed.
    """
    clips = list(golden.clips(configs[0]).values())
    return {
        CLIPS: np.concatenate(clips).astype(_stored(configs[0])).tobytes(),
        FEATURES: b"".join(fixed.joint_features(clip, configs).tobytes() for clip in clips),
    }


def read_golden(
    folder: Path, config: FrontEndConfig, shape: tuple[int, int, int]
) -> tuple[dict[str, Samples], dict[str, Int8Array]]:
    """Read the golden vectors of a project.

    Args:
        folder: the project.
        config: its front end.
        shape: shape of a clip's features: (n_mels, columns, channels of all quantisations).

    Returns:
        Name to samples, shape (clip_samples,), and name to codes, shape ``shape``.

    Raises:
        AscError: a file is missing or has another size.
    """
    names = list(golden.clips(config))
    content = read_bytes(folder / CLIPS)
    stored = _stored(config)
    # Whole samples; a file of another size is told below.
    count = len(content) // stored.itemsize
    pcm = np.frombuffer(content, stored, count).astype(config.sample_type)
    codes = np.frombuffer(read_bytes(folder / FEATURES), np.int8)
    sizes = {CLIPS: (pcm.size, config.clip_samples), FEATURES: (codes.size, int(np.prod(shape)))}
    for name, (size, clip) in sizes.items():
        if size != len(names) * clip:
            raise AscError(f"{folder / name}: {size} values, {len(names) * clip} are needed")
    clips = dict(zip(names, pcm.reshape(len(names), -1), strict=True))
    return clips, dict(zip(names, codes.reshape(len(names), *shape), strict=True))


def _stored(config: FrontEndConfig) -> np.dtype[np.signedinteger[Any]]:
    return np.dtype(config.sample_type).newbyteorder("<")
