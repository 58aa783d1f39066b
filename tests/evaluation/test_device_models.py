"""A network for each device: fine-tuned, chosen on recordings held out, evaluated by a map."""

from __future__ import annotations

import dataclasses
import json

import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.audio.synth import write_synthetic
from asc_tiny.evaluation import device_map
from asc_tiny.train import recipe as recipes
from asc_tiny.train import training_clips
from asc_tiny.util.errors import AscError

NETWORK = """
import keras
from keras import layers

def build(input_shape, classes, *, dropout=0.0):
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv")(inputs)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(classes, name="classify")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x))
"""
RECIPE = """
name = "small"
network = "net.py:build"
validation_share = 0.3
[frontend]
sample_rate = 16000
clip_samples = 16000
n_mels = 16
n_fft = 512
hop = 256
f_max = 8000
[schedule]
cycles = [12]
rate_max = 0.03
batch = 8
[augmentation]
mixup_alpha = 0.0
frequency_mask_bands = 0
crop_columns = 0
time_mask_columns = 0
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Every device at every location."""
    root = tmp_path_factory.mktemp("synthetic")
    write_synthetic(root, seed=1, clips_per_class=32, sample_rate=16000)
    return Dataset.load(root)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    (folder / "net.py").write_text(NETWORK)
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def recipe(folder):
    return recipes.load(folder / "recipe.toml")


def test_recordings_are_held_out_whole_in_each_scene(dataset):
    parted = training_clips.with_validation(dataset, 0.3)
    train, held_out = parted.split("train"), parted.split("validation")
    assert {*train, *held_out} == {*dataset.split("train")}
    assert not {c.identifier for c in train} & {c.identifier for c in held_out}
    assert {c.scene for c in train} == {c.scene for c in held_out} == set(dataset.labels)
    assert parted.split("test") == dataset.split("test")
    again = dataclasses.replace(dataset, splits=dict(reversed(dataset.splits.items())))
    assert training_clips.with_validation(again, 0.3).split("validation") == held_out
    assert training_clips.with_validation(dataset, 0.0) == dataset
    one = dataclasses.replace(
        dataset,
        splits={
            **dataset.splits,
            "train": tuple(c for c in train if c.identifier == train[0].identifier),
        },
    )
    with pytest.raises(AscError, match=r"validation_share = 0.3: class .* has 1 group"):
        training_clips.with_validation(one, 0.3)


def test_clips_of_one_device(dataset):
    of_a = training_clips.of_device(dataset, "a")
    for name in ("train", "evaluate"):
        assert of_a.split(name) == tuple(c for c in dataset.split(name) if c.device == "a")
    assert of_a.split("test") == dataset.split("test")
    with pytest.raises(AscError, match="split train has no clip of device 'z', it has a, b, c, s1"):
        training_clips.of_device(dataset, "z")


def test_a_map_is_read_as_it_was_written(tmp_path):
    models = device_map.DeviceMap(tmp_path / "x.keras", {"a b": tmp_path / "runs" / "y.keras"})
    device_map.write(tmp_path / "devices.toml", models)
    assert device_map.is_one(tmp_path / "devices.toml")
    assert device_map.read(tmp_path / "devices.toml") == models


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema = 2\n[devices]\n", "schema 2, this version reads schema 1"),
        ("schema = 1\n[devices]\n", "other is missing"),
        ('schema = 1\nother = "a"\nbest = 1\n[devices]\n', "unknown key 'best'"),
        ('schema = 1\nother = "a"\n[devices]\na = 1\n', "devices.a = 1, must be a text"),
    ],
)
def test_maps_that_are_none(text, message, tmp_path):
    path = tmp_path / "devices.toml"
    path.write_text(text)
    with pytest.raises(AscError, match=message):
        device_map.read(path)


@pytest.fixture(scope="module")
def general(recipe, dataset, folder):
    pytest.importorskip("tensorflow")
    from asc_tiny.train import loop

    return loop.train(recipe, dataset, folder / "general", epochs=1, cache_folder=folder / "cache")


def test_fine_tuned_where_that_is_better(recipe, dataset, folder, general, monkeypatch):
    from asc_tiny.evaluation import device_models, systems
    from asc_tiny.evaluation.evaluate import evaluate

    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
    recipe = recipes.fine_tuning(recipe, init=str(general.root))
    options = {"cache_folder": folder / "cache"}
    out = folder / "out"
    choices = device_models.fine_tune(recipe, dataset, out, "a,s1", **options)
    assert [choice.device for choice in choices] == ["a", "s1"]
    # An epoch is not enough for all devices; twelve on its own clips are for one.
    assert any(choice.fine_tuned > choice.general for choice in choices)
    trained = recipes.load(out / "device-a" / "recipe.toml")
    assert (trained.device, trained.init) == ("a", str(general.root))
    models = device_map.read(out / "devices.toml")
    for choice in choices:
        of_device = out / f"device-{choice.device}"
        kept = of_device if choice.chosen == "fine-tuned" else general.root
        assert models.by_device[choice.device].resolve() == (kept / "model.keras").resolve()
    assert models.other.resolve() == general.model_path.resolve()
    written = json.loads((out / "selection.json").read_text())
    assert [each["chosen"] for each in written["devices"]] == [c.chosen for c in choices]

    paths = [out / "devices.toml", general.model_path, *models.by_device.values()]
    mapped, of_general, *of_devices = evaluate(systems.load(paths), dataset, "evaluate")
    found = mapped.results["float"].devices
    for choice, alone in zip(choices, of_devices, strict=True):
        assert found[choice.device] == alone.results["float"].devices[choice.device]
    assert found["b"] == of_general.results["float"].devices["b"]
    assert set(mapped.to_json()["devices"]) == {"a", "s1", "other"}

    kept = (out / "devices.toml").read_bytes()
    monkeypatch.setattr(device_models, "_accuracy", lambda run, clips: 0.5)
    same = device_models.fine_tune(recipe, dataset, out, "a,s1", resume=True, **options)
    assert [choice.chosen for choice in same] == ["general", "general"]
    assert (out / "devices.toml").read_bytes() != kept


def test_a_choice_on_what_was_learnt_is_refused(recipe, dataset, folder, general):
    from asc_tiny.evaluation import device_models

    def refused(message, wanted="each", init=str(general.root), **values):
        changed = recipes.fine_tuning(dataclasses.replace(recipe, **values), init=init)
        with pytest.raises(AscError, match=message):
            device_models.fine_tune(changed, dataset, folder / "nothing", wanted)

    refused("validation_share is 0", validation_share=0.0)
    refused("validation_share = 0.3, the recipe has 0.4", validation_share=0.4)
    refused("--init or the recipe's init", init="")
    refused("'z' has no clips in train, validation and evaluate, a, b, c, s1 have", "a,z")
    assert not (folder / "nothing").exists()
