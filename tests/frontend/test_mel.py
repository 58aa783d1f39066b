"""The reference's fast arithmetic against the same formulas with dense float64 matrices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from asc_tiny.frontend import reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError

CONFIGS = {
    "default": FrontEndConfig(),
    "slaney": FrontEndConfig(mel_scale="slaney"),
    "upper half, its lower bands empty": FrontEndConfig(f_min=11000.0, n_fft=256, hop=250),
    "frames apart by one window": FrontEndConfig(n_fft=2048, hop=2048, deltas=False, n_mels=40),
    "frames closer than a fifth": FrontEndConfig(
        sample_rate=16000, clip_samples=15999, n_fft=512, hop=97, n_mels=64, f_max=8000.0
    ),
    "clip shorter than a window": FrontEndConfig(clip_samples=1000, n_fft=4096, hop=100),
}


def dense_band_power(pcm: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    half = config.n_fft // 2
    padded = np.pad(pcm.astype(np.float64) / 32768.0, (half, config.n_fft))
    frames = np.stack([padded[t * config.hop :][: config.n_fft] for t in range(config.frames)])
    power = np.abs(np.fft.fft(frames * reference.window(config))[:, : half + 1]) ** 2
    return config.mel_weights @ power.T


def clip(config: FrontEndConfig, amplitude: float = 9000.0) -> np.ndarray:
    noise = np.random.default_rng(5).normal(0.0, amplitude, config.clip_samples)
    return np.clip(noise, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))
def test_band_powers_equal_dense_matrices(config: FrontEndConfig) -> None:
    pcm = clip(config)
    np.testing.assert_allclose(
        reference.band_power(pcm, config), dense_band_power(pcm, config), rtol=1e-12, atol=0.0
    )


@pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))
def test_features_equal_dense_matrices(config: FrontEndConfig) -> None:
    pcm = clip(config)
    x = np.log(dense_band_power(pcm, config) + config.log_floor)
    channels = [x]
    if config.deltas:
        # Correlation with the taps of the definition, far from np.correlate's padding.
        taps = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
        first = np.array([np.correlate(row, taps) for row in x])
        second = np.array([np.correlate(row, taps) for row in first])
        channels = [x[:, 4:-4], first[:, 2:-2], second]
    values = reference.features(pcm, config)
    assert values.dtype == np.float64
    assert values.shape == config.shape
    np.testing.assert_allclose(values, np.stack(channels, axis=-1), rtol=0.0, atol=1e-12)


def test_silence_and_full_scale() -> None:
    config = FrontEndConfig()
    silence = np.zeros(config.clip_samples, np.int16)
    assert not reference.band_power(silence, config).any()
    loudest = np.resize(np.array([-32768, 32767], np.int16), config.clip_samples)
    np.testing.assert_allclose(
        reference.band_power(loudest, config).sum(),
        dense_band_power(loudest, config).sum(),
        rtol=1e-12,
    )


def test_kept_constants_follow_the_configuration() -> None:
    first = FrontEndConfig(n_mels=40)
    pcm = clip(first)
    before = reference.features(pcm, first)
    others = [
        dataclasses.replace(first, mel_scale="slaney"),
        dataclasses.replace(first, f_max=20000.0),
        dataclasses.replace(first, sample_rate=48000),
    ]
    for other in others:
        assert not np.allclose(reference.features(pcm, other), before)
    np.testing.assert_array_equal(reference.features(pcm, first.quantized(0.1, 3)), before)
    np.testing.assert_array_equal(reference.features(pcm, first), before)


def test_a_result_can_be_changed_without_changing_the_next() -> None:
    config = FrontEndConfig(n_mels=40)
    pcm = clip(config)
    samples = pcm.copy()
    first = reference.features(pcm, config)
    kept = first.copy()
    first += 1.0
    np.testing.assert_array_equal(pcm, samples)
    np.testing.assert_array_equal(reference.features(pcm, config), kept)


def test_a_short_clip_is_refused() -> None:
    with pytest.raises(AscError, match="front end: 44099 samples, a clip has 44100"):
        reference.features(np.zeros(44099, np.int16), FrontEndConfig())
