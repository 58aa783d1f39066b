"""The recipes for the TAU data set: figures of Bing et al. (DCASE2023 Task 1), and an epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.train import recipe as recipes
from support.paths import MODELS

NAMES = ("mobilenet_tau", "mini_segnet_tau")


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_the_seeds(name):
    recipe = recipes.load(MODELS / f"{name}.toml")
    assert recipe.name == name
    assert recipe.network == name.removesuffix("_tau")
    assert recipe.schedule.epochs == 310
    assert (recipe.schedule.batch, recipe.schedule.rate_max) == (128, 0.1)
    assert recipe.schedule.rate_min == 1e-5
    assert recipe.augmentation.mixup_alpha == 0.3
    assert recipe.frontend.shape == (256, 36, 3)
    assert recipe.train_shape == (256, 30, 3)


def derived(name: str, folder: Path) -> Path:
    """Write the recipe with fewer mel bands and filters: every other key as it is."""
    text = (MODELS / f"{name}.toml").read_text(encoding="utf-8")
    assert "[frontend]" not in text
    assert "[filters]" not in text
    filters = ["encoder3", "encoder2", "decoder1"] if "segnet" in name else ["expand"]
    text = text.replace("frequency_mask_bands = 20", "frequency_mask_bands = 4")
    text += "[frontend]\nn_mels = 16\nn_fft = 1024\n[filters]\n"
    path = folder / f"{name}.toml"
    path.write_text(text + "".join(f"{layer} = 8\n" for layer in filters))
    return path


@pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])]
)
def test_an_epoch_on_devices_and_cities(name, synthetic, tmp_path):
    pytest.importorskip("tensorflow")
    from asc_tiny.train import loop

    dataset = Dataset.load(synthetic)
    assert len({clip.device for clip in dataset.clips}) > 1
    assert len({clip.identifier.split("-")[0] for clip in dataset.clips}) > 1
    recipe = recipes.load(derived(name, tmp_path))
    original = recipes.load(MODELS / f"{name}.toml")
    assert (recipe.schedule, recipe.noise_mask) == (original.schedule, original.noise_mask)
    run = loop.train(recipe, dataset, tmp_path / "run", epochs=1, cache_folder=tmp_path / "cache")
    assert run.info().epochs == 1
    assert run.info().network == original.network
    assert float(run.history()[0]["loss"]) > 0.0
