"""Several trainings of one recipe: mean and spread, paired comparison, and resuming."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.dataset import Clip
from asc_tiny.evaluation import study
from asc_tiny.evaluation.bootstrap import interval, paired_difference
from asc_tiny.evaluation.study import FoldResult
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.recipes import RECIPE


def result(hits, *, fold=1, seeds=None, recordings=None):
    hits = np.asarray(hits, float)
    recordings = recordings or [f"r-{n}" for n in range(hits.shape[1])]
    clips = tuple(
        Clip(Path(f"{fold}-{n}.wav"), f"{fold}-{n}.wav", "a", name, "m")
        for n, name in enumerate(recordings)
    )
    return FoldResult(fold, tuple(seeds or range(len(hits))), clips, hits, 1.0 - hits)


def test_figures_are_over_trainings():
    """Numbers by hand: a seed's accuracy over folds is that of all clips together."""
    first = result([[1, 1, 1, 0], [1, 0, 0, 0]])
    second = result([[1, 1], [1, 0]], fold=2)
    document = study.to_json([first, second])
    found = document["folds"]["1"]["accuracy"]
    assert found == pytest.approx(
        {"mean": 0.5, "deviation": 0.5 * np.sqrt(0.5), "low": 0.25, "high": 0.75}
    )
    both = document["all"]
    assert (both["trainings"], both["clips"]) == (2, 6)
    assert both["accuracy"]["low"] == pytest.approx(2 / 6)
    assert both["accuracy"]["high"] == pytest.approx(5 / 6)
    assert document["runs"][1] == {"fold": 1, "seed": 1, "accuracy": 0.25, "log_loss": 0.75}
    lines = study.table(document).splitlines()
    assert lines[-1].split()[:4] == ["all", "2", "0.5833", "0.3536"]
    with pytest.raises(AscError, match="do not have the same seeds"):
        study.over_folds([first, result([[1, 1]], fold=2)])


def test_pairs_are_sharper_than_separate_intervals():
    """Two recipes that differ by a little on every recording, which differ by much."""
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.2, 1.0, 60)
    first = np.tile(hard - 0.05, (3, 1))
    names = [f"r-{n}" for n in range(60)]
    difference = paired_difference(first, np.tile(hard, (2, 1)), names)
    assert interval(difference) == pytest.approx((0.05, 0.05))
    # Trainings are drawn as well: those that differ widen it.
    spread = first + np.array([[-0.1], [0.0], [0.1]])
    low, high = interval(paired_difference(spread, np.tile(hard, (2, 1)), names))
    assert low < -0.03 and high > 0.13


def test_bootstrap_of_pairs_is_that_of_loops():
    rng = np.random.default_rng(1)
    names = ["b", "a", "b", "c", "a"]
    first, second = rng.uniform(size=(2, 5)), rng.uniform(size=(3, 5))
    found = paired_difference(first, second, names)
    from asc_tiny.evaluation import bootstrap

    recordings = bootstrap.draw(3)
    drawn = [bootstrap.draw(2, seed=1), bootstrap.draw(3, seed=2)]
    order = {"a": [1, 4], "b": [0, 2], "c": [3]}
    for d in (0, 7, 1999):
        clips = [c for r in recordings[d] for c in order["abc"[r]]]
        means = [
            np.mean([values[t, c] for t in trainings[d] for c in clips])
            for values, trainings in ((first, drawn[0]), (second, drawn[1]))
        ]
        assert found[d] == pytest.approx(means[1] - means[0])


def test_comparison_needs_the_same_clips():
    first = result([[1, 0, 1]])
    same = study.compare(first, result([[1, 1, 1]]))
    assert same.accuracy == pytest.approx(1 / 3)
    assert 0.0 < same.better < 1.0
    with pytest.raises(AscError, match="do not have the same folds"):
        study.compare(first, result([[1, 0, 1]], fold=2))


def test_folds_are_those_of_the_data(tmp_path):
    (tmp_path / "evaluation_setup").mkdir()
    for fold in (10, 2, 1):
        (tmp_path / "evaluation_setup" / f"fold{fold}_train.csv").touch()
    assert study.folds_of(tmp_path, "all") == [1, 2, 10]
    assert study.folds_of(tmp_path, "10,1") == [1, 10]
    for wanted in ("3", "1,", "x"):
        with pytest.raises(AscError, match=r"has no fold '.*', but 1, 2, 10$"):
            study.folds_of(tmp_path, wanted)
    with pytest.raises(AscError, match="no study, it has no folder such as fold1-seed1"):
        study.found(tmp_path)


def test_a_study_trains_resumes_and_compares(synthetic, tmp_path, capsys, monkeypatch):
    """Its members are what single trainings give, to the byte, also after a kill."""
    pytest.importorskip("tensorflow")
    from asc_tiny.audio.dataset import Dataset
    from asc_tiny.evaluation import study_run
    from asc_tiny.train import loop
    from asc_tiny.train import recipe as recipes

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    path, out = tmp_path / "r.toml", tmp_path / "study"
    path.write_text(RECIPE.replace("cycles = [3]", "cycles = [1]"))
    command = ["train", path, "--data", synthetic, "--out", out, "--seeds", 2]

    # In this process: starting one that imports TensorFlow takes longer than the training.
    trained = []

    def in_this_process(options, missing, jobs, members):
        for member in missing:
            trained.append(member.seed)
            study_run.train_member(options, member)

    monkeypatch.setattr(study_run, "_train_all", in_this_process)
    # A start that fails leaves nothing that the next one would run into.
    right = path.read_text()
    path.write_text('freeze = ["none such"]\n' + right)
    assert asc_tiny(*command) == 2 and "fits no layer" in capsys.readouterr().err
    assert trained.pop() == 1 and not out.exists()
    path.write_text(right)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    assert asc_tiny(*command, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert trained == [1, 2]
    assert [run["seed"] for run in document["runs"]] == [1, 2]
    infos = [json.loads((out / f"fold1-seed{s}" / "run.json").read_text()) for s in (1, 2)]
    assert [run["accuracy"] for run in document["runs"]] == pytest.approx(
        [info["evaluate_accuracy"] for info in infos], abs=1e-6
    )
    assert asc_tiny(*command) == 2
    assert "holds a study already; use --resume" in capsys.readouterr().err
    recipe = recipes.with_seed(recipes.load(path), 2)
    single = loop.train(recipe, Dataset.load(synthetic), tmp_path / "single")
    model = out / "fold1-seed2" / "model.keras"
    assert model.read_bytes() == single.model_path.read_bytes()
    # Killed before the second one was complete.
    (out / "fold1-seed2" / "scores.csv").unlink()
    before = (out / "study.json").read_bytes()
    assert asc_tiny(*command, "--resume", "--compare", out) == 2
    assert "fold1-seed2 is not complete" in capsys.readouterr().err
    assert asc_tiny(*command, "--resume") == 0
    assert trained == [1, 2, 2] and (out / "study.json").read_bytes() == before
    assert asc_tiny(*command, "--resume", "--compare", out) == 0
    assert "accuracy less that of the other study: +0.0000, 95 %" in capsys.readouterr().out


def test_options_of_studies_are_refused_for_a_single_training(synthetic, tmp_path, capsys):
    command = ["train", tmp_path / "r.toml", "--data", synthetic, "--out", tmp_path / "x"]
    assert asc_tiny(*command, "--jobs", 2) == 2
    assert "--jobs go with --seeds or --folds" in capsys.readouterr().err
    assert asc_tiny(*command, "--seeds", 2, "--strategy", "mirrored") == 2
    assert "--strategy does not go with --seeds" in capsys.readouterr().err
