"""Training: it learns, it repeats, and a killed run resumed equals one that was not killed."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
import time

import numpy as np
import pytest

from asc_tiny import nets
from asc_tiny.audio.dataset import Dataset
from asc_tiny.features import cache
from asc_tiny.frontend import fixed
from asc_tiny.train import recipe as recipes
from asc_tiny.train.augmentation.augment import rounded
from asc_tiny.train.recipe_tables import MixupNormalisation
from asc_tiny.util import locks
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256
from support.commands import asc_tiny

pytest.importorskip("tensorflow")

from asc_tiny.compress.quantize_run import quantize_run
from asc_tiny.train import loop
from asc_tiny.train.run import Run, save_model
from asc_tiny.train.training_data import TrainingData

RECIPE = """
name = "small"
network = "ds_cnn"
seed = 3
dropout = 0.2
[network_options]
depth = 2
channels = 16
[frontend]
n_mels = 16
n_fft = 1024
[schedule]
cycles = [1, 2]
batch = 6
weight_decay = 1e-4
[augmentation]
frequency_mask_bands = 4
quantise_input = true
"""
FIXED = ["--features", "fixed"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def recipe(folder):
    path = folder / "small.toml"
    path.write_text(RECIPE)
    return recipes.load(path)


@pytest.fixture(scope="module")
def dataset(synthetic):
    return Dataset.load(synthetic)


@pytest.fixture(scope="module")
def whole(recipe, dataset, folder):
    return loop.train(recipe, dataset, folder / "whole", cache_folder=folder / "cache")


def hashes(run: Run) -> dict[str, str]:
    files = [run.model_path, run.history_path, run.info_path, run.recipe_path]
    return {path.name: sha256(path.read_bytes()) for path in files}


def test_run_folder_holds_what_later_commands_need(whole, recipe, dataset):
    info = json.loads(whole.info_path.read_text())
    assert info["labels"] == sorted({clip.scene for clip in dataset.clips})
    assert info["dataset_fingerprint"] == dataset.fingerprint()
    assert info["epochs"] == 3
    assert info["frontend"]["n_mels"] == 16
    assert whole.recipe_path.read_bytes() == recipe.source
    rows = list(csv.DictReader(whole.history_path.open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    model = nets.load(whole.model_path)
    assert model.input_shape[1:] == recipe.frontend.shape
    assert model.output_shape == (None, 3)


def test_run_states_the_accuracy_of_the_saved_model(whole, recipe, dataset, folder):
    clips = dataset.split("evaluate")
    features = cache.load(clips, recipe.frontend, folder=folder / "cache")
    scores = nets.load(whole.model_path).predict(features.take(np.arange(len(features))), verbose=0)
    truth = [dataset.labels.index(clip.scene) for clip in clips]
    accuracy = np.mean(scores.argmax(axis=1) == truth)
    assert whole.info().evaluate_accuracy == pytest.approx(accuracy, abs=1e-6)


def test_history_has_the_figures_of_the_last_weights(recipe, dataset, folder, whole):
    """Before the batch-norm statistics are measured anew: the checkpoint's own network."""
    trainer = loop.Trainer(recipe, len(dataset.labels))
    assert trainer.restore(whole) == 3
    data = TrainingData.load(dataset, recipe, folder / "cache")
    loss, accuracy = data.evaluate(trainer.model)
    last = whole.history()[-1]
    assert float(last["evaluate_loss"]) == pytest.approx(loss, abs=1e-5)
    assert float(last["evaluate_accuracy"]) == pytest.approx(accuracy, abs=1e-5)


