"""Recipes and the learning rate they ask for."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from asc_tiny.train import learning_rate
from asc_tiny.train import recipe as recipes
from asc_tiny.train.recipe_tables import Schedule
from asc_tiny.util.errors import AscError
from asc_tiny.util.fields import key_of
from support.paths import MODELS


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_defaults_are_the_seeds(tmp_path):
    recipe = recipes.load(written(tmp_path, 'name = "x"\n'))
    assert recipe.network == "mobilenet"
    assert recipe.schedule.cycles == (10, 20, 40, 80, 160)
    assert recipe.schedule.epochs == 310
    assert (recipe.schedule.rate_max, recipe.schedule.rate_min) == (0.1, 1e-5)
    assert (recipe.schedule.batch, recipe.schedule.momentum) == (128, 0.9)
    augmentation = recipe.augmentation
    assert (augmentation.mixup_alpha, augmentation.crop_columns) == (0.3, 30)
    assert (augmentation.frequency_masks, augmentation.frequency_mask_bands) == (2, 20)
    assert (augmentation.time_masks, augmentation.time_mask_columns) == (1, 3)
    assert recipe.frontend.shape == (256, 36, 3)
    assert recipe.train_shape == (256, 30, 3)


def test_values_are_read(tmp_path):
    text = """
name = "small"
seed = 7
dropout = 0
[frontend]
n_mels = 40
[schedule]
cycles = [2, 4]
batch = 8
[augmentation]
crop_columns = 0
quantise_input = true
"""
    recipe = recipes.load(written(tmp_path, text))
    assert (recipe.seed, recipe.dropout, recipe.frontend.n_mels) == (7, 0.0, 40)
    assert (recipe.schedule.cycles, recipe.schedule.batch) == ((2, 4), 8)
    assert recipe.augmentation.quantize_input
    assert recipe.train_shape == (40, 36, 3)
    assert recipe.content["schedule"]["cycles"] == [2, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "name is missing"),
        ("name = 3", "name = 3, must be a text"),
        ('name = ""', "name = '', allowed"),
        ('name = "x"\nnetwork = "vgg"', "network = 'vgg', allowed: bc_resnet, cp_mobile"),
        ('name = "x"\nseed = 1.5', "seed = 1.5, must be a whole number"),
        ('name = "x"\nseed = true', "seed = True, must be a whole number"),
        ('name = "x"\ndropout = 1.0', "dropout = 1.0, allowed: 0 to below 1"),
        ('name = "x"\nepochs = 5', "unknown key epochs, allowed: augmentation, averaging"),
        ('name = "x"\nsource = "y"', "unknown key source"),
        ('name = "x"\nfolder = "y"', "unknown key folder"),
        ('name = "x"\nschedule = 3', "schedule = 3, must be a table"),
        ('name = "x"\n[mixup_normalisation]\nshare = 2', "mixup_normalisation.share = 2.0, allo"),
        ('name = "x"\n[mixup_normalisation]\nalpha = 0', "mixup_normalisation.alpha = 0.0, allo"),
        (
            'name = "x"\n[frontend]\nlog = "log2"\n[noise_mask]\nweight = 1',
            "frontend.log = 'log2': gain_db, noise_mask and devices need 'ln'",
        ),
        ('name = "x"\n[noise_mask]\nweight = -1', "noise_mask.weight = -1.0, allowed: 0 to 100"),
        (
            'name = "x"\n[noise_mask]\nsnr_db = 3',
            "noise_mask.snr_db = 3, must be a list of",
        ),
        ('name = "x"\n[noise_mask]\nsnr_db = [9, 3]', "snr_db = (9.0, 3.0), allowed: the lowest"),
        ('name = "x"\n[noise_mask]\nsnr_db = [3]', "noise_mask.snr_db = (3.0,), allowed"),
        (
            'name = "x"\n[noise_mask]\nsnr = 3',
            "unknown key noise_mask.snr, allowed: noise, snr_db, w",
        ),
        (
            'name = "x"\n[frontend]\nclip_samples = 9216\n[noise_mask]\nweight = 1\n'
            "[augmentation]\ncrop_columns = 0\ntime_mask_columns = 1",
            "noise_mask.weight: clips have 2 columns, 5 are needed",
        ),
        ('name = "x"\nfeatures = "int8"', "features = 'int8', allowed: float, fixed"),
        ('name = "x"\nfeatures = "fixed"\n[noise_mask]\nweight = 1', "noise_mask.weight: noise is"),
        ('name = "x"\n[devices]\nshare = 2', "devices.share = 2.0, allowed: 0 to 1"),
        ('name = "x"\n[devices]\nresponses = 1', "devices.responses = 1, must be a text"),
        (
            'name = "x"\n[distillation]\nteacher = 1',
            "distillation.teacher = 1, must be a list of",
        ),
        ('name = "x"\n[distillation]\nteacher = ""', "distillation.teacher = ('',), allowed"),
        ('name = "x"\n[distillation]\ntemperature = 0', "distillation.temperature = 0.0, allowed"),
        ('name = "x"\n[distillation]\nweight = 1.5', "distillation.weight = 1.5, allowed: 0 to 1"),
        ('name = "x"\n[schedule]\ncycles = []', "schedule.cycles = (), allowed"),
        ('name = "x"\n[schedule]\ncycles = [0]', "schedule.cycles = (0,), allowed"),
        ('name = "x"\n[schedule]\ncycles = [1.5]', "schedule.cycles = [1.5], must be a list"),
        ('name = "x"\n[schedule]\nrate_min = 1', "schedule.rate_min = 1.0, allowed"),
        ('name = "x"\n[schedule]\nrate_max = nan', "schedule.rate_max = nan, must be a finite"),
        ('name = "x"\n[schedule]\noptimizer = "lion"', "schedule.optimizer = 'lion', allowed: sgd"),
        ('name = "x"\n[schedule]\nwarmup_epochs = 10', "warmup_epochs = 10, allowed: 0 to 9"),
        ('name = "x"\n[averaging]\nkind = "mean"', "averaging.kind = 'mean', allowed: none, ema"),
        ('name = "x"\n[loss]\nlabel_smoothing = 1', "loss.label_smoothing = 1.0, allowed: 0 to"),
        ('name = "x"\n[rate_factors]\na = 0', "rate_factors.a = 0, allowed: above 0, up to 100"),
        ('name = "x"\n[rate_factors]\na = "b"', "rate_factors.a = 'b', must be a finite number"),
        ('name = "x"\n[schedule]\nbatch = 1', "schedule.batch = 1, allowed: 2 or more"),
        ('name = "x"\n[augmentation]\nmixup = 1', "unknown key augmentation.mixup"),
        ('name = "x"\n[augmentation]\ncrop_columns = 37', "crop_columns = 37, allowed: 0 to 36"),
        ('name = "x"\n[augmentation]\ntime_mask_columns = 31', "allowed: 0 to 30"),
        ('name = "x"\n[frontend]\nn_mels = 7', "n_mels = 7, allowed: 16 to 256"),
        ('name = "x"\n[frontend]\nquantisation = {scale = 1.0, zero_point = 0}', "comes from"),
        ("name =", "not TOML"),
    ],
)
def test_bad_values_are_named(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(AscError) as caught:
        recipes.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tables_of_training_are_off_by_default_and_read(tmp_path):
    plain = recipes.load(written(tmp_path, 'name = "x"\n'))
    assert (plain.noise_mask.weight, plain.devices.responses) == (0.0, "")
    assert plain.distillation.teacher == ()
    text = """
