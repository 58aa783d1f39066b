"""Device augmentation against clips that are really convolved with the response."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from scipy import signal

from asc_tiny.audio import responses
from asc_tiny.audio.clips import write_wav16
from asc_tiny.frontend import reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.train.augmentation import devices
from asc_tiny.util.errors import AscError

CONFIG = FrontEndConfig(n_mels=32)


def response(length: int = 400) -> np.ndarray:
    """A resonance near 2 kHz on top of a direct path, decaying within ``length`` samples."""
    b, a = signal.iirpeak(2000, 3, fs=44100)
    impulse = np.zeros(length)
    impulse[0] = 1.0
    return 0.3 * impulse + signal.lfilter(b, a, impulse)


def band_gain(path, config):
    return devices.band_gain(*responses.read(path, config.sample_rate), config)


def written(path, sound, rate=44100):
    path.parent.mkdir(exist_ok=True)
    write_wav16(path, np.round(20000 * sound).astype(np.int16), rate)
    return path


@pytest.mark.parametrize("length", [400, 5000])
def test_gain_is_what_convolution_does_to_noise(tmp_path, length):
    """Over many frames of white noise; a length above n_fft takes the finer spectrum."""
    path = written(tmp_path / "r.wav", response(length))
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3000, 44100 * 8)
    filtered = signal.fftconvolve(noise, response(length))[: len(noise)]

    def levels(sound):
        clips = np.clip(sound, -32768, 32767).astype(np.int16).reshape(-1, 44100)
        return np.log(np.mean([reference.band_power(c, CONFIG) for c in clips], axis=(0, 2)))

    wanted = levels(filtered) - levels(noise)
    wanted -= wanted.mean()
    got = band_gain(path, CONFIG)
    assert wanted.max() - wanted.min() > 1.0, "the response must colour"
    # 0.1 nats are 0.4 dB.
    np.testing.assert_allclose(got, wanted, atol=0.1)


def test_bands_without_a_bin_take_their_neighbors_gain(tmp_path):
    config = FrontEndConfig(n_mels=256)
    assert (config.mel_weights.sum(axis=1) == 0).any()
    gain = band_gain(written(tmp_path / "r.wav", response()), config)
    assert np.abs(np.diff(gain)).max() < 0.5


@pytest.mark.parametrize("rate", [96000, 48000, 32000])
def test_responses_of_another_rate(tmp_path, rate):
    """The same analogue resonance, sampled at other rates, colours alike as far as it is known."""
    found = []
    for each in (44100, rate):
        b, a = signal.iirpeak(2000, 3, fs=each)
        impulse = np.zeros(each // 50)
        impulse[0] = 1.0
        sound = 0.3 * impulse + signal.lfilter(b, a, impulse)
        found.append(band_gain(written(tmp_path / str(each) / "r.wav", sound, each), CONFIG))
    one, other = (gain - gain[10] for gain in found)
    known = CONFIG.mel_edges[2:] <= 0.4 * min(rate, 44100)
    np.testing.assert_allclose(one[known], other[known], atol=0.03)
    if rate < 44100:
        last = np.flatnonzero(CONFIG.mel_edges[2:] <= 0.45 * rate)[-1]
        assert set(other[last:]) == {other[last]}


def test_responses_that_the_package_makes():
    found = devices.gains("builtin", CONFIG)
    assert found.shape == (len(responses.MICROPHONES), 32) and np.isfinite(found).all()
    # Each colours in its own way, by some decibels.
    for index, each in enumerate(found):
        others = np.delete(found, index, axis=0)
        assert np.abs(others - each).max(axis=1).min() > 0.1
    assert found.max() - found.min() > np.log(10.0)
    assert devices.digest("builtin") == devices.digest("builtin") != devices.digest("builtin-rooms")


def test_deep_notches_are_limited(tmp_path):
    tone = np.sin(2 * np.pi * 3000 * np.arange(4096) / 44100) * signal.windows.hann(4096)
    gain = band_gain(written(tmp_path / "r.wav", tone), CONFIG)
    assert np.isfinite(gain).all()
    assert np.abs(gain).max() <= 3 * np.log(10) + 1e-9


def test_only_the_log_mel_of_a_share_of_clips_changes():
    x = np.random.default_rng(0).normal(size=(400, 4, 6, 3)).astype(np.float32)
    gains = np.array([[1, 2, 3, 4], [-1, -2, -3, -4]], np.float32)
    got = devices.recolor(x, gains, 0.25, np.random.default_rng(1))
    np.testing.assert_array_equal(got[..., 1:], x[..., 1:])
    change = (got - x)[..., 0]
    np.testing.assert_allclose(change, np.broadcast_to(change[:, :, :1], change.shape), atol=1e-6)
    kinds = np.round(change[:, 0, 0]).astype(int)
    assert set(kinds) == {-1, 0, 1}
    assert np.mean(kinds != 0) == pytest.approx(0.25, abs=0.07)
    np.testing.assert_allclose(change[kinds == 1][0, :, 0], [1, 2, 3, 4], atol=1e-5)


def test_wrong_folders_and_files_are_named(tmp_path):
    with pytest.raises(AscError, match=r"nothing: not a folder of impulse responses"):
        devices.gains(tmp_path / "nothing", CONFIG)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AscError, match=r"empty: has no impulse responses, allowed: \.wav"):
        devices.gains(tmp_path / "empty", CONFIG)
    silent = written(tmp_path / "silent" / "r.wav", np.zeros(100))
    with pytest.raises(AscError, match=r"r\.wav: the impulse response is silent"):
        devices.gains(silent.parent, CONFIG)
    stereo = tmp_path / "stereo" / "r.wav"
    stereo.parent.mkdir()
    soundfile.write(stereo, np.ones((10, 2)) / 2, 44100)
    with pytest.raises(AscError, match=r"r\.wav: 2 channels, must be mono"):
        devices.gains(stereo.parent, CONFIG)


@pytest.mark.slow
def test_a_recipe_trains_with_responses(synthetic, tmp_path):
    pytest.importorskip("tensorflow")
    from asc_tiny.audio.dataset import Dataset
    from asc_tiny.train import loop
    from asc_tiny.train import recipe as recipes

    text = 'name = "d"\n[frontend]\nn_mels = 16\n[schedule]\ncycles = [2]\nbatch = 6\n'
    text += "[augmentation]\nfrequency_mask_bands = 4\n"
    (tmp_path / "plain.toml").write_text(text)
    (tmp_path / "coloured.toml").write_text(text + '[devices]\nresponses = "mics"\nshare = 1\n')
    colored = recipes.load(tmp_path / "coloured.toml")
    dataset, options = Dataset.load(synthetic), {"epochs": 1, "cache_folder": tmp_path / "cache"}
    with pytest.raises(AscError, match=r"^mics: is neither in .* nor in the working folder$"):
        loop.train(colored, dataset, tmp_path / "a", **options)
    one = written(tmp_path / "mics" / "one.wav", response())
    first = loop.train(colored, dataset, tmp_path / "a", **options)
    plain = loop.train(recipes.load(tmp_path / "plain.toml"), dataset, tmp_path / "b", **options)
    assert first.model_sha256() != plain.model_sha256()
    assert first.info().files == {"mics": devices.digest(one.parent)}
    written(tmp_path / "mics" / "two.wav", response())
    with pytest.raises(AscError, match=r"was trained with another mics, cannot resume"):
        loop.train(colored, dataset, first.root, resume=True, cache_folder=tmp_path / "cache")


def test_rooms_that_the_package_makes():
    rooms = devices.gains("builtin-rooms", CONFIG)
    assert rooms.shape == (6, CONFIG.n_mels)
    assert np.isfinite(rooms).all() and rooms.std(axis=1).min() > 0.0
