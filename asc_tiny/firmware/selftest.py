"""The self-test of firmware: a clip that the firmware makes itself, and what it must lead to.

Its samples follow from a formula and its features are told by a checksum, so that a whole clip
through front end and network costs a few bytes of flash instead of its samples.
"""

from __future__ import annotations

import numpy as np

from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.frontend import fixed
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.frontend.config import FrontEndConfig

# Numerical Recipes' generator modulo 2^32, as in asc_selftest.c.
_FACTOR, _INCREMENT = 1664525, 1013904223
_LEVELS = 16
_FNV_BASIS, _FNV_PRIME = 0x811C9DC5, 0x01000193


def clip(config: FrontEndConfig) -> Samples:
    """Return the clip's samples, shape (clip_samples,): noise that loses 6 dB every 1/16 of it."""
    noise = np.empty(config.clip_samples, np.uint32)
    state = 1
    for n in range(noise.size):
        state = (state * _FACTOR + _INCREMENT) % 2**32
        noise[n] = state
    level = np.arange(noise.size) // (noise.size // _LEVELS + 1)
    faded = noise.view(np.int32).astype(np.int64) >> level
    if config.sample_bits == 16:
        return (faded >> 16).astype(np.int16)
    return (faded & ~0xFF).astype(np.int32)


def checksum(codes: Int8Array) -> int:
    """Return the 32-bit FNV-1a hash of features, shape (n_mels, columns, channels), by column."""
    value = _FNV_BASIS
    for byte in codes.transpose(1, 0, 2).tobytes():
        value = (value ^ byte) * _FNV_PRIME % 2**32
    return value


def generate(model: Classifier, scores: Int8Array | None) -> dict[str, str]:
    """Return ``asc_selftest_expected.h``, file name to text.

    Args:
        model: classifier with its front end.
        scores: int8 output of the network for ``clip``, shape (labels,), by a reference other
            than the firmware; None leaves them unchecked.
    """
    codes = fixed.joint_features(clip(model.frontend), model.frontends)
    values = {
        "banner": banner(model.model_file),
        "checksum": f"0x{checksum(codes):08x}u",
        "identity": model.identity,
        "levels": _LEVELS,
        "scores": None if scores is None else ", ".join(map(str, scores.tolist())),
    }
    return render_files(values, "selftest/asc_selftest_expected.h")
