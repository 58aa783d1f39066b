"""The bounds against overflow of the integer transform (docs/explanation/integer_front_end.md)."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.frontend import fixed
from support.front_ends import CONFIGS, DEFAULT
from support.hard_signals import worst_signals
from support.native import CFrontEnd


@pytest.mark.parametrize("length", [128, 256, 512, 1024, 2048])
def test_no_bin_but_two_has_more_than_0_70711_of_the_windows_sum(length: int) -> None:
    """Of the transforms of even and odd samples: the largest sum of w |cos| over all phases."""
    n = np.arange(length)
    phases = np.linspace(0.0, np.pi, 17)[:, None]
    for odd in (0, 1):
        window = 0.5 - 0.5 * np.cos(np.pi * (2 * n + odd) / length)
        assert window.sum() == pytest.approx(length / 2)
        for k in range(1, length // 2):
            shares = np.abs(np.cos(2.0 * np.pi * k * n / length + phases)) @ window
            assert shares.max() <= 0.70711 * window.sum(), k


def test_the_worst_signals_overflow_nowhere(tmp_path) -> None:
    """The C code traps overflow; its bits are those of the model's 64-bit integers."""
    frontend = CFrontEnd(DEFAULT, tmp_path)
    for signal in worst_signals(DEFAULT.clip_samples):
        codes = frontend.features(signal, [1024])[0]
        assert np.array_equal(codes, fixed.features(signal, DEFAULT))


def random_stream(generator: np.random.Generator, count: int, config) -> np.ndarray:
    """Noise, signs and nothing, each hop at its own level from the last bit to clipping."""
    hop, limits = config.hop, np.iinfo(config.sample_type)
    level = 2.0 ** generator.uniform(-2.0, limits.bits + 1.0, (count // hop, 1))
    noise = generator.normal(0.0, 1.0, (count // hop, hop))
    signs = np.where(generator.random((count // hop, 1)) < 0.3, np.sign(noise), noise)
    signs *= generator.random((count // hop, 1)) > 0.05
    values = np.clip(np.rint(signs * level), limits.min, limits.max)
    return values.astype(config.sample_type).ravel()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("speech", 100_000),
        ("default", 30_000),
        ("24 bits", 30_000),
        pytest.param("speech", 2_000_000, marks=pytest.mark.exhaustive),
        pytest.param("24 bits, normalised speech", 500_000, marks=pytest.mark.exhaustive),
    ],
)
def test_millions_of_random_frames_trap_nothing(name, frames, tmp_path) -> None:
    """Undefined behaviour would end the process."""
    config = CONFIGS[name]
    frontend = CFrontEnd(config, tmp_path)
    generator = np.random.default_rng(13)
    done = 0
    while done < frames:
        stream = random_stream(generator, 50 * config.clip_samples, config)
        whole = stream[: len(stream) // config.clip_samples * config.clip_samples]
        codes = frontend.features(whole, [len(whole)])
        done += len(codes) * config.frames
