"""Bands normalised over the training clips: from the recipe to the firmware."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.dataset import Dataset
from asc_tiny.cli.main import main
from asc_tiny.features import cache
from asc_tiny.frontend import fixed, reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import model_file
from asc_tiny.train import recipe as recipes
from asc_tiny.train.augmentation import augment, devices
from asc_tiny.train.augmentation.noise_mask import Noise, log_mel_frames
from asc_tiny.train.statistics.normalize import band_statistics
from asc_tiny.util.errors import AscError

RECIPE = """
name = "small"
network = "ds_cnn"
normalise_bands = true
features = "fixed"
[network_options]
depth = 2
channels = 16
[frontend]
n_mels = 32
n_fft = 1024
sample_bits = 24
[schedule]
cycles = [2]
batch = 5
[augmentation]
frequency_mask_bands = 4
gain_db = 3.0
"""
LOG_MEL = FrontEndConfig(n_mels=20, n_fft=1024)
NORMALISED = LOG_MEL.normalized(np.linspace(-9.0, 2.0, 20), np.linspace(0.5, 4.0, 20))


def asc_tiny(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


class Features:
    """Stands in for a FeatureSet."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def batches(self, size):
        for start in range(0, len(self.values), 2):
            yield self.values[start : start + 2]


def test_statistics_are_numpys():
    values = np.random.default_rng(1).normal(-8.0, 3.0, (5, 16, 7, 3)).astype(np.float32)
    values[:, 3] = np.log(1e-8)
    means, scales = band_statistics(Features(values))
    x = values[..., 0].astype(np.float64)
    deviation = x.std(axis=(0, 2))
    np.testing.assert_allclose(means, x.mean(axis=(0, 2)), rtol=1e-12)
    varied = np.arange(16) != 3
    np.testing.assert_allclose(scales[varied], deviation[varied], rtol=1e-12)
    assert scales[3] == pytest.approx(0.1 * deviation.max())
    assert np.unique(band_statistics(Features(np.zeros((2, 16, 4, 1))))[1]).tolist() == [1.0]


@pytest.fixture(scope="module")
def quiet(synthetic, tmp_path_factory) -> Path:
    """The synthetic clips, 60 dB quieter, in files of 24 bits."""
    folder = tmp_path_factory.mktemp("quiet") / "data"
    shutil.copytree(synthetic, folder)
    for path in sorted((folder / "audio").iterdir()):
        pcm, rate = soundfile.read(path, dtype="int16")
        values = np.rint(pcm * (256 / 1000.0)).astype(np.int32)
        soundfile.write(path, values << 8, rate, subtype="PCM_24", format="WAV")
    return folder


