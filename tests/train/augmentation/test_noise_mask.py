"""Noise in training clips and the head that tells it from them (section 2.3.2 of the report)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import soundfile

pytest.importorskip("tensorflow")

import keras

from asc_tiny import nets
from asc_tiny.audio.dataset import Dataset
from asc_tiny.features import cache
from asc_tiny.frontend import reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.train import loop
from asc_tiny.train import recipe as recipes
from asc_tiny.train.augmentation import augment, devices, noise_mask
from asc_tiny.train.recipe_tables import Augmentation
from asc_tiny.train.training_data import TrainingData
from asc_tiny.util.errors import AscError

CONFIG = FrontEndConfig(n_mels=16, n_fft=1024)
RECIPE = """
name = "noisy"
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
[noise_mask]
weight = 0.5
snr_db = [0, 20]
"""


@pytest.fixture(scope="module")
def clips(synthetic):
    return [cache.clip_pcm(clip, CONFIG) for clip in Dataset.load(synthetic).clips[:6]]


@pytest.fixture(scope="module")
def x(clips):
    return np.stack([reference.features(pcm, CONFIG) for pcm in clips]).astype(np.float32)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "noisy.toml"
    path.write_text(RECIPE)
    return recipes.load(path)


def test_frames_beyond_the_columns_follow_from_the_deltas(clips, x):
    wanted = np.stack([reference.log_mel(pcm, CONFIG) for pcm in clips])
    np.testing.assert_allclose(noise_mask.log_mel_frames(x), wanted, atol=2e-4)


def test_features_of_noisy_power_are_computed_anew(clips, x):
    """Against the front end's own definition on band power plus the same noise."""
    noise = noise_mask.Noise(CONFIG, (5.0, 5.0))
    got = noise(x, np.random.default_rng(3))
    drawn = noise._draw(np.exp(noise_mask.log_mel_frames(x)), np.random.default_rng(3))
    for clip, pcm, added in zip(got, clips, drawn, strict=True):
        power = reference.band_power(pcm, CONFIG) + CONFIG.log_floor
        log_mel = np.log(power + added)
        first = reference.delta(log_mel)
        np.testing.assert_allclose(clip[..., 0], log_mel[:, 4:-4], atol=1e-3)
        np.testing.assert_allclose(clip[..., 1], first[:, 2:-2], atol=1e-3)
        np.testing.assert_allclose(clip[..., 2], reference.delta(first), atol=1e-3)
        np.testing.assert_allclose(clip[..., 3], (power / (power + added))[:, 4:-4], atol=1e-3)


@pytest.mark.parametrize("snr", [-10.0, 0.0, 20.0])
def test_noise_has_the_wanted_ratio(x, snr):
    clean = np.exp(noise_mask.log_mel_frames(x))
    drawn = noise_mask.Noise(CONFIG, (snr, snr))._draw(clean, np.random.default_rng(0))
    ratio = 10 * np.log10(clean.sum(axis=(1, 2)) / drawn.sum(axis=(1, 2)))
    np.testing.assert_allclose(ratio, snr, atol=1.0)


def test_white_noise_has_the_statistics_of_real_white_noise():
    """Mean and spread of band power, against noise that goes through the front end."""
    rng = np.random.default_rng(0)
    pcm = rng.normal(0, 3000, (20, CONFIG.clip_samples)).astype(np.int16)
    real = np.stack([reference.band_power(clip, CONFIG)[:, 4:-4] for clip in pcm])
    noise = noise_mask.Noise(CONFIG, (0.0, 0.0))
    noise._power, noise._freedom = noise._power[:1], noise._freedom[:1]
    drawn = noise._draw(real, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(axis=(0, 2)) / real.mean(axis=(0, 2)), 1.0, atol=0.2)
    spread = [v.std(axis=(0, 2)) / v.mean(axis=(0, 2)) for v in (drawn, real)]
    # The Hann window makes neighbouring bins alike: real bands vary more, by up to sqrt(2).
    assert np.all(spread[1] / spread[0] > 0.75)
    assert np.all(spread[1] / spread[0] < 1.6)


def test_features_without_deltas_take_noise_too():
    x = np.zeros((2, 16, 44, 1), np.float32)
    config = dataclasses.replace(CONFIG, deltas=False)
    got = noise_mask.Noise(config, (0.0, 0.0))(x, np.random.default_rng(0))
    assert got.shape == (2, 16, 44, 2)
    np.testing.assert_allclose(np.exp(-got[..., 0]), got[..., 1], rtol=1e-4)


def test_ratio_is_cropped_and_mixed_with_the_features_but_not_masked():
    # Both channels hold the same values: they stay equal where nothing is masked.
    values = np.random.default_rng(0).uniform(size=(8, 16, 36, 1)).astype(np.float32)
    x, y = np.concatenate([values, values], axis=-1), np.eye(8, dtype=np.float32)
    plain = Augmentation(frequency_masks=0, time_masks=0)
    got, _ = augment.augment(x, y, plain, None, np.random.default_rng(1), 1)
    assert got.shape == (8, 16, 30, 2)
    np.testing.assert_array_equal(got[..., 0], got[..., 1])
    masked, _ = augment.augment(
        x, y, Augmentation(frequency_mask_bands=4), None, np.random.default_rng(1), 1
    )
    np.testing.assert_array_equal(masked[..., 1], got[..., 1])
    assert (masked[..., 0] != got[..., 0]).any()


