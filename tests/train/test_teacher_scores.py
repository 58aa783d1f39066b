"""Teachers as files of scores, and how weight and temperature change along the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.train import recipe as recipes
from asc_tiny.train import teacher_scores
from asc_tiny.train.recipe_tables import Distillation
from asc_tiny.util.errors import AscError

pytest.importorskip("tensorflow")

import keras

from asc_tiny import nets
from asc_tiny.train import distil, loop
from asc_tiny.train.objective import Objective
from asc_tiny.train.training_data import TrainingData, predict

LABELS = ("a", "b", "c")
CLIPS = [Clip(Path(name), f"audio/{name}", "a", "x-1", "m") for name in ("1.wav", "2.wav")]


def test_scores_are_found_by_names_and_labels(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("filename,c,a,b\n2.wav,0.2,0.5,0.3\naudio/1.wav,0,4,4\n3.wav,1,0,0\n")
    expected = [[0.5, 0.5, 0.0], [0.5, 0.3, 0.2]]
    np.testing.assert_allclose(teacher_scores.read(path, CLIPS, LABELS), expected)
    names, logits = ["1.wav", "2.wav"], np.log([[0.2, 0.2, 0.6], [0.1, 0.8, 0.1]]) + 3.0
    np.savez(tmp_path / "t.npz", filenames=names, logits=logits)
    found = teacher_scores.read(tmp_path / "t.npz", CLIPS, LABELS)
    np.testing.assert_allclose(found, [[0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip,a,b,c\n", "t.csv: the first line must be filename and the labels"),
        ("filename,a,b\n", "t.csv: knows a, b, the data has a, b, c"),
        ("filename,a,b,c\n1.wav,1,0,0\n", "t.csv: has no scores of clip audio/2.wav"),
        ("filename,a,b,c\n1.wav,1,0\n", "t.csv:2: 3 columns, 4 wanted"),
        ("filename,a,b,c\n1.wav,1,0,x\n", "t.csv: could not convert string to float: 'x'"),
        (
            "filename,a,b,c\n1.wav,1,0,0\n2.wav,-1,1,1\n",
            "t.csv: audio/2.wav: scores must be probabilities",
        ),
    ],
)
def test_unfit_files_are_named(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(AscError) as caught:
        teacher_scores.read(tmp_path / "t.csv", CLIPS, LABELS)
    assert message in str(caught.value)


def test_a_damaged_archive_is_named(tmp_path):
    (tmp_path / "t.npz").write_bytes(b"nothing")
    with pytest.raises(AscError, match=r"t\.npz: not an archive of filenames and scores"):
        teacher_scores.read(tmp_path / "t.npz", CLIPS, LABELS)


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
cycles = [3]
batch = 6
[augmentation]
frequency_mask_bands = 4
crop_columns = 0
[distillation]
"""


def test_weight_and_temperature_change_linearly():
    table = Distillation(
        temperature=4, final_temperature_factor=0.5, weight=0.8, final_weight_factor=0.0
    )
    assert distil.at_epoch(table, 0, 5) == (4.0, 0.8)
    assert distil.at_epoch(table, 2, 5) == pytest.approx((3.0, 0.4))
    assert distil.at_epoch(table, 4, 5) == pytest.approx((2.0, 0.0))
    assert distil.at_epoch(table, 0, 1) == (4.0, 0.8)


def softened(p, temperature):
    powers = np.asarray(p, np.float64) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def test_networks_and_files_teach_together(tmp_path):
    """The loss of an ensemble in an epoch, against the formula in NumPy."""
    text = 'teacher = ["t.keras", "t.csv"]\nteacher_weights = [3, 1]\ntemperature = 4\n'
    text += "final_temperature_factor = 0.5\nweight = 0.5\nfinal_weight_factor = 0.2\n"
    (tmp_path / "r.toml").write_text(RECIPE + text)
    recipe = recipes.load(tmp_path / "r.toml")
    networks = [nets.build("mobilenet", recipe.train_shape, 3, dropout=0.0) for _ in range(2)]
    objective = Objective(recipe, networks[0], networks[1:], has_given=True)
    objective.begin(2)
    temperature = 2.0
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, *recipe.train_shape)).astype(np.float32)
    y, p = (rng.dirichlet(np.ones(3), 5).astype(np.float32) for _ in range(2))
    of_network, of_file = distil.shares(recipe, 1)
    assert (of_network, of_file) == ([0.75], [0.25])
    given = distil.given([p], of_file, temperature)
    found = float(objective(x, np.concatenate([y, given], axis=1)))
    student, teacher = networks[0](x, training=True).numpy(), networks[1](x).numpy()
    target = 0.75 * softened(teacher, temperature) + 0.25 * softened(p, temperature)
    divergence = target * np.log(target / softened(student, temperature))
    entropy = -(y * np.log(student)).sum(axis=1).mean()
    expected = 0.9 * entropy + 0.1 * 4 * divergence.sum(axis=1).mean()
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_student_learns_from_a_file_alone(synthetic, tmp_path):
    """It says the second scene of every clip, whatever the labels are."""
    dataset = Dataset.load(synthetic)
    rows = [f"{clip.filename},0.02,0.96,0.02" for clip in dataset.split("train")]
    header = ",".join(["filename", *dataset.labels])
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "r.toml").write_text(RECIPE + 'teacher = "t.csv"\nweight = 1\ntemperature = 1\n')
    recipe = recipes.load(tmp_path / "r.toml")
    keras.utils.set_random_seed(1)
    run = loop.train(recipe, dataset, tmp_path / "run", cache_folder=tmp_path / "cache")
    assert list(run.info().files) == ["t.csv"]
    data = TrainingData.load(dataset, recipe, tmp_path / "cache")
    assert predict(nets.load(run.model_path), data.features).mean(axis=0)[1] > 0.6
