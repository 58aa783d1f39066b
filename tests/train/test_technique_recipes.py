"""Each technique of training has a recipe that uses it and says where it is from."""

from __future__ import annotations

import re

import pytest

from asc_tiny.train import recipe as recipes
from asc_tiny.train.recipe import Recipe
from support.paths import MODELS

OTHER_TABLES = re.compile(r"ensemble\d_esc10|\w+_filters")
PATHS = sorted(path for path in MODELS.rglob("*.toml") if not OTHER_TABLES.fullmatch(path.stem))

TECHNIQUES = {
    "AdamW": lambda r: r.schedule.optimizer == "adamw",
    "warm-up": lambda r: r.schedule.warmup_epochs,
    "layer-wise rates": lambda r: r.rate_factors,
    "exponential mean": lambda r: r.averaging.kind == "ema",
    "stochastic weight averaging": lambda r: r.averaging.kind == "swa",
    "label smoothing": lambda r: r.loss.label_smoothing,
    "Freq-MixStyle": lambda r: r.augmentation.freq_mixstyle_share,
    "mixup": lambda r: r.augmentation.mixup_alpha,
    "rolling": lambda r: r.augmentation.roll_columns,
    "band shift": lambda r: r.augmentation.shift_bands,
    "responses": lambda r: r.waveform.responses,
    "noise": lambda r: r.waveform.noise,
    "gain": lambda r: r.waveform.gain_db,
    "pitch": lambda r: r.waveform.pitch_semitones,
    "start from stored weights": lambda r: r.init,
    "frozen layers": lambda r: r.freeze,
    "linear probe": lambda r: r.linear_probe,
    "files of scores": lambda r: any(n.endswith(".npz") for n in r.distillation.teacher),
    "scheduled temperature": lambda r: r.distillation.final_temperature_factor != 1.0,
    "scheduled weight": lambda r: r.distillation.final_weight_factor != 1.0,
    "quantisation-aware": lambda r: r.quantization_aware.enabled,
    "held-out recordings": lambda r: r.validation_share,
    "noise mask": lambda r: r.noise_mask.weight,
}


@pytest.fixture(scope="module")
def loaded() -> dict[str, Recipe]:
    return {path.stem: recipes.load(path) for path in PATHS}


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_recipe_uses_it(technique, loaded):
    assert any(TECHNIQUES[technique](recipe) for recipe in loaded.values())


def test_every_recipe_is_named_as_its_file_and_builds_on_a_network_of_ours(loaded):
    for stem, recipe in loaded.items():
        assert recipe.name == stem
        recipe.find_network()


def test_recipes_of_techniques_name_their_sources(loaded):
    for path in (path for path in PATHS if path.parent.name == "recipes"):
        comment = "".join(re.findall(r"(?m)^#.*\n", path.read_text(encoding="utf-8")))
        assert re.search(r"arXiv:\d{4}\.\d{5}|device_specific\.toml", comment), path


def test_a_network_and_its_devices_hold_out_the_same(loaded):
    general, specific = loaded["general"], loaded["device_specific"]
    for key in ("network", "network_options", "frontend", "validation_share", "normalize_bands"):
        assert getattr(general, key) == getattr(specific, key)
    assert specific.schedule.rate_max < general.schedule.rate_max
