"""The self-test of firmware: a clip that the firmware makes itself, and what it must lead to.

Its samples follow from a formula and its features are told by a checksum, so that a whole clip
through front end and network costs a few bytes of flash instead of its samples.
"""

from __future__ import annotations

from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.checksum import fnv1a
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.frontend import selftest_clip
from asc_tiny.frontend.arrays import Int8Array


def checksum(codes: Int8Array) -> int:
    """Return the checksum of features, shape (n_mels, columns, channels), by column."""
    return fnv1a(codes.transpose(1, 0, 2).tobytes())


def generate(model: Classifier, scores: Int8Array | None) -> dict[str, str]:
    """Return ``asc_selftest_expected.h``, file name to text.

    Args:
        model: classifier with its front end.
        scores: int8 output of the network for the clip, shape (labels,), by a reference other
            than the firmware; None leaves them unchecked.
    """
    codes = selftest_clip.features(model.frontends)
    values = {
        "banner": banner(model.model_file),
        "checksum": f"0x{checksum(codes):08x}u",
        "fingerprints": model.fingerprints,
        "levels": selftest_clip.LEVELS,
        "scores": None if scores is None else ", ".join(map(str, scores.tolist())),
    }
    return render_files(values, "selftest/asc_selftest_expected.h")