name = "x"
[noise_mask]
weight = 1
snr_db = [-5, 20.5]
[devices]
responses = "mics"
[distillation]
teacher = ["a", "b.keras"]
"""
    recipe = recipes.load(written(tmp_path, text))
    assert (recipe.noise_mask.weight, recipe.noise_mask.snr_db) == (1.0, (-5.0, 20.5))
    assert (recipe.devices.responses, recipe.devices.share) == ("mics", 0.5)
    assert recipe.distillation.teacher == ("a", "b.keras")


@pytest.mark.parametrize(
    "text",
    [
        'name = "x"\nseed = 7\n[frontend]\nn_mels = 40\n',
        '# of a test\nname = "x"\n"features"="float" # for now\nseed = 7\n[frontend]\nn_mels = 40',
    ],
)
def test_features_can_be_chosen_for_one_run(tmp_path, text):
    path = written(tmp_path, text)
    recipe = recipes.load(path)
    assert recipe.features == "float"
    assert recipes.load(path, features="float") == recipe
    chosen = recipes.load(path, features="fixed")
    assert chosen.sha256 != recipe.sha256
    copy = tmp_path / "copy.toml"
    copy.write_bytes(chosen.source)
    assert recipes.load(copy) == chosen
    assert recipes.load(copy, features="fixed") == chosen, "the bytes are those of the first time"
    changed = dataclasses.replace(chosen, features="float", source=recipe.source)
    assert changed == recipe


def test_features_that_the_recipe_cannot_have_are_named(tmp_path):
    path = written(tmp_path, 'name = "x"\n[noise_mask]\nweight = 1\n')
    message = 'noise_mask.weight: noise is added to features = "float" only'
    with pytest.raises(AscError) as caught:
        recipes.load(path, features="fixed")
    assert str(caught.value) == f"{path}: {message}"


def test_named_files_are_beside_the_recipe_or_in_the_working_folder(tmp_path, monkeypatch):
    recipe = recipes.load(written(tmp_path, 'name = "x"\n'))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (elsewhere / "teacher.keras").touch()
    assert recipe.find("teacher.keras") == Path("teacher.keras")
    (tmp_path / "teacher.keras").touch()
    assert recipe.find("teacher.keras") == tmp_path / "teacher.keras"
    with pytest.raises(AscError, match=r"^mics: is neither in .* nor in the working folder$"):
        recipe.find("mics")


def test_missing_recipe_is_named(tmp_path):
    with pytest.raises(AscError, match=r"nothing\.toml: cannot read"):
        recipes.load(tmp_path / "nothing.toml")


def test_the_example_of_pcen_is_a_recipe_without_gains(tmp_path: Path) -> None:
    path = MODELS / "mobilenet_pcen.toml"
    config = recipes.load(path).frontend
    assert config.pcen is not None and config.frame_length == 1764
    changed = tmp_path / "changed.toml"
    changed.write_text(path.read_text() + "gain_db = 6.0\n")
    with pytest.raises(AscError, match=r"frontend\.compression = 'pcen': gain_db, noise_mask and"):
        recipes.load(changed)


RECIPES = sorted(path for path in MODELS.glob("*_esc10.toml") if "ensemble" not in path.name)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_released_recipes_load(path):
    assert recipes.load(path).name == path.stem


def test_rate_restarts_where_the_report_says():
    # Section 3.1 counts from 1: the maximum comes after 11, 31, 71, 151 epochs have begun.
    rates = [learning_rate.rate(Schedule(), epoch, 0, 30) for epoch in range(310)]
    restarts = [epoch + 1 for epoch, rate in enumerate(rates) if rate == pytest.approx(0.1)]
    assert restarts == [1, 11, 31, 71, 151]


def test_rate_falls_by_a_cosine_within_a_cycle():
    recipe = Schedule(cycles=(4,), rate_max=0.1, rate_min=0.001)
    steps = 5
    rates = [
        learning_rate.rate(recipe, epoch, s, steps) for epoch in range(4) for s in range(steps)
    ]
    # SGDR equation 5, written out with the number of steps.
    expected = [0.001 + 0.5 * 0.099 * (1 + math.cos(k / 20 * math.pi)) for k in range(20)]
    assert rates == pytest.approx(expected)
    assert rates[10] == pytest.approx(0.0505)


def test_rate_rises_first_and_the_cosine_takes_the_rest_of_the_cycle():
    schedule = Schedule(cycles=(4, 2), warmup_epochs=2, rate_max=0.1, rate_min=0.0)
    rates = [learning_rate.rate(schedule, epoch, s, 5) for epoch in range(6) for s in range(5)]
    assert rates[:10] == pytest.approx([0.01 * k for k in range(1, 11)])
    assert rates[10:20] == pytest.approx(
        [0.05 * (1 + math.cos(k / 10 * math.pi)) for k in range(10)]
    )
    assert rates[20] == pytest.approx(0.1), "later cycles have no warm-up"


def test_last_rate_is_close_to_the_minimum():
    assert 1e-5 < learning_rate.rate(Schedule(), 309, 29, 30) < 1.1e-5


def test_last_cycle_repeats_past_the_end():
    recipe = Schedule(cycles=(2, 3))
    assert learning_rate.cycle(recipe, 4) == (2, 3)
    assert learning_rate.cycle(recipe, 5) == (5, 3)
    assert learning_rate.cycle(recipe, 9) == (8, 3)


def test_time_resolution_shortens_the_training_hop(tmp_path):
    path = tmp_path / "double.toml"
    path.write_text('name = "double"\ntime_resolution = 2\n[augmentation]\ncrop_columns = 60\n')
    recipe = recipes.load(path)
    assert recipe.frontend.shape == (256, 36, 3)
    assert recipe.train_frontend.hop == 512
    assert recipe.train_frontend.shape == (256, 79, 3)
    assert recipe.train_shape == (256, 60, 3)
    path.write_text('name = "third"\ntime_resolution = 3\n')
    with pytest.raises(AscError, match="time_resolution = 3, allowed: 1 or a divisor of hop"):
        recipes.load(path)


def test_the_documented_recipe_shows_every_default(tmp_path):
    text = (MODELS.parent / "docs" / "reference" / "recipe.md").read_text(encoding="utf-8")
    documented = text.split("```toml\n")[1].split("```")[0]
    (tmp_path / "documented.toml").write_text(documented)
    recipe = recipes.load(tmp_path / "documented.toml")
    (tmp_path / "bare.toml").write_text('name = "my_model"\n')
    bare = recipes.load(tmp_path / "bare.toml")
    assert dataclasses.replace(recipe, source=b"") == dataclasses.replace(bare, source=b"")
    for table in set(recipes._TABLES) - {"mixup_normalisation"}:
        keys = {key_of(field) for field in dataclasses.fields(getattr(bare, table))}
        assert set(recipe.content[table]) == keys
