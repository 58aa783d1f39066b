"""Random front ends and signals for them."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from asc_tiny.frontend.config import (
    COMPRESSIONS,
    FLOORS,
    FRAMINGS,
    LOG_FLOORS,
    LOGS,
    MEL_SCALES,
    PCEN_RANGES,
    SAMPLE_BITS,
    SPECTRA,
    FrontEndConfig,
)
from asc_tiny.frontend.pcen import MOST_HOPS

RATES = (8000, 16000, 22050, 32000, 44100, 48000)


@st.composite
def configs(draw: st.DrawFn) -> FrontEndConfig:
    rate = draw(st.sampled_from(RATES))
    n_fft = draw(st.sampled_from((256, 512, 1024, 2048, 4096, 8192)))
    win_length = draw(st.none() | st.integers(n_fft // 4, n_fft))
    hop = draw(st.integers(n_fft // 8, win_length or n_fft))
    f_max = draw(st.floats(rate / 4, rate / 2))
    spectrum = draw(st.sampled_from(SPECTRA))
    compressing = draw(compressions(spectrum, hop / rate))
    config = FrontEndConfig(
        spectrum=spectrum,
        sample_rate=rate,
        # Enough for some columns, not more: the model in NumPy is slow.
        clip_samples=n_fft + draw(st.integers(12, 20)) * hop + draw(st.integers(0, hop)),
        n_fft=n_fft,
        win_length=win_length,
        hop=hop,
        framing=draw(st.sampled_from(FRAMINGS)),
        n_mels=draw(st.integers(16, 256)),
        mel_scale=draw(st.sampled_from(MEL_SCALES)),
        f_min=draw(st.floats(0.0, f_max / 2)),
        f_max=f_max,
        **compressing,
        deltas=draw(st.booleans()),
        sample_bits=draw(st.sampled_from(SAMPLE_BITS)),
    )
    if draw(st.booleans()):
        config = normalized(config, np.random.default_rng(draw(st.integers(0, 2**31))))
    low, high = config.value_range
    # A band's scale may make codes 20 times as fine.
    finest = 0.02 if config.compression == "log" else (high - low) / 250.0
    return config.quantized(finest * draw(st.floats(1.0, 25.0)), draw(st.integers(-128, 127)))


@st.composite
def compressions(draw: st.DrawFn, spectrum: str, hop_s: float) -> dict[str, object]:
    """A logarithm, or PCEN with values anywhere between the ends of their ranges."""
    if draw(st.sampled_from(COMPRESSIONS)) == "log":
        least, most = LOG_FLOORS[spectrum]
        return {
            "log": draw(st.sampled_from(list(LOGS))),
            "log_floor": draw(st.sampled_from((least, math.sqrt(least * most), most))),
            "floor": draw(st.sampled_from(FLOORS)),
        }
    values: dict[str, object] = {"compression": "pcen"}
    for key, (low, high) in PCEN_RANGES.items():
        if key == "pcen_time_constant":
            high = min(high, 0.999 * MOST_HOPS * hop_s)
        share = draw(st.sampled_from((0.0, 1.0)) | st.floats(0.0, 1.0))
        # Those that span decades are drawn by their logarithms.
        value = low * (high / low) ** share if low else high * share
        values[key] = min(max(value, low), high)
    return values


def normalized(config: FrontEndConfig, generator: np.random.Generator) -> FrontEndConfig:
    means = generator.uniform(*config.value_range, config.n_mels)
    scales = generator.uniform(0.3, 6.0, config.n_mels)
    return config.normalized(means, scales)


@st.composite
def signals(draw: st.DrawFn, config: FrontEndConfig) -> np.ndarray:
    """Two clips of noise, tones, steps or nothing, from the last bit to clipping."""
    generator = np.random.default_rng(draw(st.integers(0, 2**31)))
    count = 2 * config.clip_samples
    n = np.arange(count)
    kind = draw(st.sampled_from(("noise", "tone", "steps", "impulses", "silence")))
    limits = np.iinfo(config.sample_type)
    level = 2.0 ** draw(st.floats(-1.0, limits.bits))
    values = {
        "noise": generator.normal(0.0, 0.3, count),
        "tone": np.sin(draw(st.floats(0.0, np.pi)) * n),
        "steps": np.where(generator.random(count) < 0.01, -1.0, 1.0).cumprod(),
        "impulses": (generator.random(count) < 0.001).astype(float),
        "silence": np.zeros(count),
    }[kind]
    return np.clip(np.rint(values * level), limits.min, limits.max).astype(config.sample_type)


def repeatable(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
