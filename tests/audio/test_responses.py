"""Impulse responses that are made here, against the analogue formulas; reading those of files."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.audio import responses
from asc_tiny.audio.responses import MICROPHONES, RATE, Microphone, microphone, room
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny, refused
from support.recordings import noise, write


def analogue(values: Microphone, hz: np.ndarray) -> np.ndarray:
    """The product of the parts' transfer functions, written out."""
    area = np.pi * (values.radius_mm * 1e-3) ** 2
    length = (values.length_mm + 1.7 * values.radius_mm) * 1e-3
    resonance = 343 / (2 * np.pi) * np.sqrt(area / (values.volume_mm3 * 1e-9 * length))
    vent = 1j * hz / values.vent_hz / (1 + 1j * hz / values.vent_hz)
    x = hz / resonance
    port = 1 / (1 - x * x + 1j * x / values.quality)
    mesh = 1 / (1 + 1j * hz / values.mesh_hz) if values.mesh_hz else 1
    delays = [(round(t * RATE / 1000) / RATE, gain) for t, gain in values.reflections]
    echoes = sum(gain * np.exp(-2j * np.pi * hz * t) for t, gain in delays)
    return vent * port * mesh * (1 + echoes)


@pytest.mark.parametrize("values", MICROPHONES, ids=lambda each: each.name)
def test_a_microphone(values):
    response = microphone(values)
    assert response.shape == (4096,) and np.abs(response).max() == pytest.approx(0.9)
    # It has died away: nothing is cut off.
    assert np.abs(response[-64:]).max() < 2e-3
    hz = np.fft.rfftfreq(4096, 1 / RATE)
    band = (hz > 100) & (hz < 3000)
    found = 20 * np.log10(np.abs(np.fft.rfft(response))[band])
    wanted = 20 * np.log10(np.abs(analogue(values, hz))[band])
    difference = found - wanted
    # The bilinear transform bends frequencies by 1.3 % at 3 kHz.
    assert np.abs(difference - np.median(difference)).max() < 1.0


def test_a_resonance_lies_where_the_formula_says():
    values = Microphone("x", 20.0, 0.5, 2.0, 60.0, 5.0)
    # c / 2 pi sqrt(A / (V L)): A = 0.7854 mm^2, V = 60 mm^3, L = 2.85 mm.
    assert values.resonance_hz == pytest.approx(3699.7, abs=1.0)
    spectrum = np.abs(np.fft.rfft(microphone(values), 48000))
    assert int(np.argmax(spectrum)) == pytest.approx(3699.7, rel=0.02)


@pytest.mark.parametrize(("name", "rt60", "energy"), responses.ROOMS)
def test_a_room_decays_as_it_says(name, rt60, energy):
    response = room(name, rt60, energy)
    direct, tail = response[0] ** 2, response[1:] @ response[1:]
    assert tail / direct == pytest.approx(energy, rel=1e-9)
    # Schroeder's integral from -5 to -25 dB, times three.
    left = 10 * np.log10(np.cumsum(response[:0:-1] ** 2)[::-1] / tail)
    first, last = (int(np.argmax(left < level)) for level in (-5.0, -25.0))
    assert 3.0 * (last - first) / RATE == pytest.approx(rt60, rel=0.1)


def test_the_command_writes_the_same_bytes_each_time(tmp_path, capsys):
    for name in ("one", "two"):
        assert asc_tiny("data", "responses", "--out", tmp_path / name) == 0
    one, two = (
        {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*.wav")}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two and len(one) == len(MICROPHONES) + len(responses.ROOMS)
    assert "is not empty" in refused(capsys, "data", "responses", "--out", tmp_path / "one")
    for path in (tmp_path / "one" / "devices").iterdir():
        samples, known = responses.read(path, RATE)
        assert known == RATE / 2
        expected = dict(responses.builtin())[path.stem]
        assert np.abs(samples - expected).max() <= 2.0**-24


def test_reading(tmp_path):
    path = write(tmp_path / "r.flac", noise(0.1, rate=16000), rate=16000)
    samples, known = responses.read(path, 44100)
    # 11 samples of zeros stand before what is converted, as far as the filter reaches.
    assert (len(samples), known) == (-(-(1600 + 11) * 441 // 160), 7200.0)
    assert responses.read(path, 8000)[1] == 4000.0
    write(path, np.zeros(100))
    with pytest.raises(AscError, match=r"r\.flac: the impulse response is silent"):
        responses.read(path, 8000)
    write(path, np.ones((100, 2)) / 4)
    with pytest.raises(AscError, match=r"r\.flac: 2 channels, must be mono"):
        responses.read(path, 8000)
    assert responses.files(tmp_path) == [path]
