"""Bands that sum magnitudes: integer roots, the error against float64, and what may be set."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend import fixed, reference
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from support.front_ends import DEFAULT, MAGNITUDE, SPEECH
from support.hard_signals import stress
from support.paths import CLIPS


def test_roots_are_the_roots_of_integers() -> None:
    generator = np.random.default_rng(0)
    ends = 2 ** np.arange(63, dtype=np.uint64)
    small, large = np.arange(1, 2000), generator.integers(1, 2**62, 20000)
    power = np.concatenate([small, large, ends, ends - (ends > 1), [2**62]]).astype(np.uint64)
    got = fixed.roots(power).astype(np.float64) / 2.0**fixed_tables.ROOT_FRACTION_BITS
    assert np.abs(got / np.sqrt(power.astype(np.float64)) - 1.0).max() < 1.1e-7
    assert fixed.roots(np.zeros(1, np.uint64)) == 0


def test_the_reference_sums_magnitudes() -> None:
    """By the definition, with a matrix of filters and NumPy's transform."""
    pcm = np.random.default_rng(1).integers(-3000, 3000, MAGNITUDE.clip_samples).astype(np.int16)
    config = dataclasses.replace(MAGNITUDE, framing="causal")
    starts = range(0, config.clip_samples - config.n_fft + 1, config.hop)
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(config.n_fft) / config.n_fft)
    frames = np.stack([pcm[start : start + config.n_fft] / 32768.0 * hann for start in starts])
    bands = np.abs(np.fft.rfft(frames)) @ config.mel_weights.T
    expected = np.log(bands + config.log_floor).T
    assert reference.log_mel(pcm, config) == pytest.approx(expected, abs=1e-9)


def error_db(pcm: np.ndarray, config: FrontEndConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return |integer - float64| in dB of amplitude and the band level in dBFS."""
    tables = fixed_tables.build(config)
    integer = fixed.log2_mel(pcm, config, tables) * np.log(2.0) / 2.0**20
    error = np.abs(integer - reference.log_mel(pcm, config)) * 20.0 / np.log(10.0)
    level = 20.0 * np.log10(reference.band_power(pcm, config) + 1e-30)
    return error, level - 20.0 * np.log10(config.n_fft / 4)


@pytest.mark.parametrize(
    ("n_fft", "most_of_them", "all_of_them"),
    [(2048, 0.0003, 0.005), pytest.param(8192, 0.002, 0.02, marks=pytest.mark.slow)],
)
def test_real_clips_keep_to_their_bounds(
    n_fft: int, most_of_them: float, all_of_them: float
) -> None:
    """A longer transform rounds more often."""
    config = dataclasses.replace(DEFAULT, n_fft=n_fft, spectrum="magnitude", log_floor=1e-4)
    errors = []
    for path in CLIPS[:4]:
        error, level = error_db(read_pcm(path, 44100), config)
        errors.append(error[level >= -100.0])
    error = np.concatenate(errors)
    assert error.mean() < 0.0001
    assert np.quantile(error, 0.99) < most_of_them
    assert error.max() < all_of_them


def test_stress_keeps_to_its_bounds() -> None:
    config = dataclasses.replace(DEFAULT, spectrum="magnitude", log_floor=1e-4)
    for name, signal in stress().items():
        error, level = error_db(signal, config)
        loud = error[level >= -80.0]
        assert loud.size == 0 or loud.max() < 0.005, name
        assert error.max() < 0.8, name


def test_the_transform_of_8192_points_keeps_to_the_bounds_of_the_others() -> None:
    config = dataclasses.replace(DEFAULT, n_fft=8192, hop=2048)
    pcm = read_pcm(CLIPS[0], 44100)
    tables = fixed_tables.build(config)
    integer = fixed.log2_mel(pcm, config, tables) * np.log(2.0) / 2.0**20
    error = np.abs(integer - reference.log_mel(pcm, config)) * 10.0 / np.log(10.0)
    assert error.mean() < 0.0001 and error.max() < 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spectrum": "amplitude"}, "spectrum = amplitude, allowed: power, magnitude"),
        ({"spectrum": "magnitude"}, "log_floor = 1e-08, allowed: 1e-05 to 0.1"),
        ({"log_floor": 1e-3}, "log_floor = 0.001, allowed: 1e-10 to 1e-06"),
        ({"n_fft": 16384}, "n_fft = 16384, allowed: powers of two, 256 to 8192"),
    ],
)
def test_values_out_of_range_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(AscError, match=message):
        dataclasses.replace(SPEECH, **changes)


def test_a_front_end_of_powers_is_written_as_before() -> None:
    assert "spectrum" not in DEFAULT.to_dict()
    assert MAGNITUDE.to_dict()["spectrum"] == "magnitude"
    assert FrontEndConfig.from_dict(MAGNITUDE.to_dict()) == MAGNITUDE
