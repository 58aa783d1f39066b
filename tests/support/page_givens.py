"""What the readers of pages have: models, recordings, data sets, runs and built firmware."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from asc_tiny.audio.synth import write_synthetic
from support import recordings, session_cache
from support.commands import asc_tiny
from support.ensemble_models import write_ensemble
from support.hostile_models import FRONTEND
from support.hostile_models import MODEL as SMALL
from support.paths import MODELS
from support.recipes import RECIPE
from support.trained import CACHE, RUN, copied


class Givens:
    """Puts into a folder what a page says that its reader has.

    Args:
        folder: an empty folder.
        released: whether networks are the released ones, not a small one in their place.
    """

    def __init__(self, folder: Path, *, released: bool) -> None:
        self._folder, self._released = folder, released
        self._rate = 44100 if released else 16000

    def put(self, names: Iterable[str]) -> None:
        """Make what has these names, ``name`` or ``name: file``."""
        for name in names:
            kind, _, place = name.partition(": ")
            make: Callable[..., None] = getattr(self, f"_{kind}")
            make(self._folder / place) if place else make()

    def _model(self, path: Path) -> None:
        shutil.copy(
            MODELS / "mobilenet_esc10.tflite" if self._released else small_classifier(), path
        )

    def _models(self) -> None:
        if self._released:
            shutil.copytree(MODELS, self._folder / "models")
            return
        (self._folder / "models").mkdir()
        for name in ("mobilenet_esc10", "mini_segnet_esc10"):
            shutil.copy(small_classifier(), self._folder / "models" / f"{name}.tflite")

    def _ensemble(self, path: Path) -> None:
        members = [path.with_name(f"member{n}.tflite") for n in range(2)]
        for member in members:
            self._model(member)
        write_ensemble(path, members, [0.7, 0.25], [0.005] * (10 if self._released else 3))

    def _clip(self, path: Path) -> None:
        recordings.write(path, recordings.noise(1.0, rate=self._rate), rate=self._rate)

    def _firmware(self, path: Path) -> None:
        self._model(self._folder / "model.tflite")
        self._built(path)

    def _built(self, path: Path) -> None:
        """Firmware of the model that is there."""
        assert asc_tiny("generate", self._folder / "model.tflite", "--out", path) == 0
        assert asc_tiny("build", path) == 0

    def _data(self, path: Path) -> None:
        write_synthetic(path, seed=1, clips_per_class=8)

    def _recipe(self, path: Path) -> None:
        path.write_text(RECIPE.replace("small", path.stem), encoding="utf-8")

    def _sounds(self, path: Path) -> None:
        """Recordings in a folder for each class, as ``data prepare`` takes them."""
        for label in ("fan", "pump"):
            for number in range(4):
                (path / label).mkdir(parents=True, exist_ok=True)
                self._clip(path / label / f"hall{number}.wav")

    def _trained(self, path: Path) -> None:
        """A run, the data set ``data`` beside it, and the cache of its features."""
        data = self._folder / "data"
        if not data.exists():
            self._data(data)
        made = copied(data, self._folder / f"made-{path.name}")
        shutil.move(made / RUN, path)
        shutil.copytree(made / CACHE, self._folder / "cache" / "asc-tiny", dirs_exist_ok=True)

    def _quantized(self, path: Path) -> None:
        """An int8 model of a run."""
        if not (self._folder / "data").exists():
            self._trained(self._folder / "a_run")
        run = next(each.parent for each in self._folder.glob("*/run.json"))
        assert asc_tiny("quantize", run, "--data", self._folder / "data", "--out", path) == 0

    def _fitted(self, path: Path) -> None:
        members = sorted(self._folder.glob("?.tflite"))
        assert asc_tiny("ensemble", *members, "--data", self._folder / "data", "--out", path) == 0

    def _hex(self, path: Path) -> None:
        self._firmware(self._folder / "firmware")
        image = self._folder / "firmware" / "build" / "firmware.elf"
        subprocess.run(["arm-none-eabi-objcopy", "-O", "ihex", image, path], check=True)

    def _alone(self, path: Path) -> None:
        """A network without front end and labels."""
        shutil.copy(SMALL, path)

    def _features(self, path: Path) -> None:
        np.save(path, np.random.default_rng(1).uniform(-9, 9, (3, 40, 61, 1)))

    def _frontend(self, path: Path) -> None:
        """The front end of that network, and its labels."""
        shutil.copy(FRONTEND, path)
        path.with_name("labels.txt").write_text("wind\nrain\nbirds\n")

    def _field(self, path: Path) -> None:
        """A recording in each of four halls, of two machines, with Audacity's label track."""
        made = self._folder / "factory"
        assert asc_tiny("data", "synth", made, "--factory") == 0
        for hall in range(1, 5):
            place = path / f"hall{hall}"
            place.mkdir(parents=True)
            heard = [sorted((made / label).rglob("*.wav"))[hall] for label in ("fan", "pump")]
            # Mono, as the page asks for.
            sounds = [
                (samples[:, 0], rate)
                for samples, rate in (
                    soundfile.read(each, dtype="int16", always_2d=True) for each in heard
                )
            ]
            ends = np.cumsum([0, *(len(samples) for samples, _ in sounds)]) / sounds[0][1]
            lines = [f"{ends[n]:.3f}\t{ends[n + 1]:.3f}\t{('fan', 'pump')[n]}\n" for n in (0, 1)]
            joined = np.concatenate([samples for samples, _ in sounds])
            soundfile.write(place / "monday.wav", joined, sounds[0][1])
            (place / "monday.txt").write_text("".join(lines))
        shutil.rmtree(made)

    def _inputs(self, path: Path) -> None:
        np.save(path, np.random.default_rng(1).random((8, 16, 16, 1), np.float32))

    def _keras(self, path: Path) -> None:
        _network().save(path)

    def _saved(self, path: Path) -> None:
        _network().export(path)


def small_classifier() -> Path:
    """Return a classifier of three classes at 16 kHz, in 3,184 bytes of arena."""

    def make(path: Path) -> None:
        labels = path.with_name(f"{path.name}-labels.txt")
        labels.write_text("wind\nrain\nbirds\n")
        options = ["--frontend", FRONTEND, "--labels", labels, "--out", path]
        assert asc_tiny("attach", SMALL, *options) == 0

    return session_cache.entry("page-classifier.tflite", make)


def _network() -> Any:
    import keras

    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
