"""Changed copies of clips: pitch, responses of devices and rooms, noise, gain, in this order.

Each copy's features are computed once and kept as all features are; which copy of a clip is taken
is drawn anew each time. So the front end sees what a microphone would give it, with no cost in an
epoch. What is drawn for a copy depends on the recipe's seed, the number of the copy and the
clip's bytes alone.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from asc_tiny.audio import responses
from asc_tiny.audio.clips import read_pcm
from asc_tiny.audio.responses import MADE
from asc_tiny.features.cache import FeatureSet
from asc_tiny.frontend.arrays import Samples
from asc_tiny.train.augmentation import devices
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.recipe_tables import Waveform
from asc_tiny.util.errors import AscError

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Generator = np.random.Generator

COLORS = ("white", "pink")
"""Noise that no folder is needed for."""

_WINDOW = 2048
_HOP = _WINDOW // 4


@dataclass(frozen=True)
class WaveformChange:
    """One changed copy of every clip; a ``features.cache.Change``.

    Attributes:
        table: the recipe's table.
        seed, copy: seed of the recipe and number of the copy, from 0.
        sample_rate: samples per second of the clips.
        responses, noises: the files of the table's folders.
        digests: hashes over these folders.
    """

    table: Waveform
    seed: int
    copy: int
    sample_rate: int
    responses: tuple[Path, ...]
    noises: tuple[Path, ...]
    digests: tuple[str, ...]

    @property
    def key(self) -> str:
        """Text that tells this change from all others."""
        table = {k: v for k, v in dataclasses.asdict(self.table).items() if k != "copies"}
        if self.noises:
            table["noise"] = "folder"
        return json.dumps([table | {"responses": ""}, self.seed, self.copy, *self.digests])

    def __call__(self, pcm: Samples, clip_sha256: str) -> Samples:
        """Return a clip's changed samples, shape (samples,), full scale as before.

        Args:
            pcm: samples, shape (samples,).
            clip_sha256: hash of the clip's file in hexadecimal.

        Raises:
            AscError: a response or a noise cannot be read or is silent.
        """
        rng = np.random.default_rng([self.seed, self.copy, int(clip_sha256[:16], 16)])
        table, scale = self.table, -float(np.iinfo(pcm.dtype).min)
        x = pcm / scale
        if table.pitch_semitones:
            x = pitch_shifted(x, rng.uniform(-table.pitch_semitones, table.pitch_semitones))
        if table.responses and rng.random() < table.response_share:
            heard_by = _responses(table.responses, self.responses, self.sample_rate)
            x = convolved(x, heard_by[rng.integers(len(heard_by))])
        if table.noise and rng.random() < table.noise_share:
            x = with_noise(
                x, self._noise(len(x), rng), rng.uniform(table.snr_db[0], table.snr_db[1])
            )
        if table.gain_db:
            x = x * 10.0 ** (rng.uniform(-table.gain_db, table.gain_db) / 20.0)
        return np.clip(np.rint(x * scale), -scale, scale - 1.0).astype(pcm.dtype)

    def _noise(self, count: int, rng: Generator) -> Float64Array:
        if not self.noises:
            return colored(self.table.noise, count, rng)
        noise = _audio(self.noises[rng.integers(len(self.noises))], self.sample_rate)
        return np.take(noise, np.arange(count) + rng.integers(len(noise)), mode="wrap")


def changes(recipe: Recipe) -> list[WaveformChange]:
    """Return the changes that make a recipe's copies, in the order of their numbers.

    Raises:
        AscError: a folder that the recipe names is missing or has no audio.
    """
    table = recipe.waveform
    if not table.copies:
        return []
    folders = folders_of(recipe)
    heard_by, noises = folders.get(table.responses), folders.get(table.noise)
    return [
        WaveformChange(
            table=table,
            seed=recipe.seed,
            copy=copy,
            sample_rate=recipe.frontend.sample_rate,
            responses=tuple(responses.files(heard_by)) if isinstance(heard_by, Path) else (),
            noises=tuple(responses.files(noises)) if isinstance(noises, Path) else (),
            digests=tuple(devices.digest(folder) for folder in folders.values()),
        )
        for copy in range(table.copies)
    ]


def folders_of(recipe: Recipe) -> dict[str, Path | str]:
    """Return the folders that a recipe's table ``waveform`` names, by its names for them.

    Of responses that the package makes the name stands for them.

    Raises:
        AscError: there is no such folder.
    """
    table = recipe.waveform
    names = [table.responses, "" if table.noise in COLORS else table.noise]
    return {
        name: name if name in MADE else recipe.find(name) for name in names if name and table.copies
    }


def take(sets: Sequence[FeatureSet], indices: NDArray[np.integer], rng: Generator) -> Float32Array:
    """Return features of some clips, each unchanged or one of its copies, equally likely.

    Args:
        sets: features of the same clips, the unchanged ones first.
        indices: clips to take.
        rng: source of choices; it is not asked where there are no copies.

    Returns:
        Shape (len(indices), n_mels, columns, channels).
    """
    taken = sets[0].take(indices)
    if len(sets) > 1:
        chosen = rng.integers(len(sets), size=len(indices))
        for number, copies in enumerate(sets):
            if number and (chosen == number).any():
                taken[chosen == number] = copies.take(indices[chosen == number])
    return taken


def convolved(x: Float64Array, response: Float64Array) -> Float64Array:
    """Return a clip as a device or a room with this impulse response hears it, shape (samples,).

    The response's highest peak falls on the sample itself, so that the clip does not move, and the
    power stays: the level of a measured response means nothing (Morocutti et al., "Device-Robust
    Acoustic Scene Classification via Impulse Response Augmentation", arXiv:2305.07499).
    """
    start = int(np.abs(response).argmax())
    heard = scipy.signal.fftconvolve(x, response)[start : start + len(x)]
    return np.asarray(heard * _ratio(_rms(x), _rms(heard)))


def with_noise(x: Float64Array, noise: Float64Array, snr_db: float) -> Float64Array:
    """Return a clip with noise at a ratio of their powers, shape (samples,)."""
    level = _ratio(_rms(x), _rms(noise)) * 10.0 ** (-snr_db / 20.0)
    return np.asarray(x + level * noise)


def colored(color: str, count: int, rng: Generator) -> Float64Array:
    """Return ``white`` or ``pink`` noise (power as 1/f), shape (count,)."""
    white: Float64Array = rng.standard_normal(count)
    if color == "white":
        return white
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0.0
    return np.asarray(np.fft.irfft(spectrum, count))


def pitch_shifted(x: Float64Array, semitones: float) -> Float64Array:
    """Return a clip that is higher by so many semitones, at the same pace, shape (samples,).

    It is stretched by a phase vocoder (Flanagan and Golden 1966; Laroche and Dolson, "Improved
    Phase Vocoder Time-Scale Modification of Audio", 1999), then resampled to its length.
    """
    factor = 2.0 ** (semitones / 12.0)
    stretched = _stretched(x, factor)
    wanted = round(len(x) * factor)
    stretched = np.pad(stretched, (0, max(0, wanted - len(stretched))))[:wanted]
    shifted: Float64Array = scipy.signal.resample(stretched, len(x))
    return shifted


def _stretched(x: Float64Array, factor: float) -> Float64Array:
    """Return a clip that lasts ``factor`` times as long, with its pitch."""
    options = {"nperseg": _WINDOW, "noverlap": _WINDOW - _HOP}
    spectrum = scipy.signal.stft(np.pad(x, (0, _WINDOW)), **options)[2]
    places = np.arange(0, spectrum.shape[1] - 1, 1.0 / factor)
    whole = places.astype(int)
    part = places - whole
    before, after = spectrum[:, whole], spectrum[:, whole + 1]
    magnitude = (1.0 - part) * np.abs(before) + part * np.abs(after)
    # A bin's phase advances by what it does between the two frames.
    steps = np.angle(after) - np.angle(before)
    phase = np.angle(spectrum[:, :1]) + np.pad(np.cumsum(steps, axis=1)[:, :-1], ((0, 0), (1, 0)))
    return np.asarray(scipy.signal.istft(magnitude * np.exp(1j * phase), **options)[1])


@functools.lru_cache(maxsize=4)
def _responses(name: str, paths: tuple[Path, ...], sample_rate: int) -> list[Float64Array]:
    """Return impulse responses at a sample rate, without paths those that the package makes."""
    if not paths:
        made = responses.builtin_at(sample_rate, name)
        return [np.asarray(each, np.float64) for each, _ in made]
    return [np.asarray(responses.read(path, sample_rate)[0], np.float64) for path in paths]


@functools.lru_cache(maxsize=256)
def _audio(path: Path, sample_rate: int) -> Float64Array:
    pcm = read_pcm(path, sample_rate, bits=24, resample=True)
    if not pcm.any():
        raise AscError(f"{path}: is silent")
    return pcm / -float(np.iinfo(pcm.dtype).min)


def _rms(x: Float64Array) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def _ratio(wanted: float, found: float) -> float:
    return wanted / found if found else 0.0
