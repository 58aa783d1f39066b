"""Recordings of a factory that does not exist: long files in folders, to try ``data prepare`` on.

Machines run in halls. Each hall has its own noise, tilt and reverberation, each machine there its
own speed, so that a network that has heard some halls has something to learn for others.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from asc_tiny.audio.clips import stereo_wav16
from asc_tiny.util.errors import AscError

Samples = NDArray[np.float64]

RATES = range(16000, 48001)
MIN_HALLS = 3


def _noise(random: np.random.Generator, count: int, pole: float) -> Samples:
    """Return noise of unit level through a low-pass of first order."""
    sound = np.asarray(lfilter([1.0 - pole], [1.0, -pole], random.standard_normal(count)))
    return np.asarray(sound / sound.std())


def _fan(random: np.random.Generator, times: Samples) -> Samples:
    """Return rushing air, and the tone of blades with its harmonics."""
    blades_hz = random.uniform(90.0, 160.0)
    tones = sum(
        np.sin(2 * np.pi * blades_hz * k * times + random.uniform(0, 6)) / k for k in (1, 2, 3, 4)
    )
    return 0.6 * _noise(random, len(times), 0.8) + 0.4 * np.asarray(tones)


def _pump(random: np.random.Generator, times: Samples) -> Samples:
    """Return rumble that swells with each stroke, and a motor's hum."""
    strokes_hz, motor_hz = random.uniform(2.5, 5.0), random.uniform(45.0, 55.0)
    stroke = np.maximum(0.0, np.sin(2 * np.pi * strokes_hz * times)) ** 2
    hum = np.sin(2 * np.pi * motor_hz * times) + 0.5 * np.sin(2 * np.pi * 3 * motor_hz * times)
    return 1.2 * stroke * _noise(random, len(times), 0.97) + 0.3 * hum


def _valve(random: np.random.Generator, times: Samples) -> Samples:
    """Return clicks at irregular times, each with a hiss behind it."""
    sound = np.zeros_like(times)
    at, rate = random.uniform(0.05, 0.3), 1.0 / times[1]
    while at < times[-1]:
        age = times[round(at * rate) :] - at
        click = np.exp(-age / 0.004) * np.sin(2 * np.pi * random.uniform(1500, 2500) * age)
        hiss = np.exp(-age / 0.06) * random.standard_normal(len(age))
        sound[-len(age) :] += 2.0 * click + 0.7 * hiss
        at += random.uniform(0.25, 0.5)
    return sound


def _idle(random: np.random.Generator, times: Samples) -> Samples:
    """Return what is left when nothing runs: a far hum."""
    return 0.1 * np.sin(2 * np.pi * 100.0 * times) + 0.1 * _noise(random, len(times), 0.99)


MACHINES: dict[str, Callable[[np.random.Generator, Samples], Samples]] = {
    "fan": _fan,
    "pump": _pump,
    "valve": _valve,
    "idle": _idle,
}


def write_factory(
    root: Path, *, seed: int, halls: int = 6, seconds: float = 8.0, sample_rate: int = 44100
) -> int:
    """Write stereo 16-bit wav files ``MACHINE/hall_N/recording.wav`` to ``root``.

    Equal arguments give equal bytes.

    Args:
        root: folder to fill; it is made if need be.
        seed: 0 or more; chooses every random number.
        halls: number of halls, 3 or more.
        seconds: length of each recording.
        sample_rate: samples per second, 16000 to 48000.

    Returns:
        The number of recordings.

    Raises:
        AscError: an argument out of range.
    """
    if seed < 0:
        raise AscError(f"seed = {seed}, allowed: 0 or more")
    if sample_rate not in RATES:
        raise AscError(f"sample rate = {sample_rate}, allowed: 16000 to 48000 Hz")
    if halls < MIN_HALLS:
        raise AscError(f"halls = {halls}, allowed: {MIN_HALLS} or more")
    for number, (machine, source) in enumerate(MACHINES.items()):
        for hall in range(halls):
            sound = _recorded(source, (seed, number, hall), seconds, sample_rate)
            folder = root / machine / f"hall_{hall + 1}"
            folder.mkdir(parents=True)
            (folder / "recording.wav").write_bytes(stereo_wav16(sound, sample_rate))
    return len(MACHINES) * halls


def _recorded(
    source: Callable[[np.random.Generator, Samples], Samples],
    key: tuple[int, int, int],
    seconds: float,
    rate: int,
) -> Samples:
    """Return a machine in a hall, shape (samples, 2), within +-1."""
    random, place = np.random.default_rng(key), np.random.default_rng((key[0], key[2]))
    count = round(seconds * rate)
    sound = source(random, np.arange(count) / rate)
    tilt, far, level = place.uniform(-0.4, 0.4), place.uniform(0.1, 0.5), place.uniform(0.05, 0.1)
    age = np.arange(round(0.3 * rate)) / rate
    channels = []
    for _ in range(2):
        tail = far * place.standard_normal(len(age)) * np.exp(-age / 0.06) / np.sqrt(0.03 * rate)
        tail[0] = 1.0
        heard = lfilter([1.0, tilt], [1.0], fftconvolve(sound, tail)[:count])
        channels.append(0.15 * heard + 0.15 * level * _noise(random, count, 0.95))
    stereo = np.stack(channels, axis=1)
    return np.asarray(stereo / max(1.0, float(np.abs(stereo).max())))
