"""How the cache holds what training takes of a data set."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.train import recipe as recipes
from support.recipes import RECIPE

pytest.importorskip("tensorflow")

from asc_tiny.train.training_data import TrainingData


@pytest.mark.parametrize(
    ("keys", "training", "evaluation"),
    [
        ("", {"float32"}, "float32"),
        ('feature_storage = "float16"\n', {"float16"}, "float32"),
        # The floats, whose range sets the scale of the codes, and the codes.
        ('features = "fixed"\nfeature_storage = "float16"\n', {"float16", "int8"}, "int8"),
    ],
)
def test_files_are_of_the_recipes_storage(keys, training, evaluation, synthetic, tmp_path):
    recipe = recipes.parse((keys + RECIPE).encode(), folder=tmp_path)
    dataset = Dataset.load(synthetic)
    data = TrainingData.load(dataset, recipe, tmp_path)
    stored = [np.load(path) for path in tmp_path.rglob("*.npy")]
    clips, held_out = len(data.features), len(data.evaluate_features)
    assert clips != held_out
    assert {str(a.dtype) for a in stored if len(a) == clips} == training
    assert {str(a.dtype) for a in stored if len(a) == held_out} == {evaluation}
    taken = data.take(np.arange(clips), np.random.default_rng(0))
    assert taken.dtype == np.float32
    assert (taken.min(), taken.max()) == pytest.approx(
        (
            data.quantization.scale * (-128 - data.quantization.zero_point),
            data.quantization.scale * (127 - data.quantization.zero_point),
        ),
        abs=data.quantization.scale,
    )
