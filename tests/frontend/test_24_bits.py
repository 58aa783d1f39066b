"""Samples of 24 bits: read without loss, and as exact when quiet as 16 bits are when loud."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.clips import read_pcm
from asc_tiny.features import host_library
from asc_tiny.frontend import fixed, reference
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from support.front_ends import DEFAULT, error_db
from support.hard_signals import stress, worst_signals
from support.native import CFrontEnd
from support.paths import CLIPS

CONFIG = dataclasses.replace(DEFAULT, sample_bits=24)
LARGEST, SMALLEST = 2**23 - 1, -(2**23)


def samples(values: np.ndarray) -> np.ndarray:
    """Return 24-bit values as the front end takes them."""
    return np.clip(np.rint(values), SMALLEST, LARGEST).astype(np.int32) << 8


def attenuated(path: Path, level_db: float) -> np.ndarray:
    """Return a clip at another level, with noise of one step below the 16th bit."""
    pcm = read_pcm(path, 44100).astype(np.float64) * 256 * 10.0 ** (level_db / 20.0)
    return samples(pcm + np.random.default_rng(1).uniform(-0.5, 0.5, pcm.size))


@pytest.mark.parametrize(("scale", "level"), [("htk", 0), ("htk", -60), ("slaney", -20)])
def test_error_on_real_clips_loud_and_quiet(scale: str, level: float) -> None:
    config = dataclasses.replace(CONFIG, mel_scale=scale)
    errors = []
    for path in CLIPS:
        error, dbfs = error_db(attenuated(path, level), config)
        errors.append(error[dbfs >= -100.0])
        assert error.max() <= 0.05, "all bands, however quiet"
    joined = np.concatenate(errors)
    assert joined.size > 9_000
    assert joined.mean() <= 0.00005
    assert np.quantile(joined, 0.99) <= 0.0002
    assert joined.max() <= 0.003


@pytest.mark.parametrize("level", [0.0, -60.0])
def test_codes_on_real_clips(level: float) -> None:
    for path in CLIPS:
        pcm = attenuated(path, level)
        codes = fixed.features(pcm, CONFIG)
        expected = reference.quantize(reference.features(pcm, CONFIG), CONFIG.quantization)
        assert np.abs(codes.astype(int) - expected).max() <= 1
        assert (codes == expected).mean() >= 0.999


def test_16_bits_hear_less_of_a_quiet_clip() -> None:
    """What the low bits are for: without them a clip of -60 dB is another one."""
    pcm = attenuated(CLIPS[0], -60.0)
    rounded = ((pcm.astype(np.int64) + 2**15) >> 16).astype(np.int16)
    lost = reference.features(rounded, DEFAULT) - reference.features(pcm, CONFIG)
    assert np.abs(lost[:, :, 0]).mean() > 0.5
    codes = fixed.features(pcm, CONFIG) - fixed.features(rounded, DEFAULT).astype(int)
    assert np.mean(codes != 0) > 0.3


def test_error_under_stress() -> None:
    generator = np.random.default_rng(3)
    for name, signal in stress().items():
        low = generator.integers(0, 256, signal.size)
        error, level = error_db(samples(signal.astype(np.int64) * 256 + low), CONFIG)
        assert error[level >= -80.0].max(initial=0.0) <= 0.05, name
        assert error.max() <= 0.3, name
    for most in (1, 3, 100, 10_000):
        noise = generator.integers(-most, most + 1, CONFIG.clip_samples)
        assert error_db(samples(noise), CONFIG)[0].max() <= 0.0002, most


@pytest.mark.parametrize("n_fft", [256, 2048, 4096])
@pytest.mark.parametrize("log_floor", [1e-10, 1e-8, 1e-6])
def test_the_floor_leaves_room_for_power(n_fft: int, log_floor: float) -> None:
    """Power adds up to less than 2^63; the sum with the floor must fit 64 bits."""
    config = dataclasses.replace(CONFIG, n_fft=n_fft, hop=n_fft // 2, log_floor=log_floor)
    tables = fixed_tables.build(config)
    assert tables.floor <= 2**62
    assert tables.floor > 2**60 or tables.max_shift == 23
    assert tables.floor >> 2 * tables.max_shift > 100, "its own rounding is below 0.05 dB"


def test_full_scale_and_any_int32_overflow_nowhere(tmp_path: Path) -> None:
    """C traps overflow; the lowest 8 bits take part where a driver leaves them set."""
    frontend = CFrontEnd(CONFIG, tmp_path)
    generator = np.random.default_rng(8)
    count = CONFIG.clip_samples
    limits = np.iinfo(np.int32)
    signals = [np.where(s > 0, limits.max, limits.min) for s in worst_signals(count)[::5]]
    signals += [generator.integers(-(2**bits), 2**bits, count) for bits in (0, 3, 7, 20, 31)]
    for signal in signals:
        pcm = signal.astype(np.int32)
        assert np.array_equal(frontend.features(pcm, [1024])[0], fixed.features(pcm, CONFIG))


@pytest.mark.parametrize(
    ("subtype", "wanted"),
    [
        ("PCM_24", [1, -2, LARGEST, SMALLEST]),
        ("PCM_16", [0, -256, LARGEST - 255, SMALLEST]),
        ("DOUBLE", [1, -2, LARGEST, SMALLEST]),
    ],
)
def test_files_keep_their_low_bits(subtype: str, wanted: list[int], tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    if subtype == "DOUBLE":
        soundfile.write(path, np.array([0.7, -2.2, 2**24, -(2**24)]) / 2**23, 8000, subtype)
    else:
        soundfile.write(path, np.array(wanted, np.int32) << 8, 8000, subtype)
    pcm = read_pcm(path, 8000, bits=24)
    assert pcm.dtype == np.int32
    assert (pcm >> 8).tolist() == wanted
    assert not (pcm & 0xFF).any()
    assert read_pcm(path, 8000).dtype == np.int16


def test_resampling_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, samples(20.0 * np.sin(np.arange(16000) / 40.0)), 16000, "PCM_24")
    pcm = read_pcm(path, 8000, bits=24, resample=True)
    assert not read_pcm(path, 8000, resample=True).any()
    assert np.abs(pcm >> 8).max() == pytest.approx(20, abs=1)


def test_samples_of_another_type_are_refused() -> None:
    pcm = np.zeros(44100, np.int16)
    for compute in (reference.features, fixed.features, host_library.features):
        with pytest.raises(AscError, match="int16 samples, sample_bits = 24 needs int32"):
            compute(pcm, CONFIG)
        with pytest.raises(AscError, match="int32 samples, sample_bits = 16 needs int16"):
            compute(pcm.astype(np.int32), DEFAULT)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(AscError, match="x: front end: sample_bits = 20, allowed: 16 or 24"):
        FrontEndConfig.from_dict({"sample_bits": 20}, source="x")
