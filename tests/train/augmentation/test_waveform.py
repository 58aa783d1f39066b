"""Changed copies of clips: each change against its definition, and what the cache keeps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from asc_tiny.audio.clips import write_wav16
from asc_tiny.audio.dataset import Dataset
from asc_tiny.features import cache
from asc_tiny.train import recipe as recipes
from asc_tiny.train.augmentation import waveform
from asc_tiny.util.errors import AscError

RATE = 44100
RECIPE = """
name = "copies"
network = "ds_cnn"
[network_options]
depth = 2
channels = 16
[frontend]
n_mels = 16
n_fft = 1024
[augmentation]
frequency_mask_bands = 4
[waveform]
copies = 2
"""
SHA = "0123456789abcdef" * 4


@pytest.fixture
def folders(tmp_path):
    for name in ("rooms", "street"):
        (tmp_path / name).mkdir()
    response = np.zeros(300, np.int16)
    response[[40, 140]] = 20000, -10000
    write_wav16(tmp_path / "rooms" / "echo.wav", response, RATE)
    # Of another rate: it is converted.
    noise = np.random.default_rng(0).normal(0, 3000, 8000).astype(np.int16)
    write_wav16(tmp_path / "street" / "cars.wav", noise, 16000)
    return tmp_path


def changes(folder, text):
    (folder / "r.toml").write_text(RECIPE + text)
    return waveform.changes(recipes.load(folder / "r.toml"))


def tone(frequency, seconds=1.0, level=0.3):
    return level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)


def peak(x):
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    return spectrum.argmax() * RATE / len(x)


@pytest.mark.parametrize("semitones", [-7.0, -1.0, 0.0, 5.0])
def test_pitch_moves_by_semitones_and_the_pace_stays(semitones):
    x = tone(1000.0)
    x[: RATE // 2] *= 0.1
    shifted = waveform.pitch_shifted(x, semitones)
    assert len(shifted) == len(x)
    loud = shifted[RATE // 2 + 3000 : -3000]
    assert peak(loud) == pytest.approx(1000.0 * 2 ** (semitones / 12), rel=0.01)
    levels = [np.std(part) for part in (shifted[3000 : RATE // 2 - 3000], loud)]
    assert levels[1] / levels[0] == pytest.approx(10.0, rel=0.1)


def test_a_response_is_convolved_at_its_peak_and_keeps_the_power():
    rng = np.random.default_rng(0)
    x, response = rng.normal(size=2000), np.zeros(90)
    response[[10, 60]] = 2.0, -1.0
    heard = waveform.convolved(x, response)
    expected = np.convolve(x, response)[10:2010]
    np.testing.assert_allclose(heard / heard.std(), expected / expected.std(), atol=1e-9)
    assert np.mean(heard**2) == pytest.approx(np.mean(x**2))


def test_noise_comes_at_its_ratio():
    rng = np.random.default_rng(0)
    x, noise = tone(500.0), rng.normal(0, 7, RATE)
    added = waveform.with_noise(x, noise, 6.0) - x
    ratio = 10 * np.log10(np.mean(x**2) / np.mean(added**2))
    assert ratio == pytest.approx(6.0)
    np.testing.assert_array_equal(waveform.with_noise(0 * x, noise, 6.0), 0 * x)


@pytest.mark.parametrize(("color", "slope"), [("white", 0.0), ("pink", -1.0)])
def test_noise_has_its_color(color, slope):
    noise = waveform.colored(color, 1 << 16, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [power[1 << k : 2 << k].mean() for k in range(6, 15)]
    found = np.polyfit(np.arange(9), np.log2(octaves), 1)[0]
    assert found == pytest.approx(slope, abs=0.1)


def test_a_copy_depends_on_seed_number_and_clip_alone(folders):
    text = 'responses = "rooms"\nnoise = "street"\ngain_db = 6\n'
    first, second = changes(folders, text)
    pcm = (20000 * tone(700.0)).astype(np.int16)
    changed = first(pcm, SHA)
    assert changed.dtype == np.int16 and changed.shape == pcm.shape
    np.testing.assert_array_equal(first(pcm, SHA), changed)
    for other in (second, dataclasses.replace(first, seed=2)):
        assert (other(pcm, SHA) != changed).any()
        assert other.key != first.key
    assert (first(pcm, SHA[::-1]) != changed).any()


def test_what_is_too_loud_is_clipped(folders):
    change = changes(folders, "gain_db = 40\n")[0]
    full = np.full(1000, 32767, np.int16)
    found = {int(change(full, f"{n:064x}"[::-1]).max()) for n in range(20)}
    assert max(found) == 32767 and min(found) < 20000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('noise = "nowhere"', "nowhere: is neither in"),
        ('responses = "street/cars.wav"', "not a folder of impulse responses"),
        ("snr_db = [3, 1]", r"waveform\.snr_db = \(3\.0, 1\.0\), allowed: the lowest"),
        ('noise = "pink"\npitch_semitones = 13', r"waveform\.pitch_semitones = 13\.0, allowed: 0"),
    ],
)
def test_what_is_missing_or_wrong_is_named(folders, text, message):
    with pytest.raises(AscError, match=message):
        changes(folders, text)


def test_features_of_copies_are_those_of_the_changed_samples(folders, synthetic):
    dataset = Dataset.load(synthetic)
    clips = dataset.split("train")[:2]
    change = changes(folders, 'responses = "rooms"\nresponse_share = 1\n')[1]
    config = recipes.load(folders / "r.toml").frontend
    found = cache.load(clips, config, folder=folders / "cache", change=change)
    plain = cache.load(clips, config, folder=folders / "cache")
    from asc_tiny.frontend.reference import features
    from asc_tiny.util.files import sha256

    pcm = change(cache.clip_pcm(clips[1], config), sha256(clips[1].path.read_bytes()))
    expected = features(pcm, config).astype(np.float32)
    np.testing.assert_array_equal(found.take(np.array([1]))[0], expected)
    both = waveform.take([plain, found], np.zeros(200, int), np.random.default_rng(0))
    share = (both == plain.take(np.array([0]))).all(axis=(1, 2, 3)).mean()
    assert share == pytest.approx(0.5, abs=0.12)
