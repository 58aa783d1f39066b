"""The resampler against float64: response, accuracy, limits; and C, Python and cores bit by bit."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware import resample as resample_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.resample import fixed
from asc_tiny.resample.design import Resampler, design
from asc_tiny.util.errors import AscError
from support.chunked import pushed
from support.front_ends import DEFAULT
from support.native import shared_library, write
from support.paths import CLIPS
from support.random_front_ends import repeatable
from support.resampling import (
    NANO_RATE,
    RATES,
    ideal,
    log_mel_errors,
    response,
    rounded,
    worst_case,
)

all_rates = pytest.mark.parametrize("name", list(RATES))
FULL_SCALE = 32767.0


class CResampler:
    """The C resampler, undefined behaviour trapped."""

    def __init__(self, resampler: Resampler, folder: Path) -> None:
        write(resample_code.generate(resampler, "a test"), folder)
        write(runtime_sources("fixed_point", "resample"), folder)
        self.resampler = resampler
        self.library = shared_library(folder)
        self.library.asc_resample.restype = ctypes.c_size_t
        self.state = ctypes.create_string_buffer(1 << 14)

    def run(self, pcm: np.ndarray, chunks: list[int]) -> np.ndarray:
        """Push a stream in chunks of these sizes, over and over."""
        self.library.asc_resample_init(self.state)
        most = self.resampler.output_count
        return pushed(self.library.asc_resample, self.state, pcm, chunks, most)


@pytest.fixture(scope="session")
def c_resamplers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CResampler]:
    folder = tmp_path_factory.mktemp("resamplers")
    return {
        name: CResampler(design(*rates), folder / name.replace(" ", "_"))
        for name, rates in RATES.items()
    }


def tone(frequency: float, rate: float, count: int, amplitude: float = 30000.0) -> np.ndarray:
    """Float64 samples; ``frequency`` and ``rate`` in the same unit."""
    return amplitude * np.sin(2.0 * np.pi * frequency / rate * np.arange(count))


@all_rates
def test_response_of_the_stored_coefficients(name: str) -> None:
    share, gain = response(design(*RATES[name]))
    assert np.abs(gain[share <= 0.45]).max() <= 0.1
    assert gain[share >= 0.55].max() <= -80.0
    assert (share >= 0.55).sum() > 100


@all_rates
def test_tones_pass_with_nothing_else_above_minus_80_db(name: str) -> None:
    """Fitted sine against all that is left: images, aliases and rounding together."""
    resampler = design(*RATES[name])
    source = float(resampler.source_rate)
    real_rate = source * resampler.up / resampler.down
    lower = min(source, real_rate)
    for share in (0.003, 0.11, 0.31, 0.449):
        out = fixed.resample(rounded(tone(share * lower, source, 20000)), resampler)
        settled = out[2 * resampler.taps * resampler.up // resampler.down + 2 :].astype(float)
        angle = 2.0 * np.pi * share * lower / real_rate * np.arange(len(settled))
        basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
        fit, *_ = np.linalg.lstsq(basis, settled, rcond=None)
        assert abs(20.0 * np.log10(np.hypot(*fit) / 30000.0)) <= 0.1
        rest = np.sqrt(np.mean((settled - basis @ fit) ** 2))
        assert 20.0 * np.log10(rest / (30000.0 / np.sqrt(2.0))) <= -80.0


@pytest.mark.parametrize("name", ["20000 to 16000", "48000 to 16000", "41667 to 16000"])
def test_tones_above_the_lower_rate_are_gone(name: str) -> None:
    resampler = design(*RATES[name])
    source = float(resampler.source_rate)
    lower = source * resampler.up / resampler.down
    for frequency in np.linspace(0.551 * lower, 0.4999 * source, 7):
        out = fixed.resample(rounded(tone(frequency, source, 20000)), resampler)
        settled = out[2 * resampler.taps * resampler.up // resampler.down + 2 :].astype(float)
        level = np.sqrt(np.mean(settled**2)) / (30000.0 / np.sqrt(2.0))
        assert 20.0 * np.log10(level + 1e-9) <= -80.0


@all_rates
def test_agrees_with_scipy_on_what_lies_in_the_pass_band(name: str) -> None:
    resampler = design(*RATES[name])
    generator = np.random.default_rng(3)
    lower = min(1.0, resampler.up / resampler.down)
    band = signal.firwin(1001, 0.8 * lower, window=("kaiser", 10.0))
    pcm = rounded(np.convolve(generator.normal(0.0, 8000.0, 30000), band, "same"))
    out = fixed.resample(pcm, resampler)
    reference = ideal(pcm, resampler)[: len(out)]
    error = (out - reference)[1000:-1000]
    # Half a unit of rounding, and 8000 rms at -80 dB.
    assert np.sqrt(np.mean(error**2)) <= np.sqrt(1.0 / 12.0) + 0.8
    assert np.corrcoef(out[1000:-1000], reference[1000 : len(out) - 1000])[0, 1] > 0.9999


def test_log_mel_is_off_by_no_more_than_rounding_to_16_bits() -> None:
    resampler = design(NANO_RATE, 44100)
    passed = DEFAULT.mel_edges[2:] <= resampler.pass_edge
    errors, roundings = [], []
    for path in CLIPS[:4]:
        error, rounding, level = log_mel_errors(read_pcm(path, 44100), resampler, DEFAULT)
        loud = level[passed] >= -100.0
        errors.append(np.abs(error[passed][loud]))
        roundings.append(np.abs(rounding[passed][loud]))
    error, rounding = np.concatenate(errors), np.concatenate(roundings)
    assert error.size > 30_000
    assert error.mean() <= 1.05 * rounding.mean()
    assert error.mean() <= 0.02 and np.quantile(error, 0.99) <= 0.3


@all_rates
def test_clock_error_is_tolerable_and_stated(name: str) -> None:
    source, target = RATES[name]
    resampler = design(source, target)
    real = float(source) * resampler.up / resampler.down
    assert abs(real / target - 1.0) <= 500e-6
    assert resampler.clock_error == pytest.approx(real / target - 1.0, abs=1e-9)
    for up in range(1, resampler.up):
        down = max(1, round(up * float(source) / target))
        assert abs(float(source) * up / down / target - 1.0) > 500e-6, "a smaller table would do"


def test_whole_ratios_are_exact() -> None:
    assert [
        (r.up, r.down, r.clock_error) for r in (design(48000, 16000), design(16000, 32000))
    ] == [
        (1, 3, 0.0),
        (2, 1, 0.0),
    ]


def test_rates_too_far_apart_are_refused() -> None:
    with pytest.raises(AscError, match="factor of 8"):
        design(100, 44100)


@all_rates
def test_no_input_overflows(name: str, c_resamplers: dict[str, CResampler]) -> None:
    """The largest sum that samples can make fits int32; overflow would trap in the C code."""
    resampler = c_resamplers[name].resampler
    magnitudes = np.abs(resampler.coefficients.astype(object))
    rounding = 1 << (fixed.RESULT_SHIFT - 1)
    largest = max(sum((m * 32768 + 65535) >> 16 for m in row) for row in magnitudes.tolist())
    assert largest + rounding < 2**31
    pcm = worst_case(resampler)
    out = c_resamplers[name].run(pcm, [len(pcm)])
    assert np.array_equal(out, fixed.resample(pcm, resampler))
    assert {out.min(), out.max()} == {-32768, 32767}


def test_full_scale_saturates_at_the_peaks_of_a_step(c_resamplers: dict[str, CResampler]) -> None:
    step = np.repeat(np.array([-32768, 32767], np.int16), 300)
    out = c_resamplers["41667 to 44100"].run(step, [600])
    assert out.max() == 32767 and out.min() == -32768
    assert out[300] < 0 < out[-1], "no sum wrapped"


@repeatable(60)
@given(st.data())
def test_c_equals_the_model_in_any_chunks(
    c_resamplers: dict[str, CResampler], data: st.DataObject
) -> None:
    resampler = c_resamplers[data.draw(st.sampled_from(list(RATES)))]
    generator = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    count = data.draw(st.integers(0, 1200))
    level = 2.0 ** data.draw(st.floats(0.0, 17.0))
    pcm = rounded(generator.normal(0.0, level, count))
    chunks = data.draw(st.lists(st.integers(1, 400), min_size=1, max_size=5))
    out = resampler.run(pcm, chunks)
    assert len(out) == resampler.resampler.output_count(count)
    assert np.array_equal(out, fixed.resample(pcm, resampler.resampler))
