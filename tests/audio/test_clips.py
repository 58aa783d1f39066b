"""Reading clips, against files that the standard library wrote and whole-number arithmetic."""

from __future__ import annotations

import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.clips import clip_info, read_pcm, stream_pcm, write_wav16
from asc_tiny.util.errors import AscError


def write_wave(path: Path, values: list[int], width: int, rate: int = 44100, channels: int = 1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"".join(v.to_bytes(width, "little", signed=True) for v in values))
    return path


def rounded(value: int, bits: int) -> int:
    """Nearest multiple of 2**bits, halves up, saturated: in whole numbers only."""
    return min(32767, (2 * value + 2**bits) // 2 ** (bits + 1))


def error_of(*arguments, **options) -> str:
    with pytest.raises(AscError) as caught:
        read_pcm(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_16_bit_wav_is_read_as_is(tmp_path):
    values = [0, 1, -1, 32767, -32768, 12345, -12345]
    pcm = read_pcm(write_wave(tmp_path / "x.wav", values, 2), 44100)
    assert pcm.dtype == np.int16
    assert pcm.tolist() == values


@pytest.mark.parametrize(("width", "bits"), [(3, 8), (4, 16)])
def test_deeper_integers_round_to_nearest_halves_up(tmp_path, width, bits):
    half = 2 ** (bits - 1)
    edges = [0, half - 1, half, half + 1, -half - 1, -half, -half + 1, 3 * half, -3 * half]
    top = 2 ** (8 * width - 1)
    values = [*edges, top - 1, top - half, top - half - 1, -top, -top + half - 1, -top + half]
    random = np.random.default_rng(1)
    values += random.integers(-top, top, 2000).tolist()
    pcm = read_pcm(write_wave(tmp_path / "x.wav", values, width), 44100)
    assert pcm.tolist() == [rounded(v, bits) for v in values]
    assert rounded(half, bits) == 1 and rounded(-half, bits) == 0  # not truncated, halves up


def test_24_bit_flac_equals_24_bit_wav(tmp_path):
    values = np.random.default_rng(2).integers(-(2**23), 2**23, 5000)
    wav = write_wave(tmp_path / "x.wav", values.tolist(), 3)
    soundfile.write(tmp_path / "x.flac", values.astype(np.int32) << 8, 44100, subtype="PCM_24")
    assert clip_info(tmp_path / "x.flac").subtype == "PCM_24"
    np.testing.assert_array_equal(read_pcm(tmp_path / "x.flac", 44100), read_pcm(wav, 44100))


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_round_and_saturate(tmp_path, subtype):
    step = 2.0**-15
    values = [0.0, 0.5 * step, 0.49 * step, -0.5 * step, -0.51 * step, 0.5, 1.0, 1.7, -1.0, -3.0]
    soundfile.write(tmp_path / "x.wav", np.array(values), 44100, subtype=subtype)
    expected = [0, 1, 0, 0, -1, 16384, 32767, 32767, -32768, -32768]
    assert read_pcm(tmp_path / "x.wav", 44100).tolist() == expected


def test_samples_beyond_full_scale(tmp_path):
    path, lines = tmp_path / "x.wav", []
    samples = np.zeros(1000)
    samples[[3, 500, 999]] = [1.0, -1.5, 1.01]
    soundfile.write(path, samples, 44100, subtype="DOUBLE")
    pcm = read_pcm(path, 44100, warn=lines.append)
    blocks = stream_pcm(path, 44100, block=300, warn=lines.append)
    np.testing.assert_array_equal(np.concatenate(list(blocks)), pcm)
    text = f"{path}: 2 samples beyond full scale saturate, the highest is 1.5"
    assert lines == [text, text]
    for peak, scale in ((5, 128), (100, 128), (3000, 32768), (1e6, 2**23), (1e9, 2**31)):
        soundfile.write(path, samples / 1.5 * peak, 44100, subtype="DOUBLE")
        message = f"samples of up to {peak:g}, full scale is 1; divide them by {scale}, or store"
        assert message in error_of(path, 44100)
        assert message in error_of(path, 16000, resample=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path, bad):
    soundfile.write(tmp_path / "x.wav", np.array([0.0, 0.1, bad]), 44100, subtype="FLOAT")
    assert f"x.wav: sample 2 is {bad}" in error_of(tmp_path / "x.wav", 44100)
    assert f"sample 2 is {bad}" in error_of(tmp_path / "x.wav", 16000, resample=True)


def test_errors_name_the_file_and_what_is_allowed(tmp_path):
    path = tmp_path / "x.wav"
    assert error_of(path, 44100) == f"{path}: file is missing"

    path.write_text("not audio")
    assert "not readable as audio" in error_of(path, 44100)
    assert "not readable as audio" in error_of(tmp_path, 44100)

    write_wave(path, [1, 2], 2, rate=16000)
    expected = f"{path}: 16000 Hz, the model needs 44100 Hz; use --resample to convert"
    assert error_of(path, 44100) == expected

    write_wave(path, [], 2)
    assert error_of(path, 44100) == f"{path}: holds no samples"

    write_wave(path, [1, 2, 3, 4], 2, channels=2)
    assert f"{path}: 2 channels, must be mono" in error_of(path, 44100)

    soundfile.write(tmp_path / "x.ogg", np.zeros(1000), 44100)
    assert "must be a wav or flac file" in error_of(tmp_path / "x.ogg", 44100)


def test_a_cut_flac_is_refused(tmp_path):
    path = tmp_path / "x.flac"
    noise = np.random.default_rng(3).integers(-30000, 30000, 44100).astype(np.int16)
    soundfile.write(path, noise, 44100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert str(path) in error_of(path, 44100)


@pytest.mark.parametrize(("rate", "wanted"), [(16000, 44100), (48000, 44100), (44100, 16000)])
def test_resampling_keeps_a_tone(tmp_path, rate, wanted):
    tone = 10000 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    write_wav16(tmp_path / "x.wav", np.round(tone).astype(np.int16), rate)
    pcm = read_pcm(tmp_path / "x.wav", wanted, resample=True)
    assert pcm.dtype == np.int16 and len(pcm) == wanted
    expected = 10000 * np.sin(2 * np.pi * 1000 * np.arange(wanted) / wanted)
    inner = slice(wanted // 10, -wanted // 10)
    # The library's default filter ripples by about 0.1 %.
    assert np.abs(pcm[inner] - expected[inner]).max() < 30


def test_resampling_saturates_where_the_filter_overshoots(tmp_path):
    square = np.where(np.arange(16000) // 100 % 2, -32768, 32767).astype(np.int16)
    write_wav16(tmp_path / "x.wav", square, 16000)
    pcm = read_pcm(tmp_path / "x.wav", 48000, resample=True)
    assert (pcm == 32767).any() and (pcm == -32768).any()
    # A value that wrapped round would have the other sign; the edges may ring.
    halves = pcm.reshape(-1, 300)[:, 15:-15] > 0
    np.testing.assert_array_equal(halves, np.repeat(square[::100, None] > 0, 270, axis=1))


def test_written_wav_is_read_by_the_standard_library(tmp_path):
    pcm = np.array([0, -1, 32767, -32768], np.int16)
    write_wav16(tmp_path / "x.wav", pcm, 16000)
    with wave.open(str(tmp_path / "x.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert file.readframes(4) == pcm.astype("<i2").tobytes()
    with pytest.raises(AscError, match="must be int16"):
        write_wav16(tmp_path / "y.wav", pcm.astype(np.float64), 16000)


def test_info_needs_no_decoding(tmp_path):
    write_wave(tmp_path / "x.wav", [0] * 12, 3, rate=48000, channels=2)
    info = clip_info(tmp_path / "x.wav")
    assert (info.rate, info.frames, info.channels, info.subtype) == (48000, 6, 2, "PCM_24")


def test_a_header_that_claims_more_than_there_is(tmp_path):
    """A claim of 2^36 samples takes neither memory nor time."""
    path = tmp_path / "x.flac"
    soundfile.write(path, np.zeros(5000, np.int16), 44100)
    data = bytearray(path.read_bytes())
    # Number of samples in STREAMINFO: 36 bits from the lower half of byte 13 of the block on.
    data[21] |= 0x0F
    data[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert clip_info(path).frames > 2**35
    tracemalloc.start()
    message = error_of(path, 44100)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "ends after 5000 of" in message or "damaged samples" in message
    assert most < 50_000_000


@pytest.mark.parametrize("rate", [1, 999, 1_000_001, 2_000_000_000])
def test_rates_that_cannot_be_converted(tmp_path, rate):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(50, np.int16), rate)
    message = error_of(path, 44100, resample=True)
    assert f"{rate} Hz cannot be converted, allowed: 1000 to 1000000 Hz" in message


def test_a_header_that_cannot_say_how_much_there_is(tmp_path: Path) -> None:
    """Of a recording over 4 GiB a recorder writes the size modulo 2^32."""
    path = tmp_path / "night.wav"
    write_wav16(path, np.zeros(1000, np.int16), 8000)
    begin = path.stat().st_size
    with path.open("r+b") as stream:
        stream.truncate(begin + (1 << 32))
    with pytest.raises(AscError, match=r"night.wav: \d+ samples by its header, which cannot say"):
        clip_info(path)
