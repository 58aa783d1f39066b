"""A small artificial dataset in the TAU layout, for tests and for trying the tools.

Scenes are tones, noise and pulse trains in four registers. Every location shifts and tilts its
scene's sound, every device colours it, so a network has something to generalise over.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asc_tiny.audio.dataset import META, META_COLUMNS, SPLIT_COLUMNS, split_file
from asc_tiny.util.errors import AscError

CITIES = ("lisbon", "lyon", "prague", "vienna")
"""Each scene has one location per city; the last city is kept for evaluation."""
DEVICES = {"a": 0.0, "b": -0.25, "c": 0.25, "s1": -0.5}
"""Spectral slope of each device: power of the frequency that the amplitude follows."""
MIN_CLIPS = len(CITIES)

Samples = NDArray[np.float64]
Source = Callable[[np.random.Generator, Samples, float, int], Samples]
"""A sound from (random numbers, times in seconds, pitch factor, register)."""


@dataclass(frozen=True)
class _Take:
    """What one clip records, by index: scene, location of that scene, take there."""

    scene: int
    location: int
    take: int

    @property
    def device(self) -> str:
        return tuple(DEVICES)[(self.location + self.take) % len(DEVICES)]

    @property
    def identifier(self) -> str:
        return f"{CITIES[self.location]}-{self.scene}"

    @property
    def filename(self) -> str:
        return f"audio/{SCENES[self.scene][0]}-{self.identifier}-{self.take}-0-{self.device}.wav"

    @property
    def evaluated(self) -> bool:
        return self.location == len(CITIES) - 1


def _tones(random: np.random.Generator, times: Samples, pitch: float, register: int) -> Samples:
    nyquist = len(times) / 2  # The times cover one second.
    sound = np.zeros_like(times)
    for harmonic in (1, 2, 3):
        frequency = 220.0 * 2.0**register * pitch * harmonic
        phase = random.uniform(0.0, 2.0 * np.pi)
        if frequency < nyquist:
            sound += np.sin(2.0 * np.pi * frequency * times + phase) / harmonic
    return sound


def _noise(random: np.random.Generator, times: Samples, pitch: float, register: int) -> Samples:
    return _tilt(random.standard_normal(len(times)), (register - 2.0) * 0.75 * pitch)


def _pulses(random: np.random.Generator, times: Samples, pitch: float, register: int) -> Samples:
    rate = 4.0 * 2.0**register * pitch
    age = np.mod(times + random.uniform(0.0, 1.0 / rate), 1.0 / rate)
    return np.exp(-400.0 * age) * np.sin(2.0 * np.pi * 1800.0 * pitch * age)


SCENES: tuple[tuple[str, Source, int], ...] = tuple(
    (f"{kind}_{register}", source, index)
    for index, register in enumerate(("low", "mid", "high", "top"))
    for kind, source in (("tones", _tones), ("noise", _noise), ("pulses", _pulses))
)
"""Name, sound and register of every scene; a dataset takes the first ones."""


def write_synthetic(
    root: Path,
    *,
    seed: int,
    classes: int = 3,
    clips_per_class: int = 16,
    sample_rate: int = 44100,
) -> None:
    """Write a dataset of one-second, mono, 24-bit wav clips in the TAU layout to ``root``.

    Equal arguments give equal bytes. A quarter of the locations is on the evaluation side of the
    fold; the devices take turns at every location.

    Args:
        root: folder to fill; it is made if need be.
        seed: 0 or more; chooses every random number.
        classes: number of scenes, 2 to 12.
        clips_per_class: clips of each scene, at least 4.
        sample_rate: samples per second, 8000 to 48000.

    Raises:
        AscError: an argument out of range.
    """
    _require(seed >= 0, "seed", seed, "0 or more")
    _require(2 <= classes <= len(SCENES), "classes", classes, f"2 to {len(SCENES)}")
    _require(clips_per_class >= MIN_CLIPS, "clips", clips_per_class, f"{MIN_CLIPS} or more")
    _require(8000 <= sample_rate <= 48000, "sample rate", sample_rate, "8000 to 48000 Hz")
    takes = [
        _Take(scene, clip % len(CITIES), clip // len(CITIES))
        for scene in range(classes)
        for clip in range(clips_per_class)
    ]
    (root / "audio").mkdir(parents=True, exist_ok=True)
    for take in takes:
        _write_wav24(root / take.filename, _record(take, seed, sample_rate), sample_rate)
    _write_tables(root, takes)


def _require(ok: bool, name: str, value: int, allowed: str) -> None:
    if not ok:
        raise AscError(f"{name} = {value}, allowed: {allowed}")


def _record(take: _Take, seed: int, sample_rate: int) -> Samples:
    """Return one second of a scene, shape (sample_rate,), float64 within +-1."""
    place = np.random.default_rng([seed, take.scene, take.location])
    pitch, slope = place.uniform(0.9, 1.1), place.uniform(-0.1, 0.1)
    random = np.random.default_rng([seed, take.scene, take.location, take.take + 1])
    _, source, register = SCENES[take.scene]
    sound = source(random, np.arange(sample_rate) / sample_rate, pitch, register)
    sound = _tilt(sound, slope + DEVICES[take.device])
    sound = sound / np.abs(sound).max() + 0.003 * random.standard_normal(sample_rate)
    level = random.uniform(0.1, 0.5)
    scaled: Samples = level * sound / np.abs(sound).max()
    return scaled


def _tilt(sound: Samples, slope: float) -> Samples:
    """Scale the spectrum by frequency to the power ``slope``; the constant part goes."""
    spectrum = np.fft.rfft(sound)
    spectrum[0] = 0.0
    spectrum[1:] *= np.arange(1.0, len(spectrum)) ** slope
    return np.fft.irfft(spectrum, len(sound))


def _write_wav24(path: Path, sound: Samples, sample_rate: int) -> None:
    steps = np.floor(sound * 2.0**23 + 0.5).astype(np.int32)
    # Written by Python: the library takes a full disk for a fault of its own.
    audio = io.BytesIO()
    soundfile.write(audio, steps << 8, sample_rate, format="WAV", subtype="PCM_24")
    path.write_bytes(audio.getvalue())


def _write_tables(root: Path, takes: Iterable[_Take]) -> None:
    rows = [(t.filename, SCENES[t.scene][0], t.identifier, t.device) for t in takes]
    held_out = {t.filename for t in takes if t.evaluated}
    _write_table(root / META, META_COLUMNS, rows)
    for name, columns in SPLIT_COLUMNS.items():
        chosen = [row for row in rows if (row[0] in held_out) == (name != "train")]
        path = root / split_file(name, 1)
        _write_table(path, columns, [row[: len(columns)] for row in chosen])


def _write_table(path: Path, header: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(row) + "\n" for row in (tuple(header), *rows))
    path.write_bytes("".join(lines).encode("utf-8"))
