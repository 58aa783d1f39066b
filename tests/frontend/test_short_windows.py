"""Windows shorter than the transform: where frames lie, bounds, memory, what may be set."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.frontend import reference
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from support.front_ends import CONFIGS, DEFAULT, MAGNITUDE, SPEECH, error_db
from support.hard_signals import stress
from support.paths import CLIPS

LONG = dataclasses.replace(DEFAULT, n_fft=4096, win_length=3072)


def padded_window(config: FrontEndConfig) -> np.ndarray:
    """The window as librosa has it: in the middle of the transform, zeros around it."""
    length = config.frame_length
    turns = np.arange(length) / length
    before = (config.n_fft - length) // 2
    return np.pad(np.square(np.sin(np.pi * turns)), (before, config.n_fft - length - before))


@pytest.mark.parametrize("length", [399, 400, 100])
def test_centred_windows_lie_where_librosa_has_them(length: int) -> None:
    """Its frames are as long as the transform, with half of one in zeros at either end."""
    config = dataclasses.replace(SPEECH, win_length=length, hop=80)
    pcm = np.random.default_rng(1).integers(-9000, 9000, config.clip_samples).astype(np.int16)
    padded = np.pad(pcm / 32768.0, config.n_fft // 2)
    starts = range(0, len(padded) - config.n_fft + 1, config.hop)
    frames = np.stack([padded[start : start + config.n_fft] for start in starts])
    power = np.abs(np.fft.fft(frames * padded_window(config))[:, : config.n_fft // 2 + 1]) ** 2
    assert config.frames == len(frames)
    assert reference.band_power(pcm, config) == pytest.approx(
        config.mel_weights @ power.T, rel=1e-9, abs=1e-12
    )


def test_causal_windows_lie_where_tensorflow_has_them() -> None:
    """Frames of the window's length within the clip, zeros behind them in the transform."""
    config = dataclasses.replace(MAGNITUDE, win_length=400)
    pcm = np.random.default_rng(2).integers(-9000, 9000, config.clip_samples).astype(np.int16)
    turns = np.outer(np.arange(config.n_fft // 2 + 1), np.arange(400)) / config.n_fft
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(400) / 400)
    matrix = np.exp(-2j * np.pi * turns) * hann / 32768.0
    starts = range(0, config.clip_samples - 400 + 1, config.hop)
    assert config.frames == len(starts) == 98
    frames = np.stack([pcm[start : start + 400] for start in starts])
    bands = config.mel_weights @ np.abs(matrix @ frames.T)
    assert reference.band_power(pcm, config) == pytest.approx(bands, rel=1e-9)


@pytest.mark.parametrize("config", [LONG, dataclasses.replace(DEFAULT, win_length=1102, hop=441)])
def test_real_clips_keep_to_the_bounds_of_other_windows(config: FrontEndConfig) -> None:
    errors = []
    for path in CLIPS[:3]:
        error, level = error_db(read_pcm(path, 44100), config)
        errors.append(error[level >= -100.0])
    error = np.concatenate(errors)
    assert error.mean() < 0.00005
    assert np.quantile(error, 0.99) < 0.0002
    assert error.max() < 0.003


@pytest.mark.slow
def test_stress_keeps_to_its_bounds() -> None:
    for name, signal in stress().items():
        error, level = error_db(signal, LONG)
        loud = error[level >= -80.0]
        assert loud.size == 0 or loud.max() < 0.05, name
        assert error.max() < 0.3, name


def test_no_bin_but_two_has_more_than_0_70711_of_the_longest_windows_sum() -> None:
    """The bound of tests/frontend/test_bounds.py: a shorter window makes no larger sums."""
    half = 128
    angles = 2.0 * np.pi * np.arange(1, half // 2)[:, None] * np.arange(half) / half
    phases = np.linspace(0.0, np.pi, 9)[:, None, None]
    shares = np.abs(np.cos(angles + phases))
    for length in range(64, 256):
        window = fixed_tables.build(
            dataclasses.replace(SPEECH, n_fft=256, win_length=length, hop=64, n_mels=16)
        ).window
        assert window is not None
        whole = np.pad(window / 2.0**30, (0, 256 - length))
        for odd in (0, 1):
            assert (shares @ whole[odd::2]).max() <= 0.70711 * half / 2, length
        # What the first layer adds lies half of the transform apart.
        assert (whole[:half] + whole[half:]).max() <= 1.0 + 1e-8


def test_45_degrees_on_cortex_m0plus_get_no_sum_of_2_to_the_30() -> None:
    """Point 8 of docs/explanation/integer_front_end.md: what samples at their ends lack to 2^30.

    A turn takes sums of elements that lie the same distance apart, turned by quarters.
    """
    for length in range(64, 256):
        config = dataclasses.replace(LONG, n_fft=256, win_length=length, hop=64)
        window = np.pad(reference.window(config), (0, 256 - length))
        for count in (4, 8, 16, 32):
            even, odd = (window[part::2].reshape(count, -1) for part in (0, 1))
            for quarters in (1, 3):
                turned = np.arange(count) * quarters % 4
                real = np.where(turned[:, None] % 2 == 0, even, odd)
                positive = np.minimum(real[turned < 2].sum(axis=0), real[turned >= 2].sum(axis=0))
                missing = 2.0**29 * (2.0 - 4.0 * real.sum(axis=0) / count)
                missing += 2.0**14 * positive * 4.0 / count
                assert missing.min() > 4000, (length, count)


def test_memory_is_that_of_the_window() -> None:
    """The table and the samples that wait are as long as the window, in whole vectors."""
    files = frontend_code.generate(LONG, "a test")
    text = files["asc_frontend_tables.h"]
    assert "#define ASC_FRONTEND_WIN_LENGTH 3072u" in text
    assert "#define ASC_FRONTEND_WINDOWS 3072u" in text
    odd = frontend_code.generate(dataclasses.replace(LONG, win_length=3075), "a test")
    assert "#define ASC_FRONTEND_WINDOWS 3104u" in odd["asc_frontend_tables.h"]
    assert "WIN_LENGTH" not in frontend_code.generate(DEFAULT, "a test")["asc_frontend_tables.h"]


def test_a_window_as_long_as_the_transform_is_no_other_front_end() -> None:
    config = dataclasses.replace(SPEECH, win_length=512)
    assert config == SPEECH and config.digest() == SPEECH.digest()
    assert "win_length" not in config.to_dict()
    short = CONFIGS["short window"]
    assert FrontEndConfig.from_dict(short.to_dict()) == short


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"win_length": 513}, r"win_length = 513, allowed: 64 to n_fft \(512\)"),
        ({"win_length": 63}, r"win_length = 63, allowed: 64 to n_fft \(512\)"),
        ({"win_length": 400.0}, r"win_length = 400.0, allowed: a whole number"),
        ({"win_length": 150}, r"hop = 160, allowed: 1 to win_length \(150\)"),
    ],
)
def test_values_out_of_range_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(AscError, match=message):
        dataclasses.replace(SPEECH, **changes)


def test_a_hop_that_skips_samples_is_named() -> None:
    (line,) = dataclasses.replace(SPEECH, win_length=300, f_min=300.0).warnings()
    assert line.startswith("front end: hop = 160 is more than half of win_length (300): samples")
