"""Signals that are hard for fixed-point arithmetic."""

from __future__ import annotations

import numpy as np

from support.front_ends import DEFAULT


def worst_signals(count: int) -> list[np.ndarray]:
    """Full-scale signs that line up with a bin's cosine, for bins that could overflow first."""
    n = np.arange(count)
    signals = []
    for divisor in (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 1024, 2048):
        for phase in (0.0, np.pi / 8, np.pi / 4):
            wave = np.cos(2.0 * np.pi * n / divisor + phase)
            signals.append(np.where(wave >= 0.0, 32767, -32768).astype(np.int16))
    return signals


COUNT = DEFAULT.clip_samples
N = np.arange(COUNT)


def tone(frequency: float, level_db: float) -> np.ndarray:
    """Return a sine of this level below full scale; frequency in bins of the transform."""
    return 32767.0 * 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * frequency * N / DEFAULT.n_fft)


def impulses() -> np.ndarray:
    signal = np.zeros(COUNT)
    signal[::3001] = 32767
    signal[1500::3001] = -32768
    return signal


def stress() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(31)
    noise = generator.integers(-32768, 32768, COUNT)
    signals = {
        "DC": np.full(COUNT, 32767.0),
        "negative DC": np.full(COUNT, -32768.0),
        "Nyquist": np.where(N % 2 == 0, 32767, -32768),
        "binary noise": np.where(noise >= 0, 32767, -32768),
        "noise": noise,
        "LSB noise": generator.integers(-1, 2, COUNT),
        "one LSB": generator.integers(-1, 1, COUNT),
        "impulses": impulses(),
        "chirp": 32767.0 * np.sin(0.5 * np.pi * N * N / COUNT),
        "fade": noise * 10.0 ** (-5.0 * N / COUNT),
        "a tone of -84 dB under one of 0 dB": tone(300.0, 0.0) + tone(700.3, -84.0),
    }
    for period in (2, 3, 4, 7, 50, 441, 5000):
        signals[f"square of {period}"] = np.where(N // period % 2 == 0, 32767, -32768)
    for level in (0.0, -20.0, -60.0):
        for bins in (1.0, 1.5, 10.25, 256.0, 511.5, 512.0, 777.7, 1023.0):
            signals[f"tone of {bins} bins, {level} dB"] = tone(bins, level)
    # The frequency moves by an eighth of a bin with each frame.
    phase = np.cumsum(2.0 * np.pi * (40.0 + N / DEFAULT.hop / 8.0) / DEFAULT.n_fft)
    signals["sweep over bins"] = 32767.0 * np.sin(phase)
    return {k: np.clip(np.rint(v), -32768, 32767).astype(np.int16) for k, v in signals.items()}
