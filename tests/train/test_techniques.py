"""A run with every technique at once: killed and resumed it gives the same bytes."""

from __future__ import annotations

import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.train import recipe as recipes
from asc_tiny.util.files import sha256

pytest.importorskip("tensorflow")

from asc_tiny.train import loop

RECIPE = """
name = "techniques"
network = "ds_cnn"
[network_options]
depth = 2
channels = 16
[frontend]
n_mels = 16
n_fft = 1024
[rate_factors]
"first*" = 0.5
[schedule]
optimizer = "adamw"
cycles = [2]
warmup_epochs = 1
rate_max = 0.003
weight_decay = 0.01
batch = 6
[augmentation]
frequency_mask_bands = 4
roll_columns = 5
shift_bands = 1
quantise_input = true
freq_mixstyle_share = 0.5
[loss]
label_smoothing = 0.1
[averaging]
kind = "ema"
decay = 0.9
[quantization_aware]
enabled = true
start_epoch = 1
"""


def test_resuming_gives_the_bytes_of_an_uninterrupted_run(synthetic, tmp_path):
    path = tmp_path / "techniques.toml"
    path.write_text(RECIPE)
    recipe, dataset = recipes.load(path), Dataset.load(synthetic)

    def train(name, **options):
        cache = tmp_path / "cache"
        return loop.train(recipe, dataset, tmp_path / name, cache_folder=cache, **options)

    whole = train("whole")
    train("cut", epochs=1)
    resumed = train("cut", resume=True)
    for name in ("model_path", "history_path", "info_path"):
        files = [getattr(run, name).read_bytes() for run in (whole, resumed)]
        assert sha256(files[0]) == sha256(files[1]), name
    # The network that is kept is the mean, not the last weights.
    trainer = loop.Trainer(recipe, len(dataset.labels))
    trainer.restore(whole)
    kernels = [m.get_layer("point2").get_weights()[0] for m in (trainer.model, trainer._trainee)]
    assert abs(kernels[0] - kernels[1]).max() > 1e-5