def test_batch_norm_is_measured_on_clips_without_augmentation(whole, recipe, dataset, folder):
    import keras

    features = cache.load(dataset.split("train"), recipe.frontend, folder=folder / "cache")
    x = rounded(features.take(np.arange(len(features))), whole.info().frontend.quantization)
    model = nets.load(whole.model_path)
    layer = model.get_layer("point1_norm")
    values = keras.Model(model.input, layer.input)(x).numpy()
    np.testing.assert_allclose(layer.moving_mean, values.mean(axis=(0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(layer.moving_variance, values.var(axis=(0, 1, 2)), rtol=1e-3)


@pytest.mark.slow
def test_a_recipe_can_keep_the_statistics_of_training(whole, folder, dataset):
    """The saved network is then the checkpoint's, batch-norm and all."""
    path = folder / "kept.toml"
    path.write_text("recalibrate = false\n" + RECIPE)
    kept = recipes.load(path)
    run = loop.train(kept, dataset, folder / "kept", epochs=1, cache_folder=folder / "cache")
    trainer = loop.Trainer(kept, len(dataset.labels))
    assert trainer.restore(run) == 1
    saved = nets.load(run.model_path).get_weights()
    for expected, value in zip(trainer.model.get_weights(), saved, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert float(run.history()[-1]["evaluate_accuracy"]) == run.info().evaluate_accuracy


def test_input_quantization_covers_the_training_features(whole, recipe, dataset, folder):
    features = cache.load(dataset.split("train"), recipe.frontend, folder=folder / "cache")
    values = features.take(np.arange(len(features)))
    quantization = whole.info().frontend.quantization
    low = quantization.scale * (-128 - quantization.zero_point)
    high = quantization.scale * (127 - quantization.zero_point)
    assert low == pytest.approx(values.min(), abs=quantization.scale)
    assert high == pytest.approx(values.max(), abs=quantization.scale)


# A run that is killed and resumed to the same bytes says so, too.
@pytest.mark.slow
def test_a_second_run_gives_the_same_bytes(whole, recipe, dataset, folder):
    again = loop.train(recipe, dataset, folder / "again", cache_folder=folder / "cache")
    assert hashes(again) == hashes(whole)


@pytest.mark.parametrize("stop", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_resuming_gives_the_bytes_of_an_uninterrupted_run(
    whole, recipe, dataset, folder, monkeypatch, stop
):
    """Killed in the middle of an epoch, after ``stop`` whole ones."""
    out = folder / f"killed{stop}"
    original = loop.Trainer.epoch

    def killed(self, epoch, data):
        row = original(self, epoch, data)
        if epoch == stop:
            raise KeyboardInterrupt
        return row

    monkeypatch.setattr(loop.Trainer, "epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        loop.train(recipe, dataset, out, cache_folder=folder / "cache")
    monkeypatch.undo()
    assert len(Run(out).history()) == stop
    assert not Run(out).model_path.exists()
    run = loop.train(recipe, dataset, out, resume=True, cache_folder=folder / "cache")
    assert hashes(run) == hashes(whole)


# It goes on from a checkpoint like that of a run that is killed.
@pytest.mark.slow
def test_resume_completes_a_schedule_that_epochs_cut(whole, recipe, dataset, folder):
    out = folder / "cut"
    run = loop.train(recipe, dataset, out, epochs=2, cache_folder=folder / "cache")
    assert run.history() == whole.history()[:2]
    run = loop.train(recipe, dataset, out, resume=True, cache_folder=folder / "cache")
    assert hashes(run) == hashes(whole)


@pytest.fixture(scope="module")
def integer_recipe(recipe, folder):
    return recipes.load(folder / "small.toml", features="fixed")


@pytest.fixture(scope="module")
def integer_run(recipe, synthetic, folder):
    """A run by the command line."""
    arguments = [
        "train",
        folder / "small.toml",
        "--data",
        synthetic,
        "--out",
        folder / "fixed",
        *FIXED,
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
        assert asc_tiny(*arguments) == 0
    return Run(folder / "fixed")


def test_all_features_can_come_from_the_integer_front_end(recipe, dataset, folder, whole):
    """Also those of a finer training resolution; the float features set the scale."""
    finer = dataclasses.replace(recipe, features="fixed", time_resolution=2)
    data = TrainingData.load(dataset, finer, folder / "cache")
    quantization = whole.info().frontend.quantization
    assert data.quantization == quantization
    parts = {
        "train": (data.features, finer.train_frontend),
        "inference": (data.inference_features, recipe.frontend),
        "evaluate": (data.evaluate_features, recipe.frontend),
    }
    for name, (features, config) in parts.items():
        clip = dataset.split("evaluate" if name == "evaluate" else "train")[1]
        config = config.quantized(quantization.scale, quantization.zero_point)
        codes = fixed.features(cache.clip_pcm(clip, config), config).astype(np.float64)
        values = (codes - quantization.zero_point) * quantization.scale
        np.testing.assert_array_equal(features.take(np.array([1]))[0], values.astype(np.float32))


def test_a_run_on_integer_features_says_so(integer_run, whole):
    assert integer_run.recipe().features == "fixed"
    assert integer_run.info() == dataclasses.replace(
        whole.info(), evaluate_accuracy=integer_run.info().evaluate_accuracy
    )
    assert integer_run.history() != whole.history()


# As on float features, of which one is in the default run.
@pytest.mark.slow
def test_resuming_on_integer_features_gives_the_same_bytes(
    integer_run, integer_recipe, recipe, dataset, folder
):
    out = folder / "fixed cut"
    loop.train(integer_recipe, dataset, out, epochs=1, cache_folder=folder / "cache")
    run = loop.train(
        integer_recipe, dataset, out, resume=True, cache_folder=folder / "another cache"
    )
    assert hashes(run) == hashes(integer_run)


def test_integer_features_are_another_recipe(integer_run, recipe, dataset, folder):
    with pytest.raises(AscError, match="was trained with another recipe"):
        loop.train(recipe, dataset, integer_run.root, resume=True, cache_folder=folder / "cache")


def test_a_run_is_not_overwritten(whole, recipe, dataset):
    with pytest.raises(AscError, match="holds a run already; use --resume"):
        loop.train(recipe, dataset, whole.root)


def test_a_start_that_fails_leaves_nothing(recipe, dataset, folder, whole):
    """What is corrected can be started in the same place."""
    out = folder / "corrected"
    faults = [
        ({"init": str(whole.recipe_path)}, "not a file of weights"),
        ({"freeze": ("no such layer",)}, "fits no layer"),
        ({"filters": {"no such layer": 3}}, "no such layer"),
    ]
    for fault, message in faults:
        wrong = dataclasses.replace(recipe, **fault)
        with pytest.raises(AscError, match=message):
            loop.train(wrong, dataset, out, epochs=1, cache_folder=folder / "cache")
        assert not out.exists()


def test_an_epoch_that_fails_leaves_nothing(recipe, dataset, folder, monkeypatch):
    def fail(*arguments):
        raise AscError("the loss is nan")

    monkeypatch.setattr(loop.Trainer, "learn", fail)
    with pytest.raises(AscError, match="nan"):
        loop.train(recipe, dataset, folder / "nan", cache_folder=folder / "cache")
    assert not (folder / "nan").exists()


def test_resume_refuses_another_recipe(whole, dataset, folder):
    path = folder / "other.toml"
    path.write_text(RECIPE.replace("seed = 3", "seed = 4"))
    with pytest.raises(AscError, match="was trained with another recipe"):
        loop.train(recipes.load(path), dataset, whole.root, resume=True)


def test_resume_refuses_another_dataset(whole, recipe, folder, esc10):
    with pytest.raises(AscError, match="was trained on another data set"):
        loop.train(
            recipe, Dataset.load(esc10), whole.root, resume=True, cache_folder=folder / "cache"
        )


def test_weight_decay_shrinks_kernels_only(recipe):
    trainer = loop.Trainer(recipe, 3)
    kept = [v for v in trainer.model.trainable_variables if len(v.shape) < 2]
    excluded = [
        v
        for v in trainer._trainee.trainable_variables
        if not trainer._optimizer._use_weight_decay(v)
    ]
    assert len(excluded) == len(kept) > 0


@pytest.mark.slow
def test_mixup_normalization_is_the_recipes(recipe):
    table = MixupNormalisation(alpha=0.7, share=0.4)
    recipe = dataclasses.replace(
        recipe, network="mini_segnet", network_options={}, mixup_normalization=table
    )
    layer = loop.build(recipe, recipe.train_shape, 3).get_layer("decoder3_norm")
    assert (layer.alpha, layer.share) == (0.7, 0.4)
    assert layer.get_config()["share"] == 0.4, "it is saved with the network"


def test_it_learns(dataset, folder):
    path = folder / "learn.toml"
    text = RECIPE.replace("cycles = [1, 2]", "cycles = [24]\nrate_max = 0.03")
    # The last batch of an epoch has 3 of the 18 clips.
    text = text.replace("batch = 6", "batch = 5")
    path.write_text(text + "mixup_alpha = 0.0\n")
    run = loop.train(recipes.load(path), dataset, folder / "learn", cache_folder=folder / "cache")
    losses = [float(row["loss"]) for row in run.history()]
    # One epoch of six clips is noise, which differs between processors.
    assert np.mean(losses[-10:]) < 0.7 * losses[0]
    assert run.info().evaluate_accuracy > 0.7, "1/3 by chance"


def test_saved_models_do_not_depend_on_the_time(whole, tmp_path):
    import keras

    model = nets.load(whole.model_path)
    save_model(model, tmp_path / "copy.keras")
    time.sleep(2.1)  # Zip keeps the time in steps of two seconds.
    save_model(model, tmp_path / "later.keras")
    assert (tmp_path / "copy.keras").read_bytes() == (tmp_path / "later.keras").read_bytes()
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype(np.float32)
    copy = keras.models.load_model(tmp_path / "copy.keras")
    np.testing.assert_array_equal(model(x).numpy(), copy(x).numpy())


def test_a_file_that_is_no_model_is_named(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"nothing")
    with pytest.raises(AscError, match=r"model.keras: not a Keras model"):
        nets.load(path)


def test_a_second_training_in_the_same_folder_is_refused(recipe, dataset, folder, whole):
    """As the first, with the same recipe or another: weights never meet the other's recipe."""
    before = hashes(whole)
    with locks.exclusive(whole.root):
        for resume in (False, True):
            with pytest.raises(AscError, match="whole: is being written by another run"):
                loop.train(recipe, dataset, whole.root, resume=resume)
    with locks.exclusive(folder / "other"), pytest.raises(AscError, match="by another run"):
        loop.train(recipe, dataset, folder / "other")
    assert hashes(whole) == before and not (folder / "other").exists()


def test_command_line(whole, recipe, synthetic, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
    out = tmp_path / "cli"
    command = ["train", folder / "small.toml", "--data", synthetic, "--out", out]
    assert asc_tiny(*command, "--epochs", 1) == 0
    assert "1 epochs, float accuracy" in capsys.readouterr().out
    assert Run(out).info().epochs == 1
    assert Run(out).history() == whole.history()[:1], "the schedule is cut"
    assert asc_tiny(*command) == 2
    assert "use --resume" in capsys.readouterr().err
    assert asc_tiny(*command, "--resume", *FIXED) == 2
    assert "was trained with another recipe" in capsys.readouterr().err


def test_a_run_keeps_to_its_fold(whole, dataset, tmp_path):
    """A run of another fold knows clips that are to test it."""
    run = Run(shutil.copytree(whole.root, tmp_path / "run"))
    assert run.info().fold == 1
    other = dataclasses.replace(dataset, fold=2)
    with pytest.raises(AscError, match="was trained on fold 1, this is fold 2; give --fold 1"):
        run.info().check_fold(run.root, other)
    run.write_info(dataclasses.replace(run.info(), fold=3))
    assert run.info().fold == 3
    with pytest.raises(AscError, match="was trained on fold 3, this is fold 1; give --fold 3"):
        quantize_run(run, dataset)
    with pytest.raises(AscError, match="give --fold 3"):
        loop.train(run.recipe(), dataset, run.root, resume=True, cache_folder=tmp_path)