def test_loss_averages_the_ratio_over_the_area_of_a_point():
    ratio = np.zeros((1, 4, 4), np.float32)
    ratio[0, 0] = 1.0  # Upper points cover one row of ones and one of zeros.
    mask = np.full((1, 2, 2, 1), 0.5, np.float32)
    mask[0, 1] = 1e-7
    # Cross-entropy of 1/2 against 1/2 is ln 2, of 0 against nearly 0 is 0.
    assert noise_mask.loss(ratio, mask).numpy() == pytest.approx([np.log(2) / 2], abs=1e-5)


@pytest.mark.parametrize(("name", "rows"), [("mobilenet", 8), ("mini_segnet", 16)])
def test_head_looks_at_a_map_with_half_of_the_bands_or_more(name, rows):
    network = nets.build(name, (16, 30, 3), 3)
    before = network.count_params()
    both = noise_mask.with_head(network)
    assert both.output_shape[1][1] == rows
    assert network.count_params() == before


@pytest.mark.slow
def test_the_head_learns_and_is_not_exported(recipe, synthetic, tmp_path):
    dataset = Dataset.load(synthetic)
    options = {"epochs": 1, "cache_folder": tmp_path / "cache"}
    run = loop.train(recipe, dataset, tmp_path / "run", **options)
    exported = nets.load(run.model_path)
    plain = loop.build(recipe, CONFIG.shape, 3)
    assert [layer.name for layer in exported.layers] == [layer.name for layer in plain.layers]
    assert exported.count_params() == plain.count_params()
    trainer = loop.Trainer(recipe, 3)
    start = trainer._objective._model.get_layer("noise_mask").kernel.numpy()
    assert trainer.restore(run) == 1
    assert np.abs(trainer._objective._model.get_layer("noise_mask").kernel - start).max() > 1e-3
    # The trunk hears of the mask as well: with another weight it ends elsewhere.
    other = dataclasses.replace(recipe, noise_mask=recipes.NoiseMask(weight=1e-9, snr_db=(0, 20)))
    again = loop.train(other, dataset, tmp_path / "other", **options)
    kernels = [
        keras.Model.get_layer(nets.load(r.model_path), "first").kernel.numpy() for r in (run, again)
    ]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-4


# The head's variables are in the checkpoint: see the test above, which restores them.
@pytest.mark.slow
def test_resume_is_exact_with_the_head(recipe, synthetic, tmp_path):
    dataset = Dataset.load(synthetic)
    options = {"cache_folder": tmp_path / "cache"}
    whole = loop.train(recipe, dataset, tmp_path / "whole", epochs=2, **options)
    loop.train(recipe, dataset, tmp_path / "cut", epochs=1, **options)
    cut = loop.train(recipe, dataset, tmp_path / "cut", epochs=2, resume=True, **options)
    assert cut.model_sha256() == whole.model_sha256()
    assert cut.history() == whole.history()


@pytest.mark.slow
def test_the_mask_is_learnt(recipe, synthetic, tmp_path):
    """The mask's loss falls well below that of the best constant mask."""
    dataset = Dataset.load(synthetic)
    longer = dataclasses.replace(
        recipe,
        schedule=recipes.Schedule(cycles=(60,), batch=6),
        noise_mask=recipes.NoiseMask(weight=5.0, snr_db=(0, 0)),
    )
    trainer = loop.Trainer(longer, 3)
    data = TrainingData.load(dataset, longer, tmp_path / "cache")
    for epoch in range(60):
        trainer.epoch(epoch, data)
    noisy = noise_mask.Noise(CONFIG, (0.0, 0.0))(
        data.features.take(np.arange(len(data.features))), np.random.default_rng(9)
    )[:, :, 3:33]
    _, mask = trainer._objective._model(noisy[..., :3], training=False)
    learnt = noise_mask.loss(noisy[..., 3], mask).numpy().mean()
    constant = np.full_like(mask, noisy[..., 3].mean())
    assert learnt < 0.8 * noise_mask.loss(noisy[..., 3], constant).numpy().mean()


def test_noise_of_a_folder_is_where_its_sound_is(x, tmp_path):
    """A tone in noise_mask.noise, at another rate than the clips', reaches its own bands alone."""
    rate = 16000
    tone = 0.3 * np.sin(2 * np.pi * 1000.0 * np.arange(rate // 2) / rate)
    soundfile.write(tmp_path / "tone.wav", tone, rate)
    path = tmp_path / "recipe.toml"
    text = RECIPE.replace("snr_db = [0, 20]", f'noise = "{tmp_path}"\nsnr_db = [-20, -20]')
    path.write_text(text)
    recipe = recipes.load(path)
    noise = loop._noise(recipe)
    clean = np.exp(noise_mask.log_mel_frames(x))
    drawn = noise._draw(clean, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.sum(axis=(1, 2)), 100 * clean.sum(axis=(1, 2)), rtol=1e-6)
    loudest = drawn.sum(axis=(0, 2)).argmax()
    edges = recipe.train_frontend.mel_edges
    assert edges[loudest] < 1000.0 < edges[loudest + 2]
    assert drawn[:, [loudest - 1, loudest, loudest + 1]].sum() > 0.9 * drawn.sum()
    assert loop._files(recipe)[str(tmp_path)] == devices.digest(tmp_path)
    soundfile.write(tmp_path / "tone.wav", np.zeros(rate), rate)
    with pytest.raises(AscError, match=r"tone\.wav: is silent"):
        loop._noise(recipe)
