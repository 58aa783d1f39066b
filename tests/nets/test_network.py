"""Networks of others: from a file of Python, from a file of Keras, from a package."""

from __future__ import annotations

import dataclasses
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from asc_tiny import nets
from asc_tiny.audio.dataset import Dataset
from asc_tiny.nets import network as networks
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256
from support.recipes import WITHOUT_NETWORK

pytest.importorskip("tensorflow")

import keras
from keras import layers

from asc_tiny.compress.prune.goal import Rate
from asc_tiny.compress.prune.run import Settings, prune
from asc_tiny.compress.quantize_run import quantize_run
from asc_tiny.nets.rebuild import rebuilt
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train import loop
from asc_tiny.train.run import Run, save_model

SHAPE = (16, 12, 3)

MINE = '''
import keras
from keras import layers

UNPRUNED = ("stem",)

@keras.saving.register_keras_serializable(package="mine")
class Norm(layers.BatchNormalization):
    """A layer that Keras does not have."""

def build(input_shape, classes, *, width: float = 1.0, depth: int = 1):
    x = inputs = keras.Input(input_shape)
    for number in range(depth):
        name = f"block{number}" if number else "stem"
        x = layers.Conv2D(round(8 * width), 3, padding="same", name=name)(x)
        x = layers.ReLU()(Norm()(x))
    x = layers.Dense(classes)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Softmax()(x))
'''


def written(folder: Path, network: str, more: str = "") -> recipes.Recipe:
    """Write a recipe and the file of the network beside it, and read it."""
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    (folder / "parts" / "mine.py").write_text(MINE)
    (folder / "mine.toml").write_text(f'network = "{network}"\n{WITHOUT_NETWORK}{more}')
    return recipes.load(folder / "mine.toml")


@pytest.fixture(scope="module")
def folder(synthetic, tmp_path_factory):
    """A recipe, its run after an epoch, and the run pruned once."""
    folder = tmp_path_factory.mktemp("mine")
    recipe = written(folder, "parts/mine.py:build", "[network_options]\nwidth = 1.5\ndepth = 2\n")
    data, cache = Dataset.load(synthetic), folder / "cache"
    run = loop.train(recipe, data, folder / "run", epochs=1, cache_folder=cache)
    settings = Settings(steps=1, epochs_per_step=1, final_epochs=1, rate_max=0.01)
    # The run is what is left: what the user has may move on.
    (folder / "parts" / "mine.py").write_text("broken")
    prune(run, data, folder / "pruned", Rate(0.5), settings, cache_folder=cache)
    return folder


def test_a_network_in_a_file_trains_and_travels_with_its_run(folder):
    run = Run(folder / "run")
    assert run.model().get_layer("block1").filters == 12
    assert (run.root / "network" / "parts" / "mine.py").read_text() == MINE
    assert run.info().files == {"parts/mine.py": sha256(MINE.encode())}


def test_it_is_pruned_but_for_what_it_says(folder):
    before, after = Run(folder / "run").model(), Run(folder / "pruned").model()
    assert after.get_layer("stem").filters == before.get_layer("stem").filters == 12
    assert after.get_layer("block1").filters == 6
    assert Run(folder / "pruned").recipe().filters == {"block1": 6}
    assert type(after.layers[2]).__name__ == "Norm"


def test_it_is_quantized(folder, synthetic, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "user"))
    data = quantize_run(Run(folder / "pruned"), Dataset.load(synthetic), calibration=4)
    assert Interpreter(data, "mine").input_shape == Run(folder / "run").recipe().frontend.shape


def test_resume_refuses_another_file(folder, synthetic):
    changed = MINE.replace("round(8", "round(7")
    (folder / "parts" / "mine.py").write_text(changed)
    recipe = recipes.load(folder / "mine.toml")
    with pytest.raises(AscError, match=r"was trained with another parts/mine\.py, cannot resume"):
        loop.train(
            recipe,
            Dataset.load(synthetic),
            folder / "run",
            resume=True,
            cache_folder=folder / "cache",
        )
    assert (folder / "run" / "network" / "parts" / "mine.py").read_text() == MINE


@pytest.mark.parametrize(
    ("network", "more", "message"),
    [
        ("parts/none.py:build", "", r"parts/none.py is not in"),
        ("parts/mine.py:other", "", r"mine.py: has no function other"),
        ("parts/mine.py:build", "[network_options]\nheight = 2\n", "unknown, .* has width, depth"),
        (
            "parts/mine.py:build",
            "[network_options]\nwidth = '2'\n",
            "width = '2', must be",
        ),
        ("parts/mine.py:build", "[network_options]\nwidth = 0\n", "cannot be built: ValueError"),
        (
            "parts/mine.py:build",
            "[filters]\nstem = 9\n",
            r"filters.stem = 9, allowed: stem up",
        ),
        (
            "mobilenet",
            "[network_options]\nwidth = 99\n",
            "width = 99.0, allowed: above 0",
        ),
        ("mobilenet", "[network_options]\nfilters = 1\n", "filters: unknown, mobilenet has width"),
    ],
)
def test_a_network_that_cannot_be_built_is_named(tmp_path, network, more, message):
    recipe = written(tmp_path, network, more)
    with pytest.raises(AscError, match=message) as caught:
        loop.build(recipe, SHAPE, 3)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "name", ["../mine.py:build", "/mine.py:build", "a\\b.py:f", "mine.py", "a:b"]
)
def test_other_places_are_no_names(tmp_path, name):
    assert not networks.is_name(name)


