"""The float64 reference against the definition written out slowly, one number at a time."""

from __future__ import annotations

import cmath
import dataclasses
import math

import numpy as np
import pytest

from asc_tiny.frontend import mel, reference
from asc_tiny.frontend.config import FrontEndConfig, Quantization, read_toml
from asc_tiny.util.errors import AscError

SMALL = FrontEndConfig(
    sample_rate=8000, clip_samples=2600, n_fft=256, hop=200, n_mels=20, f_min=100.0, f_max=3900.0
)


def slow_log_mel(pcm: np.ndarray, config: FrontEndConfig, band: int, frame: int) -> float:
    n_fft = config.n_fft
    start = frame * config.hop - n_fft // 2
    samples = [pcm[i] / 32768 if 0 <= i < len(pcm) else 0.0 for i in range(start, start + n_fft)]
    mel = [2595 * math.log10(1 + f / 700) for f in (config.f_min, config.f_max)]
    step = (mel[1] - mel[0]) / (config.n_mels + 1)
    low, center, high = (700 * (10 ** ((mel[0] + step * (band + i)) / 2595) - 1) for i in range(3))
    total = 0.0
    for k in range(n_fft // 2 + 1):
        hz = k * config.sample_rate / n_fft
        if not low < hz < high:
            continue
        weight = (hz - low) / (center - low) if hz <= center else (high - hz) / (high - center)
        value = sum(
            x
            * (0.5 - 0.5 * math.cos(2 * math.pi * n / n_fft))
            * cmath.exp(-2j * math.pi * k * n / n_fft)
            for n, x in enumerate(samples)
        )
        total += weight * abs(value) ** 2
    return math.log(total + config.log_floor)


def test_log_mel_equals_the_definition() -> None:
    pcm = np.random.default_rng(3).integers(-9000, 9000, SMALL.clip_samples).astype(np.int16)
    fast = reference.log_mel(pcm, SMALL)
    assert fast.shape == (20, SMALL.frames) == (20, 14)
    for band, frame in [(0, 0), (5, 3), (19, 13), (11, 7)]:
        assert fast[band, frame] == pytest.approx(slow_log_mel(pcm, SMALL, band, frame), abs=1e-9)


def test_deltas_equal_the_definition() -> None:
    pcm = np.random.default_rng(4).integers(-9000, 9000, SMALL.clip_samples).astype(np.int16)
    x = reference.log_mel(pcm, SMALL)
    features = reference.features(pcm, SMALL)

    def d(m: int, t: int) -> float:
        return (x[m, t + 1] - x[m, t - 1]) / 10 + (x[m, t + 2] - x[m, t - 2]) / 5

    for m, t in [(0, 4), (7, 6), (19, 9)]:
        second = (d(m, t + 1) - d(m, t - 1)) / 10 + (d(m, t + 2) - d(m, t - 2)) / 5
        assert features[m, t - 4] == pytest.approx([x[m, t], d(m, t), second], abs=1e-12)


def test_the_seeds_shape() -> None:
    config = FrontEndConfig()
    features = reference.features(np.zeros(44100, np.int16), config)
    assert features.shape == config.shape == (256, 36, 3)
    assert config.frames == 44
    assert features[:, :, 0] == pytest.approx(np.log(1e-8))
    assert not features[:, :, 1:].any()


@pytest.mark.parametrize(("scale", "empty"), [("htk", [0]), ("slaney", [])])
def test_empty_bands_of_the_default(scale: str, empty: list[int]) -> None:
    weights = FrontEndConfig(mel_scale=scale).mel_weights
    assert np.flatnonzero(weights.sum(axis=1) == 0).tolist() == empty


def test_mel_scales_at_published_points() -> None:
    # HTK book: 1000 Hz is 1000 mel; Auditory Toolbox: 1000 Hz is 15 mel, 6400 Hz 27 steps above.
    assert mel.hz_to_mel(np.array([1000.0]), "htk") == pytest.approx(1000.0, abs=0.02)
    assert mel.hz_to_mel(np.array([500.0, 1000.0, 6400.0]), "slaney") == pytest.approx(
        [7.5, 15.0, 42.0]
    )
    hz = np.array([0.0, 60.0, 999.0, 1001.0, 9000.0])
    for scale in ("htk", "slaney"):
        assert mel.mel_to_hz(mel.hz_to_mel(hz, scale), scale) == pytest.approx(hz)


def test_quantize_rounds_to_nearest_and_saturates() -> None:
    quantization = Quantization(scale=0.5, zero_point=-3)
    values = np.array([0.0, 0.24, 0.25, -0.26, 1000.0, -1000.0])
    assert reference.quantize(values, quantization).tolist() == [-3, -3, -2, -4, 127, -128]


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("sample_rate", 4000, "8000 to 48000"),
        ("n_fft", 1000, "powers of two"),
        ("hop", 4096, "1 to n_fft"),
        ("n_mels", 8, "16 to 256"),
        ("mel_scale", "bark", "htk, slaney"),
        ("window", "boxcar", "hann"),
        ("f_max", 30000.0, "up to 22050"),
        ("clip_samples", 2000, "at least one feature column"),
        ("clip_samples", 1.5, "a whole number"),
        ("log_floor", 0.0, "1e-10"),
        ("colour", "red", "allowed: clip_samples"),
    ],
)
def test_bad_values_are_named(key: str, value: object, allowed: str) -> None:
    with pytest.raises(AscError, match=allowed) as error:
        FrontEndConfig.from_dict({key: value}, source="x.toml")
    assert str(error.value).startswith("x.toml: ")
    assert key in str(error.value)
    assert "\n" not in str(error.value)


def test_dictionary_round_trip_and_digest() -> None:
    config = FrontEndConfig(mel_scale="slaney").quantized(0.1, -5)
    assert FrontEndConfig.from_dict(config.to_dict()) == config
    assert config.digest() == FrontEndConfig(mel_scale="slaney").digest()
    assert config.digest() != FrontEndConfig().digest()


def test_read_toml(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "frontend.toml"
    path.write_text("sample_rate = 16000\nclip_samples = 16000\nf_max = 8000.0\n")
    expected = dataclasses.replace(
        FrontEndConfig(), sample_rate=16000, clip_samples=16000, f_max=8000.0
    )
    assert read_toml(path) == expected
    path.write_text("sample_rate = \n")
    with pytest.raises(AscError, match="not TOML"):
        read_toml(path)
