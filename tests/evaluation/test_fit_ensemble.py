"""Fitting weights and bias: against another optimiser, its guard, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from asc_tiny.audio.dataset import Dataset
from asc_tiny.model import ensemble
from support.commands import asc_tiny
from support.ensemble_models import small
from support.paths import MODEL

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from asc_tiny.evaluation import fit_ensemble


def random_scores(members: int, clips: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Softmax scores of members that know more and more of the truth."""
    generator = np.random.default_rng(members)
    truth = generator.integers(0, classes, clips)
    logits = generator.normal(size=(members, clips, classes))
    for member in range(members):
        logits[member, np.arange(clips), truth] += 0.8 * member
    scores = np.exp(2.0 * logits)
    return scores / scores.sum(axis=2, keepdims=True), truth


@pytest.mark.parametrize("members", [2, 3])
def test_optimum_is_that_of_another_optimizer(members: int) -> None:
    scores, truth = random_scores(members, 200, 5)
    weights, bias = fit_ensemble.mixture(scores, truth)
    assert sum(weights) + 5 * bias == pytest.approx(1.0, abs=2e-5)

    def objective(x: np.ndarray) -> float:
        y = np.tensordot(x[:-1], scores, axes=1)[np.arange(200), truth] + x[-1] / 5
        prior = fit_ensemble.PRIOR * 200 / members
        return float(-np.log(y).sum() - prior * np.log(x[:-1]).sum() - np.log(x[-1]))

    start = np.full(members + 1, 1.0 / (members + 1))
    found = minimize(
        objective,
        start,
        method="SLSQP",
        bounds=[(1e-9, 1.0)] * (members + 1),
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1.0},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert objective(np.array([*weights, 5 * bias])) <= found.fun + 1e-3
    assert [*weights, 5 * bias] == pytest.approx(found.x, abs=1e-3)
    assert weights[-1] > weights[0]


def test_a_member_that_knows_the_clips_by_heart_does_not_win_all() -> None:
    scores, truth = random_scores(2, 300, 4)
    scores[0] = 1e-9
    scores[0, np.arange(300), truth] = 1.0
    weights, bias = fit_ensemble.mixture(scores, truth)
    assert 0.2 < weights[1] < weights[0]
    assert 0.0 < bias < 0.01


def test_equal_members_get_equal_weights() -> None:
    scores, truth = random_scores(1, 100, 4)
    weights, _ = fit_ensemble.mixture(np.concatenate([scores, scores]), truth)
    assert weights[0] == weights[1]


def test_clips_that_all_members_get_wrong() -> None:
    scores = np.zeros((2, 6, 3))
    scores[:, :, 0] = 1.0
    weights, bias = fit_ensemble.mixture(scores, np.array([0, 0, 0, 0, 1, 2]))
    assert np.isfinite(weights).all()
    assert bias > 0.02


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory, synthetic: Path) -> list[Path]:
    folder = tmp_path_factory.mktemp("members")
    labels = Dataset.load(synthetic).labels
    return [
        small(folder / "fine.tflite", labels, filters=6, width=2.0),
        small(folder / "wide.tflite", labels, filters=4, width=4.0),
    ]


def test_command(
    members: list[Path], synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = []
    for name in ("a", "b"):
        out = tmp_path / name / "both.toml"
        capsys.readouterr()
        assert asc_tiny("ensemble", *members, "--data", synthetic, "--out", out, "--json") == 0
        report = json.loads(capsys.readouterr().out)
        texts.append(out.read_text())
    assert texts[0] == texts[1]
    loaded = ensemble.load(out)
    assert [member.weight for member in loaded.members] == [
        row["weight"] for row in report["scores"][:2]
    ]
    assert loaded.bias[0] == report["bias"]
    assert 'sha256 = "' in texts[0]
    names = [row["name"] for row in report["scores"]]
    assert names == ["fine", "wide", "equal weights", "ensemble"]
    losses = [row["log_loss"] for row in report["scores"]]
    assert losses[3] <= max(losses[:2])
    assert report["fit"]["clips"] == len(Dataset.load(synthetic).split("train"))


def test_command_refuses(
    members: list[Path], synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = {
        "2 members or more": ([members[0]], tmp_path / "x.toml"),
        "must end in .toml": (members, tmp_path / "x.json"),
        "members must have the same labels": ([members[0], MODEL], tmp_path / "x.toml"),
        "scene": ([MODEL, MODEL], tmp_path / "x.toml"),
    }
    for reason, (files, out) in cases.items():
        capsys.readouterr()
        assert asc_tiny("ensemble", *files, "--data", synthetic, "--out", out) == 2
        assert reason in capsys.readouterr().err
        assert not out.exists()
