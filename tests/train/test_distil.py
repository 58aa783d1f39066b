"""Knowledge distillation: its loss against the papers' formula, teachers of other shapes."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256

pytest.importorskip("tensorflow")

import keras

from asc_tiny import nets
from asc_tiny.train import distil, loop
from asc_tiny.train.augmentation import noise_mask
from asc_tiny.train.objective import Objective
from asc_tiny.train.run import save_model
from asc_tiny.train.training_data import TrainingData, predict

RECIPE = """
name = "student"
network = "ds_cnn"
[network_options]
depth = 2
channels = 16
[frontend]
n_mels = 16
n_fft = 1024
[schedule]
cycles = [2]
batch = 6
[augmentation]
frequency_mask_bands = 4
crop_columns = 30
"""
LABELS = ("a", "b", "c")


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def written(folder, tables=""):
    path = folder / "student.toml"
    path.write_text(RECIPE + tables)
    return recipes.load(path)


def teacher(path, *, seed=5, name="mobilenet", labels=3, columns=36):
    keras.utils.set_random_seed(seed)
    network = nets.build(name, (16, columns, 3), labels)
    save_model(network, path)
    return network


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_loss_is_the_divergence_of_softened_scores(temperature):
    rng = np.random.default_rng(0)
    logits = [rng.normal(0, 3, (5, 3)) for _ in range(3)]

    class Fixed:
        def __init__(self, values):
            self.values = values
            self.input_shape = (None, 1, 1, 3)

        def __call__(self, x, training):
            return softmax(self.values).astype(np.float32)

    both = distil.Teacher([Fixed(values) for values in logits[:2]], (1, 1, 3), temperature)
    got = both.loss(np.zeros((5, 1, 1, 3)), softmax(logits[2]).astype(np.float32)).numpy()
    target = (softmax(logits[0] / temperature) + softmax(logits[1] / temperature)) / 2
    student = softmax(logits[2] / temperature)
    wanted = temperature**2 * (target * np.log(target / student)).sum(axis=1)
    np.testing.assert_allclose(got, wanted, rtol=1e-4)


@pytest.mark.parametrize("name", ["mini_segnet", "mobilenet"])
def test_teachers_are_rebuilt_for_the_crop(name):
    """With the weights copied: the same as the network built for the crop at once."""
    keras.utils.set_random_seed(0)
    network = nets.build(name, (16, 36, 3), 3)
    cropped = distil.at_shape(network, (16, 24, 3))
    assert cropped.input_shape == (None, 16, 24, 3)
    for ours, theirs in zip(cropped.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert distil.at_shape(network, (16, 36, 3)) is network


def test_pruned_teachers_keep_their_filters():
    network = nets.build("mobilenet", (16, 36, 3), 3, filters={"expand": 40})
    assert distil.at_shape(network, (16, 30, 3)).get_layer("expand").filters == 40


def test_a_teacher_of_one_size_cannot_be_rebuilt():
    inputs = keras.Input((16, 36, 3))
    scores = keras.layers.Dense(3)(keras.layers.Flatten()(inputs))
    network = keras.Model(inputs, scores, name="mine")
    with pytest.raises(AscError, match="teacher mine: takes"):
        distil.at_shape(network, (16, 30, 3))


def test_student_follows_its_teacher_rather_than_the_labels(synthetic, tmp_path):
    """A teacher that calls every clip the first scene, and nothing but its word."""
    network = teacher(tmp_path / "t.keras")
    head = network.get_layer("classify")
    head.kernel.assign(0 * head.kernel)
    head.bias.assign([4.0, 0.0, 0.0])
    save_model(network, tmp_path / "t.keras")
    recipe = written(tmp_path, '[distillation]\nteacher = "t.keras"\nweight = 1\ntemperature = 1\n')
    dataset = Dataset.load(synthetic)
    run = loop.train(recipe, dataset, tmp_path / "run", cache_folder=tmp_path / "cache")
    assert run.info().files == {"t.keras": sha256((tmp_path / "t.keras").read_bytes())}
    data = TrainingData.load(dataset, recipe, tmp_path / "cache")
    scores = predict(nets.load(run.model_path), data.features)
    assert scores.mean(axis=0)[0] > 0.6
    rows = run.history()
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])


def with_two_teachers(folder):
    """Write two teachers and return a recipe that names both."""
    teacher(folder / "one.keras", seed=1)
    teacher(folder / "two.keras", seed=2)
    return written(folder, '[distillation]\nteacher = ["one.keras", "two.keras"]\n')


def test_resume_refuses_another_teacher(synthetic, tmp_path, monkeypatch):
    """What a training has of its own comes with its first epoch."""
    recipe = with_two_teachers(tmp_path)
    dataset, options = Dataset.load(synthetic), {"cache_folder": tmp_path / "cache"}
    original = loop.Trainer.epoch

    def first_alone(self, epoch, data):
        if epoch:
            raise KeyboardInterrupt
        return original(self, epoch, data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop.Trainer, "epoch", first_alone)
        loop.train(recipe, dataset, tmp_path / "cut", **options)
    teacher(tmp_path / "two.keras", seed=3)
    with pytest.raises(AscError, match=r"was trained with another two\.keras, cannot resume"):
        loop.train(recipe, dataset, tmp_path / "cut", resume=True, **options)


# Teachers have no state: what is resumed is a training like those of test_loop.py.
@pytest.mark.exhaustive
def test_resume_is_exact(synthetic, tmp_path):
    recipe = with_two_teachers(tmp_path)
    dataset, options = Dataset.load(synthetic), {"cache_folder": tmp_path / "cache"}
    whole = loop.train(recipe, dataset, tmp_path / "whole", **options)
    loop.train(recipe, dataset, tmp_path / "cut", epochs=1, **options)
    cut = loop.train(recipe, dataset, tmp_path / "cut", resume=True, **options)
    assert cut.model_sha256() == whole.model_sha256()
    assert cut.history() == whole.history()


def test_unfit_teachers_are_named(tmp_path):
    recipe = written(tmp_path, '[distillation]\nteacher = "t.keras"\n')
    with pytest.raises(AscError, match=r"^t\.keras: is neither in"):
        distil.load(recipe, LABELS)
    teacher(tmp_path / "t.keras", labels=4)
    with pytest.raises(AscError, match=r"t\.keras: 4 scores, the data 3 scenes"):
        distil.load(recipe, LABELS)
    teacher(tmp_path / "t.keras", columns=40)
    with pytest.raises(AscError, match=r"t\.keras: takes features \(16, 40, 3\), the student"):
        distil.load(recipe, LABELS)


@pytest.mark.slow
def test_a_run_with_other_scenes_or_front_end_is_no_teacher(synthetic, tmp_path):
    dataset = Dataset.load(synthetic)
    plain = written(tmp_path)
    run = loop.train(plain, dataset, tmp_path / "run", epochs=1, cache_folder=tmp_path / "cache")
    recipe = written(tmp_path, '[distillation]\nteacher = "run"\n')
    assert len(distil.load(recipe, dataset.labels)) == 1
    with pytest.raises(AscError, match=r"model\.keras: knows .*, the data has a, b, c"):
        distil.load(recipe, LABELS)
    other = RECIPE.replace("n_fft = 1024", "n_fft = 2048")
    (tmp_path / "other.toml").write_text(other + '[distillation]\nteacher = "run"\n')
    with pytest.raises(AscError, match=r"was trained with another front end"):
        distil.load(recipes.load(tmp_path / "other.toml"), run.info().labels)


def test_losses_add_up_with_the_recipes_weights(tmp_path):
    """(1 - w) cross-entropy + w T^2 KL + v mask loss, each computed by itself."""
    tables = '[distillation]\nteacher = "t.keras"\nweight = 0.3\ntemperature = 2\n'
    tables += "[noise_mask]\nweight = 0.7\n"
    recipe = written(tmp_path, tables)
    expert = teacher(tmp_path / "t.keras")
    student = nets.build("mobilenet", recipe.train_shape, 3, dropout=0.0)
    objective = Objective(recipe, student, [expert])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, *recipe.train_shape)).astype(np.float32)
    ratio = rng.uniform(size=x.shape[:3]).astype(np.float32)
    y = rng.dirichlet(np.ones(3), 6).astype(np.float32)
    got = float(objective(np.concatenate([x, ratio[..., None]], axis=-1), y))
    scores, mask = objective._model(x, training=True)
    taught = distil.at_shape(expert, recipe.train_shape)(x, training=False).numpy()
    target = softmax(np.log(taught) / 2)
    kept = softmax(np.log(scores.numpy()) / 2)
    losses = [
        -(y * np.log(scores)).sum(axis=1).mean(),
        4 * (target * np.log(target / kept)).sum(axis=1).mean(),
        noise_mask.loss(ratio, mask).numpy().mean(),
    ]
    assert got == pytest.approx(0.7 * losses[0] + 0.3 * losses[1] + 0.7 * losses[2], rel=1e-4)
