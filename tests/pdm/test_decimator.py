"""The decimator of PDM microphones against float64: response, noise, limits; C against Python."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asc_tiny.firmware import pdm as pdm_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.pdm import fixed
from asc_tiny.pdm.design import HIGHEST_CLOCK, Decimator, bits_per_sample
from asc_tiny.util.errors import AscError
from support.chunked import pushed
from support.native import CORES, compile_for, shared_library, write
from support.pdm import ideal, modulated, packed
from support.random_front_ends import repeatable

BITS = (32, 64, 96, 192, 384, 768)
all_bits = pytest.mark.parametrize("bits", BITS)


class CDecimator:
    """The decimator in C, undefined behaviour trapped."""

    def __init__(self, bits: int, folder: Path, msb_first: int = 0) -> None:
        tables = pdm_code.generate(Decimator(bits), "a test", msb_first=msb_first)
        write({**tables, **runtime_sources("pdm")}, folder)
        self.bytes = bits // 8
        self.library = shared_library(folder)
        self.library.asc_pdm.restype = ctypes.c_size_t
        self.state = ctypes.create_string_buffer(1 << 12)

    def run(self, data: np.ndarray, chunks: list[int]) -> np.ndarray:
        """Push a stream in chunks of these sizes in bytes, over and over."""
        self.library.asc_pdm_init(self.state)
        data = np.asarray(data, np.uint8)
        return pushed(
            self.library.asc_pdm, self.state, data, chunks, lambda count: -(-count // self.bytes)
        )


@pytest.fixture(scope="session")
def c_decimators(tmp_path_factory: pytest.TempPathFactory) -> dict[int, CDecimator]:
    folder = tmp_path_factory.mktemp("decimators")
    return {bits: CDecimator(bits, folder / str(bits)) for bits in BITS}


def tone(share: float, decimator: Decimator, samples: int, amplitude: float) -> np.ndarray:
    """Return bits of a tone of so many parts of the sample rate, of this share of full scale."""
    times = np.arange(samples * decimator.bits) / decimator.bits
    return modulated(amplitude * np.sin(2.0 * np.pi * share * times))


@all_bits
def test_response_of_the_stored_coefficients(bits: int) -> None:
    decimator = Decimator(bits)
    passed = np.linspace(0.0, 0.45, 1001)
    assert np.abs(20.0 * np.log10(decimator.response(passed))).max() <= 0.08
    stopped = np.linspace(0.55, bits / 2, 200_001)
    folds_into_the_pass_band = np.abs(stopped - np.rint(stopped)) <= 0.45
    gain = decimator.response(stopped[folds_into_the_pass_band])
    assert 20.0 * np.log10(gain.max()) <= -71.0
    near = np.linspace(0.55, 1.45, 1001)
    assert 20.0 * np.log10(decimator.response(near).max()) <= -80.0


@pytest.mark.parametrize("bits", [64, 96, 384])
def test_the_integer_model_has_that_response(bits: int) -> None:
    """A byte pulse in silence: the model's output is the impulse response, sampled."""
    decimator = Decimator(bits)
    samples = 100
    # Ones instead of the zeros of silence, for one sample's bits: a box with a gain of its own.
    bits_of_silence = np.tile(np.array([1, 0], np.uint8), samples * bits // 2)
    box = bits_of_silence.copy()
    box[20 * bits : 21 * bits] = 1
    out = fixed.decimate(box, decimator).astype(float)
    assert not fixed.decimate(bits_of_silence, decimator).any()
    share = np.arange(1, 45) / 100.0
    angles = np.pi * share
    # The pulse is full scale on average, and alternates faster than what passes.
    of_the_box = np.abs(np.sin(angles) / (bits * np.sin(angles / bits)))
    wanted = decimator.response(share) * of_the_box * 32768.0
    found = np.abs(np.fft.fft(out))[1:45]
    assert np.abs(found - wanted).max() <= 8.0  # of 32768: rounding, and what folds back


@pytest.mark.parametrize("bits", [64, 192])
def test_tones_come_out_as_an_ideal_filter_has_them(bits: int) -> None:
    """The same bits through one float64 filter: the noise is the modulator's, and rounding."""
    decimator = Decimator(bits)
    for share in (0.01, 0.13, 0.41):
        stream = tone(share, decimator, 3000, 0.5)
        mine = fixed.decimate(stream, decimator).astype(float)
        best = ideal(stream, bits, decimator.delay)
        mine, best = mine[300:-300], best[300:-300]
        angles = 2.0 * np.pi * share * np.arange(len(mine))
        basis = np.stack([np.sin(angles), np.cos(angles)], axis=1)
        fits = [np.linalg.lstsq(basis, each, rcond=None)[0] for each in (mine, best)]
        levels = [np.hypot(*fit) for fit in fits]
        assert levels[0] == pytest.approx(16384.0, rel=0.009)
        assert levels[1] == pytest.approx(16384.0, rel=0.002)
        own, least = (
            np.sqrt(np.mean((each - basis @ fit) ** 2))
            for each, fit in zip((mine, best), fits, strict=True)
        )
        assert own <= 1.06 * np.hypot(least, np.sqrt(1.0 / 12.0))  # half a decibel


@all_bits
def test_full_scale_saturates(bits: int, c_decimators: dict[int, CDecimator]) -> None:
    decimator = Decimator(bits)
    steps = np.repeat(np.array([1, 0, 1], np.uint8), 100 * bits)
    out = c_decimators[bits].run(packed(steps), [1 << 20])
    assert np.array_equal(out, fixed.decimate(steps, decimator))
    assert set(out[[80, 180, 280]]) == {32767, -32768}, "no sum wrapped"


@all_bits
def test_the_largest_sums_do_not_overflow(bits: int, c_decimators: dict[int, CDecimator]) -> None:
    """Signs of the impulse response make the largest sample; overflow would trap in the C code."""
    decimator = Decimator(bits)
    response = np.zeros(70 * bits)
    for shift in range(0, bits, bits // 8):
        pulse = np.tile(np.array([1, 0], np.uint8), 70 * bits // 2)
        pulse[shift : shift + bits // 8] = 1
        samples = fixed.decimate(pulse, decimator).astype(float)
        response[shift::bits][: len(samples)] += samples
    for wanted in (1, 0):
        signs = np.repeat(response[:: bits // 8] >= 0, bits // 8)[::-1].astype(np.uint8) ^ wanted
        stream = np.concatenate([signs, signs ^ 1, signs])
        out = c_decimators[bits].run(packed(stream), [1 << 20])
        assert np.array_equal(out, fixed.decimate(stream, decimator))


@repeatable(60)
@given(st.data())
def test_c_equals_the_model_in_any_chunks(
    c_decimators: dict[int, CDecimator], data: st.DataObject
) -> None:
    bits = data.draw(st.sampled_from(BITS))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    density = data.draw(st.floats(0.0, 1.0))
    stream = (generator.random(data.draw(st.integers(0, 200)) * bits) < density).astype(np.uint8)
    chunks = data.draw(st.lists(st.integers(1, 400), min_size=1, max_size=5))
    out = c_decimators[bits].run(packed(stream), chunks)
    assert np.array_equal(out, fixed.decimate(stream, Decimator(bits)))


@pytest.mark.parametrize("msb_first", [1, 2, 4])
def test_words_whose_highest_bit_is_the_first(msb_first: int, tmp_path: Path) -> None:
    stream = tone(0.1, Decimator(64), 200, 0.5)
    out = CDecimator(64, tmp_path, msb_first).run(packed(stream, msb_first), [64])
    assert np.array_equal(out[70:], fixed.decimate(stream, Decimator(64))[70:])
    assert (
        not CDecimator(64, tmp_path / "silence", msb_first)
        .run(packed(np.tile(np.array([1, 0], np.uint8), 6400), msb_first), [64])
        .any()
    )


@pytest.mark.parametrize("core", list(CORES))
def test_compiles_for_cores_without_a_warning(core: str, tmp_path: Path) -> None:
    write({**pdm_code.generate(Decimator(64), "a test"), **runtime_sources("pdm")}, tmp_path)
    compile_for(core, tmp_path)


def test_the_clock_is_the_fastest_that_a_microphone_takes() -> None:
    rates = (8000, 16000, 22050, 32000, 44100, 48000)
    assert [bits_per_sample(rate) for rate in rates] == [384, 192, 128, 96, 64, 64]
    for rate in rates:
        assert rate * bits_per_sample(rate) <= HIGHEST_CLOCK < rate * (bits_per_sample(rate) + 32)
    assert bits_per_sample(16000, 1_100_000) == 64
    with pytest.raises(AscError, match="at most 101562 Hz is allowed"):
        bits_per_sample(102_000)


@pytest.mark.parametrize("bits", [0, 31, 40, 800])
def test_other_numbers_of_bits_are_refused(bits: int) -> None:
    with pytest.raises(AscError, match="a multiple of 32 up to 768 is allowed"):
        Decimator(bits)


def test_other_words_are_refused() -> None:
    with pytest.raises(AscError, match="words of 3 bytes"):
        pdm_code.generate(Decimator(64), "a test", msb_first=3)
