"""The integer front end against float64 on signals that are hard for fixed-point arithmetic."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from support.front_end_accuracy import REACHED, SCALES, cases, figures
from support.front_ends import DEFAULT, error_db
from support.hard_signals import stress

MARGIN = 1.02


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
