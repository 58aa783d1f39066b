"""Files about every clip, against the definitions by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.dataset import Clip
from asc_tiny.evaluation import details
from asc_tiny.train import teacher_scores

LABELS = ("park", "tram")
NAMES = (("1", "park", "r-1"), ("2", "park", "r-1"), ("3", "tram", "r-2"), ("4", "tram", "r-2"))
CLIPS = [Clip(Path(n), f"audio/{n}.wav", scene, place, "a") for n, scene, place in NAMES]
SCORES = np.array([[0.9, 0.1], [0.45, 0.55], [0.8, 0.2], [0.3, 0.7]])


def rows(path, delimiter=","):
    return list(csv.reader(path.read_text().splitlines(), delimiter=delimiter))


def test_every_file_by_hand(tmp_path):
    error = details.write(tmp_path, SCORES, CLIPS, LABELS)
    found = teacher_scores.read(tmp_path / "scores.csv", CLIPS, LABELS)
    np.testing.assert_allclose(found, SCORES)
    assert rows(tmp_path / "recordings.csv")[1:] == [
        ["r-1", "park", "2", "park", "0.675", "1"],
        ["r-2", "tram", "2", "park", "0.55", "0"],
    ]
    assert rows(tmp_path / "errors.csv")[1:] == [
        ["audio/3.wav", "tram", "park", "0.8", "0.2"],
        ["audio/2.wav", "park", "tram", "0.55", "0.45"],
    ]
    assert rows(tmp_path / "submission.csv", "\t")[:2] == [
        ["filename", "scene_label", "park", "tram"],
        ["1.wav", "park", "0.9", "0.1"],
    ]
    # Each clip is in a bin of its own: |1 - 0.9|, |0 - 0.55|, |0 - 0.8|, |1 - 0.7|.
    assert error == pytest.approx((0.1 + 0.55 + 0.8 + 0.3) / 4)
    assert len(rows(tmp_path / "reliability.csv")) == 5


def test_a_calibrated_system_has_no_calibration_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1.0, 20000)
    truth = (rng.random(20000) >= confidence).astype(int)
    scores = np.stack([confidence, 1.0 - confidence], axis=1)
    table = details.reliability(scores, truth)
    assert [b.low for b in table] == sorted(b.low for b in table)
    assert sum(b.clips for b in table) == 20000
    assert details.expected_calibration_error(table) < 0.02
    sure = details.reliability(np.eye(2)[np.zeros(20000, int)], truth)
    assert details.expected_calibration_error(sure) == pytest.approx(truth.mean())
    assert [(b.low, b.high) for b in sure] == [(14 / 15, 1.0)]
