"""The integer front end against float64 on signals that are hard for fixed-point arithmetic."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from test_frontend_fixed import CLIPS, DEFAULT, error_db

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend import fixed, reference

REACHED = Path(__file__).with_name("frontend_accuracy.json")
"""Figures of each case, as ``benchmarks/frontend.py --write`` leaves them."""

MARGIN = 1.02
SCALES = ("htk", "slaney")
COUNT = DEFAULT.clip_samples
N = np.arange(COUNT)


def tone(frequency: float, level_db: float) -> np.ndarray:
    """Return a sine of this level below full scale; frequency in bins of the transform."""
    return 32767.0 * 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * frequency * N / DEFAULT.n_fft)


def impulses() -> np.ndarray:
    signal = np.zeros(COUNT)
    signal[::3001] = 32767
    signal[1500::3001] = -32768
    return signal


def stress() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(31)
    noise = generator.integers(-32768, 32768, COUNT)
    signals = {
        "DC": np.full(COUNT, 32767.0),
        "negative DC": np.full(COUNT, -32768.0),
        "Nyquist": np.where(N % 2 == 0, 32767, -32768),
        "binary noise": np.where(noise >= 0, 32767, -32768),
        "noise": noise,
        "LSB noise": generator.integers(-1, 2, COUNT),
        "one LSB": generator.integers(-1, 1, COUNT),
        "impulses": impulses(),
        "chirp": 32767.0 * np.sin(0.5 * np.pi * N * N / COUNT),
        "fade": noise * 10.0 ** (-5.0 * N / COUNT),
        "a tone of -84 dB under one of 0 dB": tone(300.0, 0.0) + tone(700.3, -84.0),
    }
    for period in (2, 3, 4, 7, 50, 441, 5000):
        signals[f"square of {period}"] = np.where(N // period % 2 == 0, 32767, -32768)
    for level in (0.0, -20.0, -60.0):
        for bins in (1.0, 1.5, 10.25, 256.0, 511.5, 512.0, 777.7, 1023.0):
            signals[f"tone of {bins} bins, {level} dB"] = tone(bins, level)
    # The frequency moves by an eighth of a bin with each frame.
    phase = np.cumsum(2.0 * np.pi * (40.0 + N / DEFAULT.hop / 8.0) / DEFAULT.n_fft)
    signals["sweep over bins"] = 32767.0 * np.sin(phase)
    return {k: np.clip(np.rint(v), -32768, 32767).astype(np.int16) for k, v in signals.items()}


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


def test_no_figure_grows() -> None:
    reached = json.loads(REACHED.read_text())
    measured = {name: figures(signals) for name, signals in cases().items()}
    assert list(measured) == list(reached)
    for name, values in measured.items():
        for field, value in values._asdict().items():
            before = reached[name][field]
            if field == "codes" or before is None:
                assert value == before, f"{name}: {field}"
            else:
                assert value <= before * MARGIN, f"{name}: {field}"


@pytest.mark.parametrize("scale", SCALES)
def test_error_under_stress(scale: str) -> None:
    config = dataclasses.replace(DEFAULT, mel_scale=scale)
    for name, signal in stress().items():
        error, level = error_db(signal, config)
        assert error[level >= -80.0].max(initial=0.0) <= 0.05, name
        assert error.max() <= 0.3, name


def test_stress_is_stress() -> None:
    """The signals reach full scale, the last bit, and more than 80 dB within a frame."""
    signals = stress()
    assert max(np.abs(s.astype(int)).max() for s in signals.values()) == 32768
    assert np.abs(signals["LSB noise"]).max() == 1
    _, level = error_db(signals["a tone of -84 dB under one of 0 dB"], DEFAULT)
    assert level[:, 20].max() > -1.0
    assert level[:, 20].min() < -90.0