def test_dropout_of_a_network_without_is_named(tmp_path):
    recipe = written(tmp_path, "parts/mine.py:build")
    with pytest.raises(AscError, match=r"dropout = 0.5: network .* has no dropout"):
        loop.build(dataclasses.replace(recipe, dropout=0.5), SHAPE, 3)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 3", "'int' is no keras.Model"),
        ("return head(layers.Dense(classes + 1))", r"gives \(4,\), the data has 3 classes"),
        ("return head(layers.Dense(classes))", "must end in probabilities"),
        ("raise SystemExit(4)", "cannot be built: SystemExit: 4"),
        ("import nothing_of_this_name", "cannot be built: ModuleNotFoundError"),
    ],
)
def test_what_is_no_network_is_named(tmp_path, body, message):
    (tmp_path / "bad.py").write_text(
        "import keras\nfrom keras import layers\n"
        "def build(shape, classes):\n"
        "    x = keras.Input(shape)\n"
        "    head = lambda y: keras.Model(x, y(layers.GlobalAveragePooling2D()(x) + 1))\n"
        f"    {body}\n"
    )
    with pytest.raises(AscError, match=message):
        nets.build("bad.py:build", SHAPE, 3, folder=tmp_path)


def saved(path: Path, head: str) -> Path:
    """Write a small network of 16 columns whose end is of some kind."""
    keras.utils.set_random_seed(3)
    x = inputs = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.Conv2D(6, 3, strides=2, name="conv")(x))
    if head != "map":
        x = layers.GlobalAveragePooling2D()(x)
    if head == "scores":
        x = layers.Dense(3, activation="softmax")(x)
    save_model(keras.Model(inputs, x, name="backbone"), path)
    return path


@pytest.mark.parametrize("head", ["map", "embedding", "scores"])
def test_a_saved_network_keeps_its_weights_and_gets_a_classifier(tmp_path, head):
    path = saved(tmp_path / "backbone.keras", head)
    model = nets.build("backbone.keras", SHAPE, 3, folder=tmp_path)
    assert model.input_shape[1:] == SHAPE and model.output_shape == (None, 3)
    ours, theirs = (m.get_layer("conv").get_weights() for m in (model, nets.load(path)))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert ("new_classify" in [layer.name for layer in model.layers]) == (head != "scores")


@pytest.mark.parametrize(
    ("head", "shape", "classes", "message"),
    [
        ("scores", SHAPE, 4, "gives scores of 3 classes, the data has 4"),
        ("map", (12, 16, 3), 3, r"takes \(16, 16, 3\), the features are \(12, 16, 3\)"),
    ],
)
def test_a_saved_network_that_does_not_fit_is_named(tmp_path, head, shape, classes, message):
    saved(tmp_path / "backbone.keras", head)
    with pytest.raises(AscError, match=message):
        nets.build("backbone.keras", shape, classes, folder=tmp_path)


def test_a_package_brings_a_network(tmp_path, monkeypatch):
    (tmp_path / "their_nets.py").write_text(MINE)
    info = tmp_path / "their_nets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-nets\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{networks.GROUP}]\ntheirs = their_nets:build\n")
    assert not networks.is_name("theirs")
    monkeypatch.syspath_prepend(tmp_path)
    assert metadata.entry_points(group=networks.GROUP, name="theirs")
    recipe = written(tmp_path, "theirs", "[network_options]\ndepth = 3\n")
    assert loop.build(recipe, SHAPE, 3).get_layer("block2").filters == 8
    assert recipe.find_network().digests() == {"theirs": sha256(MINE.encode())}
    assert recipe.find_network().unpruned == ("stem",)


def test_a_network_anew_follows_its_input():
    """A resize by a whole factor stays one, and a sum of two sizes is refused."""
    model = nets.build("mini_segnet", (16, 8, 3), 3, width=0.25)
    wider = rebuilt(model, input_shape=(16, 24, 3), filters={"encoder1": 5})
    assert wider.get_layer("decoder3_double").output.shape[1:3] == (16, 24)
    assert wider.get_layer("encoder1").filters == 5
    assert wider.get_layer("encoder1_norm").gamma.shape == (5,)
    with pytest.raises(AscError, match=r"cannot be built for features .* and filters"):
        rebuilt(nets.build("mobilenet", SHAPE, 3), filters={"low_conv2": 3})
