"""Streams of recordings, against sines in float64 and the conversion of whole recordings."""

from __future__ import annotations

from math import gcd

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from asc_tiny.audio import decode
from asc_tiny.audio.clips import read_pcm
from asc_tiny.util.errors import AscError
from support.recordings import noise, write


def read(path, rate, **options):
    return np.concatenate(list(decode.stream(path, rate, **options)))


@pytest.mark.parametrize(
    ("rate", "wanted"), [(48000, 16000), (44100, 16000), (16000, 44100), (11025, 8000)]
)
def test_a_tone_at_another_rate(tmp_path, rate, wanted, monkeypatch):
    """Blocks are small here, so that every block's edge is in the tone."""
    monkeypatch.setattr(decode, "BLOCK", 1000)
    tone = 0.5 * np.sin(2 * np.pi * 997.0 * np.arange(rate) / rate)
    path = write(tmp_path / "x.wav", tone, rate=rate, subtype="DOUBLE")
    found = read(path, wanted)
    assert len(found) == wanted
    expected = 0.5 * np.sin(2 * np.pi * 997.0 * np.arange(wanted) / wanted)
    inner = slice(wanted // 100, -wanted // 100)
    # The filter ripples by about 0.1 %.
    assert np.abs(found[inner] - expected[inner]).max() < 1e-3


@pytest.mark.parametrize("frames", [1, 999, 1000, 1001, 12345])
@pytest.mark.parametrize(("rate", "wanted"), [(48000, 44100), (8000, 11025), (41667, 16000)])
def test_blocks_join_without_a_seam(rate, wanted, frames, monkeypatch):
    monkeypatch.setattr(decode, "BLOCK", 1000)
    samples = noise(1.0, 3, rate=frames)
    blocks = (samples[first : first + 333] for first in range(0, frames, 333))
    found = np.concatenate(list(decode.resampled(blocks, rate, wanted)))
    common = gcd(rate, wanted)
    expected = resample_poly(samples, wanted // common, rate // common)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_it_is_what_other_commands_read(tmp_path):
    path = write(tmp_path / "x.flac", noise(0.5, rate=48000), rate=48000, subtype="PCM_24")
    pcm = read_pcm(path, 16000, resample=True)
    # Other commands round to 16 bits what they read of 24, and so does a clip that is written.
    assert np.abs(read(path, 16000) * 32768 - pcm).max() <= 0.5 + 1e-6


def test_channels(tmp_path):
    left, right = noise(0.1, 1), noise(0.1, 2)
    path = write(tmp_path / "x.wav", np.stack([left, right], axis=1), subtype="DOUBLE")
    np.testing.assert_array_equal(read(path, 8000, channel=1), left)
    np.testing.assert_array_equal(read(path, 8000, channel=2), right)
    np.testing.assert_allclose(read(path, 8000), (left + right) / 2, atol=1e-15)
    with pytest.raises(AscError, match=r"x\.wav: 2 channels, allowed: 3 to 64"):
        read(path, 8000, channel=3)


@pytest.mark.parametrize("name", ["x.ogg", "x.mp3"])
def test_compressed_audio(tmp_path, name):
    times = np.arange(44100) / 44100
    path = write(tmp_path / name, 0.5 * np.sin(2 * np.pi * 440 * times), rate=44100)
    found = read(path, 44100)
    assert abs(len(found) - 44100) < 3000
    spectrum = np.abs(np.fft.rfft(found[4000:36000] * np.hanning(32000)))
    assert np.argmax(spectrum) * 44100 / 32000 == pytest.approx(440, abs=2)


def test_what_is_refused(tmp_path):
    bad = noise(0.1)
    bad[123] = np.nan
    path = write(tmp_path / "x.wav", np.stack([noise(0.1), bad], axis=1), subtype="FLOAT")
    with pytest.raises(AscError, match=r"x\.wav: sample 123 is nan, all must be finite"):
        read(path, 8000)
    write(path, noise(0.1) * 100000, subtype="FLOAT")
    with pytest.raises(AscError, match="full scale is 1; divide them by"):
        read(path, 8000)
    lines: list[str] = []
    write(path, np.full(800, 1.5), subtype="FLOAT")
    read(path, 8000, warn=lines.append)
    assert lines == [f"{path}: 800 samples beyond full scale saturate, the highest is 1.5"]
    write(path, np.zeros(0))
    with pytest.raises(AscError, match=r"x\.wav: holds no samples"):
        read(path, 8000)
    path.write_bytes(b"")
    with pytest.raises(AscError, match="not readable as audio, must be a wav, flac, ogg or mp3"):
        read(path, 8000)
    soundfile.write(path, noise(0.1), 999)
    with pytest.raises(AscError, match="999 Hz cannot be converted, allowed: 1000 to"):
        read(path, 8000)
    write(tmp_path / "y.flac", noise(1.0))
    data = (tmp_path / "y.flac").read_bytes()
    (tmp_path / "y.flac").write_bytes(data[: len(data) // 2])
    with pytest.raises(AscError, match=r"y\.flac: "):
        read(tmp_path / "y.flac", 8000)
