"""Classifiers of any ends with --runtime tflm on an emulated core, where a library is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware.network import tflm_arena
from asc_tiny.frontend import fixed
from asc_tiny.model.classifier_network import classifier_network
from asc_tiny.model.model_file import ModelFile
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import measure
from support.classifier_ends import CONFIG, MIXED, SOURCE, score_codes, write_classifier
from support.commands import asc_tiny
from support.ensemble_models import reference_codes, write_ensemble
from support.paths import CLIPS
from support.tflm_firmware import Build, find

pytestmark = [pytest.mark.qemu, pytest.mark.slow]

LABELS = ("bus", "park", "tram", "office")
WEIGHTS = (0.2, 0.3, 0.1, 0.4)


@pytest.fixture(scope="module")
def build() -> Build:
    return find()


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    return [read_pcm(path, 44100) for path in CLIPS[::3]]


@pytest.fixture(scope="module")
def features(clips: list[np.ndarray]) -> np.ndarray:
    config = CONFIG.quantized(SOURCE.scale, SOURCE.zero_point)
    return np.stack([fixed.features(clip, config) for clip in clips])


def built(model: Path, build: Build, folder: Path) -> targets.Project:
    options = ["--runtime", "tflm", "--board", build.board.name]
    assert asc_tiny("generate", model, "--out", folder, *options) == 0
    assert asc_tiny("build", folder) == 0
    project = targets.load(folder)
    assert isinstance(project, targets.Project)
    return project


@pytest.mark.parametrize("ends", MIXED)
def test_scores_on_a_core(
    ends: str, build: Build, clips: list[np.ndarray], features: np.ndarray, tmp_path: Path
) -> None:
    """Those that the package gives for the whole file, whose ends the firmware has not."""
    path = write_classifier(tmp_path / "m.tflite", 1, ends, LABELS)
    project = built(path, build, tmp_path / "firmware")
    found, codes = image.features_and_codes(project, clips)
    assert np.array_equal(found, features)
    expected = np.stack([score_codes(path, ends, each) for each in features])
    assert len(np.unique(expected, axis=0)) > 2
    assert np.array_equal(codes, expected)
    assert asc_tiny("verify", project.folder) == 0
    costs = measure(project)
    assert isinstance(project.model_file, ModelFile)
    network = classifier_network(project.model_file)
    assert costs.arena_bytes == tflm_arena.memory(network, build.kernels).used
    print(f"\n{ends} {build.board.name} {build.kernels}: {costs}")


def test_an_ensemble_of_all_kinds(
    build: Build, clips: list[np.ndarray], features: np.ndarray, tmp_path: Path
) -> None:
    members = [
        write_classifier(tmp_path / f"m{number}.tflite", number, ends, LABELS)
        for number, ends in enumerate(MIXED)
    ]
    path = write_ensemble(tmp_path / "all.toml", members, WEIGHTS)
    project = built(path, build, tmp_path / "firmware")
    _, codes = image.features_and_codes(project, clips)
    softmax = (1 / 256, -128)
    for found, each in zip(codes, features, strict=True):
        parts = np.stack([score_codes(p, e, each) for p, e in zip(members, MIXED, strict=True)])
        wanted = reference_codes(parts, WEIGHTS, [0.0] * len(LABELS), [softmax] * 4, softmax)
        assert np.abs(found - wanted).max() <= 0.51
    assert asc_tiny("verify", project.folder) == 0
