"""Training that goes wrong ends with one clear line and leaves what was good."""

from __future__ import annotations

import csv
import errno
import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.cli.main import main
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from support import trained

pytest.importorskip("tensorflow")

import keras

from asc_tiny import nets
from asc_tiny.train import loop
from asc_tiny.train.run import Run
from asc_tiny.train.training_data import TrainingData


@pytest.fixture(scope="module")
def folder(synthetic, tmp_path_factory):
    return trained.copied(synthetic, tmp_path_factory.mktemp("robust"))


@pytest.fixture(scope="module")
def recipe(folder):
    return recipes.load(folder / trained.RECIPE_FILE)


@pytest.fixture(scope="module")
def started(folder):
    """A run after its first epoch; tests work on copies."""
    return Run(folder / trained.RUN)


def copied(run: Run, path: Path) -> Run:
    shutil.copytree(run.root, path)
    return Run(path)


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_loss_that_is_not_finite_names_the_epoch(
    started, recipe, synthetic, folder, tmp_path, monkeypatch
):
    run = copied(started, tmp_path / "run")
    before = files(run.root)
    original = loop.augment.augment

    def poisoned(x, *rest):
        x, y = original(x, *rest)
        return x * np.float32(np.nan), y

    monkeypatch.setattr(loop.augment, "augment", poisoned)
    message = (
        r"^epoch 2: the loss is nan at step 1, lower schedule\.rate_max; "
        r"the checkpoint of epoch 1 is kept$"
    )
    data, cache = Dataset.load(synthetic), folder / "cache"
    with pytest.raises(AscError, match=message):
        loop.train(recipe, data, run.root, resume=True, cache_folder=cache)
    after = files(run.root)
    # From where a training can go on, as after a full disk.
    assert {**after, "run.json": b""} == {**before, "run.json": b""}


def test_weights_that_overflow_are_not_kept(recipe, synthetic, folder, tmp_path, monkeypatch):
    """The last step's loss can be finite while its update is not."""
    original = keras.optimizers.SGD.build

    def broken(self, variables):
        original(self, variables)
        variables[0].assign(np.full(variables[0].shape, np.inf, np.float32))

    trainer = loop.Trainer(recipe, 3)
    data = TrainingData.load(Dataset.load(synthetic), recipe, folder / "cache")

    def step(x, y):
        broken(keras.optimizers.SGD(), trainer._trainee.trainable_variables)
        return 1.0

    trainer._step = step
    with pytest.raises(AscError, match=r"^epoch 1: a weight is not finite, .* no checkpoint was"):
        trainer.epoch(0, data)


def test_a_scene_without_training_clips_is_named(recipe, synthetic, folder, tmp_path):
    root = shutil.copytree(synthetic, tmp_path / "data")
    path = root / "evaluation_setup" / "fold1_train.csv"
    rows = list(csv.reader(path.open(), delimiter="\t"))
    kept = [row for row in rows if row[1] != "noise_low"]
    path.write_text("".join("\t".join(row) + "\n" for row in kept))
    message = r"split train of fold 1 has no clip of scene 'noise_low', split evaluate has$"
    with pytest.raises(AscError, match=message):
        loop.train(recipe, Dataset.load(root), tmp_path / "run", cache_folder=folder / "cache")


def test_a_scene_that_the_model_does_not_know_is_named(started, tmp_path, capsys, monkeypatch):
    from asc_tiny.audio.synth import write_synthetic

    write_synthetic(tmp_path / "four", seed=1, classes=4, clips_per_class=4)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    data, out = ["--data", str(tmp_path / "four")], ["--out", str(tmp_path / "m.tflite")]
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(started.model_path), *data])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "scene 'tones_mid', " in error
    assert "knows noise_low, pulses_low, tones_low" in error
    assert error.count("\n") == 1
    with pytest.raises(SystemExit) as ended:
        main(["quantize", str(started.root), *data, *out])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "the run does not know scene 'tones_mid'" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m.tflite").exists()


def full(*_args, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("owner", "name", "epochs"),
    [
        (np, "savez", 2),
        pytest.param(np, "save", 2, marks=pytest.mark.slow),
        pytest.param(Path, "write_bytes", 2, marks=pytest.mark.slow),
        # Whose epochs are done.
        (keras.Model, "save", 1),
    ],
    ids=["checkpoint", "features", "tables", "model"],
)
def test_a_full_disk_is_one_line_and_corrupts_nothing(
    started, recipe, synthetic, folder, tmp_path, monkeypatch, owner, name, epochs
):
    run, cache = copied(started, tmp_path / "run"), folder / "cache"
    before = files(run.root)
    if name == "save" and owner is np:
        cache = tmp_path / "cache"
    monkeypatch.setattr(owner, name, full)
    with pytest.raises(AscError) as caught:
        loop.train(
            recipe,
            Dataset.load(synthetic),
            run.root,
            resume=True,
            epochs=epochs,
            cache_folder=cache,
        )
    monkeypatch.undo()
    where = cache if cache.parent == tmp_path else run.root
    named, _, reason = str(caught.value).partition(": ")
    assert Path(named).is_relative_to(where)
    assert reason == "cannot write here: No space left on device"
    after = files(run.root)
    assert set(after) == set(before), "no temporary file is left"
    assert nets.load(run.model_path).count_params() > 0
    assert run.read_checkpoint() is not None
    assert not list(cache.rglob(".*"))
    run = loop.train(
        recipe, Dataset.load(synthetic), run.root, resume=True, epochs=epochs, cache_folder=cache
    )
    assert run.info().epochs == epochs