@pytest.mark.exhaustive
def test_from_recipe_to_firmware(quiet, tmp_path, monkeypatch, capsys):
    """All commands honour means, scales and 24 bits; a killed run ends with the same bytes."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("tflite_micro")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    run, cut, model = tmp_path / "run", tmp_path / "cut", tmp_path / "model.tflite"
    assert asc_tiny("train", recipe, "--data", quiet, "--out", run) == 0
    assert asc_tiny("train", recipe, "--data", quiet, "--out", cut, "--epochs", 1) == 0
    assert asc_tiny("train", recipe, "--data", quiet, "--out", cut, "--resume") == 0
    for name in ("model.keras", "run.json", "history.csv"):
        assert (cut / name).read_bytes() == (run / name).read_bytes()

    config = FrontEndConfig.from_dict(json.loads((run / "run.json").read_text())["frontend"])
    clips = Dataset.load(quiet).split("train")
    plain = dataclasses.replace(config, normalization=None)
    raw = cache.load(clips, plain).take(np.arange(len(clips)))[..., 0].astype(np.float64)
    means, deviations = raw.mean(axis=(0, 2)), raw.std(axis=(0, 2))
    scales = np.maximum(deviations, 0.1 * deviations.max())
    np.testing.assert_allclose(config.normalization.means, means, rtol=1e-4)
    np.testing.assert_allclose(config.normalization.scales, scales, rtol=1e-4)
    features = cache.load(clips, config).take(np.arange(len(clips)))[..., 0]
    wanted = (raw - means[:, None]) / scales[:, None]
    np.testing.assert_allclose(features, wanted, atol=2e-3)

    assert asc_tiny("quantize", run, "--data", quiet, "--out", model) == 0
    embedded, trained = model_file.load(model).frontend, config.quantization
    assert embedded.normalization == config.normalization
    # The codes trained on, in single precision.
    assert embedded.quantization.scale == pytest.approx(trained.scale, rel=1e-6)
    assert embedded.quantization.zero_point == trained.zero_point
    config = embedded
    assert asc_tiny("evaluate", model, "--data", quiet) == 0
    wav, codes = clips[0].path, tmp_path / "x.npy"
    assert asc_tiny("features", wav, "--model", model, "--out", codes) == 0
    pcm = cache.clip_pcm(clips[0], config)
    assert np.count_nonzero(pcm & 0xFF00), "bits below the 16th"
    np.testing.assert_array_equal(np.load(codes), fixed.features(pcm, config))
    plot = tmp_path / "x.png"
    assert asc_tiny("features", wav, "--model", model, "--plot", plot) == 0
    board = "mps2-an386" if shutil.which("qemu-system-arm") else "host"
    firmware = tmp_path / "firmware"
    assert asc_tiny("generate", model, "--out", firmware, "--board", board) == 0
    assert asc_tiny("build", firmware) == 0
    assert asc_tiny("verify", firmware, "--wav", wav) == 0
    capsys.readouterr()
    assert asc_tiny("run", firmware, "--wav", wav, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 1


def clip_features(config: FrontEndConfig) -> np.ndarray:
    pcm = np.random.default_rng(4).normal(0.0, 500.0, (3, config.clip_samples)).astype(np.int16)
    return np.stack([reference.features(clip, config) for clip in pcm]).astype(np.float32)


def log_mel(x: np.ndarray) -> np.ndarray:
    return reference.denormalized(log_mel_frames(x), NORMALISED.normalization)


def test_gain_moves_a_normalized_band_by_its_share():
    plain, x = clip_features(LOG_MEL), clip_features(NORMALISED)
    wanted = augment.gain(plain, 6.0, np.random.default_rng(2))
    louder = augment.gain(x, 6.0, np.random.default_rng(2), NORMALISED.normalization)
    means = np.array(NORMALISED.normalization.means)[:, None]
    scales = np.array(NORMALISED.normalization.scales)[:, None]
    np.testing.assert_allclose(louder[..., 0] * scales + means, wanted[..., 0], atol=1e-4)
    np.testing.assert_array_equal(louder[..., 1:], x[..., 1:])


def test_noise_joins_the_power_of_a_normalized_clip():
    plain, x = clip_features(LOG_MEL), clip_features(NORMALISED)
    wanted = Noise(LOG_MEL, (10.0, 10.0))(plain, np.random.default_rng(3))
    noisy = Noise(NORMALISED, (10.0, 10.0))(x, np.random.default_rng(3))
    np.testing.assert_allclose(log_mel(noisy[..., :3]), log_mel_frames(wanted[..., :3]), atol=0.02)
    np.testing.assert_allclose(noisy[..., 3], wanted[..., 3], atol=0.01)


def test_responses_color_a_normalized_clip(tmp_path):
    pytest.importorskip("tensorflow")
    from asc_tiny.train import loop

    (tmp_path / "responses").mkdir()
    response = np.zeros(64, np.int16)
    response[:2] = 9000, -7000
    soundfile.write(tmp_path / "responses" / "a.wav", response, 44100)
    (tmp_path / "x.toml").write_text(
        'name = "x"\n[devices]\nresponses = "responses"\nshare = 1.0\n'
    )
    recipe = recipes.load(tmp_path / "x.toml")
    x = clip_features(NORMALISED)
    disturb = loop._disturbance(dataclasses.replace(recipe, frontend=NORMALISED))
    changed = disturb(x, np.random.default_rng(0))[..., 0] - x[..., 0]
    gain = devices.gains(tmp_path / "responses", LOG_MEL)[0]
    scales = np.array(NORMALISED.normalization.scales)
    np.testing.assert_allclose(changed[0, :, 5] * scales, gain, atol=1e-4)


def test_a_recipe_asks_once(tmp_path):
    path = tmp_path / "x.toml"
    bands = f"means = {[0.0] * 16}\nscales = {[1.0] * 16}"
    given = f"[frontend]\nn_mels = 16\n[frontend.normalisation]\n{bands}\n[augmentation]\n"
    path.write_text(f'name = "x"\n{given}frequency_mask_bands = 2\n')
    assert recipes.load(path).frontend.normalization.scales == (1.0,) * 16
    path.write_text(f'name = "x"\nnormalise_bands = true\n{given}frequency_mask_bands = 2\n')
    with pytest.raises(AscError, match=r"normalise_bands = true, but frontend.normalisation is gi"):
        recipes.load(path)
