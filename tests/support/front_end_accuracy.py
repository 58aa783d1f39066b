"""The cases for which the accuracy of the integer front end is recorded, and its figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend import fixed, reference
from support.front_ends import DEFAULT, error_db
from support.hard_signals import stress
from support.paths import CLIPS, FILES

REACHED = FILES / "frontend_accuracy.json"
"""Figures of each case, as ``benchmarks/frontend.py --write`` leaves them."""

SCALES = ("htk", "slaney")


class Figures(NamedTuple):
    """Error in dB of the bands at or above -100 dBFS, None where there are none, and int8 codes."""

    mean: float | None
    most_of_99_percent: float | None
    largest: float | None
    codes: int
    other_codes: int
    off_by_2: int


def figures(signals: Iterable[np.ndarray]) -> Figures:
    """Return the figures of a case of the default front end."""
    errors, differences = [], []
    assert DEFAULT.quantization
    for signal in signals:
        error, level = error_db(signal, DEFAULT)
        errors.append(error[level >= -100.0])
        expected = reference.quantize(reference.features(signal, DEFAULT), DEFAULT.quantization)
        differences.append(np.abs(fixed.features(signal, DEFAULT).astype(int) - expected).ravel())
    error, difference = np.concatenate(errors), np.concatenate(differences)
    db = (error.mean(), np.quantile(error, 0.99), error.max()) if error.size else (None,) * 3
    counts = (difference.size, np.count_nonzero(difference), np.count_nonzero(difference > 1))
    return Figures(*(x if x is None else float(x) for x in db), *map(int, counts))


def cases() -> dict[str, list[np.ndarray]]:
    """Return all cases by name: the clips of the released models, and stress."""
    real = {"real clips": [read_pcm(path, 44100) for path in CLIPS]}
    return real | {name: [signal] for name, signal in stress().items()}
