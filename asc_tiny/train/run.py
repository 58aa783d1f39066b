"""The folder of a training run: recipe, model, history, checkpoint and what they belong to."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny import nets
from asc_tiny.audio.dataset import Dataset
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.nets import network as networks
from asc_tiny.train import recipe as recipes
from asc_tiny.train.recipe import Recipe
from asc_tiny.util import fields, labels, scratch_folders
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import (
    parse_json,
    read_bytes,
    read_text,
    replacing,
    sha256,
    write_text,
)

SCHEMA = 1
HISTORY_COLUMNS = ("epoch", "rate", "loss", "evaluate_loss", "evaluate_accuracy")

# Zip's earliest date: a saved model must not depend on when it was saved.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class RunInfo:
    """What a run was trained on, as ``run.json`` says.

    Attributes:
        labels: class names in the order of the network's outputs.
        dataset_fingerprint: SHA-256 over the names, scenes and bytes of all clips, in hexadecimal.
        frontend: the features; its quantisation covers the range of the training clips.
        network: name of the network.
        epochs: epochs trained, 0 while the run is not complete.
        evaluate_accuracy: accuracy of ``model.keras`` on the split ``evaluate``, 0 to 1; None while
            the run is not complete.
        files: SHA-256 of what else the recipe names (network, teachers, responses), by its name
            there.
        fold: number of the data set's fold, 1 or more.
    """

    labels: tuple[str, ...]
    dataset_fingerprint: str
    frontend: FrontEndConfig
    network: str
    epochs: int
    evaluate_accuracy: float | None
    files: Mapping[str, str] = field(default_factory=dict)
    fold: int = 1

    def check_fold(self, root: Path, dataset: Dataset) -> None:
        """Check that a data set has the fold of the run in ``root``.

        Raises:
            AscError: it is another one, whose clips to test may be those that were trained on.
        """
        if dataset.fold != self.fold:
            raise AscError(
                f"{root}: was trained on fold {self.fold}, this is fold {dataset.fold}; give "
                f"--fold {self.fold}"
            )


@dataclass(frozen=True)
class Run:
    """A run's folder and the files in it."""

    root: Path

    @property
    def recipe_path(self) -> Path:
        """The recipe, byte by byte as given."""
        return self.root / "recipe.toml"

    @property
    def network_folder(self) -> Path:
        """Copies of the files beside the recipe that the network is built from."""
        return self.root / "network"

    @property
    def model_path(self) -> Path:
        """The trained network, as ``save_model`` writes it."""
        return self.root / "model.keras"

    @property
    def info_path(self) -> Path:
        """What the run was trained on."""
        return self.root / "run.json"

    @property
    def history_path(self) -> Path:
        """A row per epoch."""
        return self.root / "history.csv"

    @property
    def checkpoint_path(self) -> Path:
        """All that training needs to go on after the last epoch."""
        return self.root / "checkpoints" / "last.npz"

    def recipe(self) -> Recipe:
        """Read the recipe."""
        recipe = recipes.load(self.recipe_path)
        return replace(recipe, network_folder=self.network_folder)

    def model(self) -> Any:
        """Return the trained network as a ``keras.Model``.

        A network in a file of Python is of layers that this file may define: the run's copy of it
        is executed.

        Raises:
            AscError: a file is missing or damaged, or TensorFlow is missing.
        """
        networks.find(self.info().network, self.network_folder).register()
        return nets.load(self.model_path)

    def info(self) -> RunInfo:
        """Read ``run.json``.

        Raises:
            AscError: it is missing or damaged.
        """
        values = parse_json(read_bytes(self.info_path), source=str(self.info_path))
        try:
            if not isinstance(values, dict) or values.get("schema") != SCHEMA:
                found = shown(values.get("schema") if isinstance(values, dict) else values)
                raise AscError(f"schema {found}, must be {SCHEMA}")
            rest = {name: value for name, value in values.items() if name != "schema"}
            arguments = fields.checked(
                RunInfo,
                rest,
                special={
                    "labels": lambda value: labels.check(value, source="labels"),
                    "frontend": lambda value: FrontEndConfig.from_dict(value, source="frontend"),
                    "files": _hashes,
                },
            )
        except AscError as error:
            raise AscError(f"{self.info_path}: not a run's description: {error}") from error
        return RunInfo(**arguments)

    def write_info(self, info: RunInfo) -> None:
        """Write ``run.json``."""
        values = {
            "schema": SCHEMA,
            "labels": list(info.labels),
            "dataset_fingerprint": info.dataset_fingerprint,
            "frontend": info.frontend.to_dict(),
            "network": info.network,
            "epochs": info.epochs,
            "evaluate_accuracy": info.evaluate_accuracy,
            **({"files": dict(info.files)} if info.files else {}),
            **({"fold": info.fold} if info.fold != 1 else {}),
        }
        write_text(self.info_path, json.dumps(values, indent=2) + "\n")

    def history(self) -> list[dict[str, str]]:
        """Return the rows of the history, none if there is no file yet."""
        if not self.history_path.exists():
            return []
        return list(csv.DictReader(io.StringIO(read_text(self.history_path))))

    def write_history(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Write the history."""
        text = io.StringIO()
        writer = csv.DictWriter(text, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.history_path, text.getvalue())

    def read_checkpoint(self) -> tuple[int, list[NDArray[Any]]] | None:
        """Return the epochs done and all variables, None if there is no checkpoint.

        Raises:
            AscError: the checkpoint is damaged.
        """
        if not self.checkpoint_path.exists():
            return None
        try:
            with np.load(self.checkpoint_path) as stored:
                count = len(stored.files) - 1
                return int(stored["epochs"]), [stored[f"v{index}"] for index in range(count)]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise AscError(f"{self.checkpoint_path}: damaged checkpoint: {error}") from error

    def write_checkpoint(self, epochs: int, variables: Sequence[NDArray[Any]]) -> None:
        """Write the epochs done and all variables in one step."""
        named: dict[str, Any] = {f"v{index}": value for index, value in enumerate(variables)}
        with replacing(self.checkpoint_path) as temporary:
            np.savez(temporary, **named, epochs=np.int64(epochs))

    def model_sha256(self) -> str:
        """Return the SHA-256 of the trained network's file."""
        return sha256(read_bytes(self.model_path))


def _hashes(value: object) -> dict[str, str]:
    hashes = fields.table(value, "files")
    return {name: fields.typed(each, "str", f"files.{name}") for name, each in hashes.items()}


def save_model(model: Any, path: Path) -> None:
    """Write a Keras model; the same training gives the same bytes, unlike Keras' own archives."""
    with replacing(path) as temporary:
        with scratch_folders.temporary_files():
            model.save(temporary)
        temporary.write_bytes(_repeatable(read_bytes(temporary)))


def _repeatable(archive: bytes) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(result, "w") as new:
        for name in sorted(old.namelist()):
            data = old.read(name)
            if name == "metadata.json":
                values = {**json.loads(data), "date_saved": "1980-01-01@00:00:00"}
                data = json.dumps(values, sort_keys=True).encode("utf-8")
            elif name == "config.json":
                data = _renumbered(data)
            new.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data)
    return result.getvalue()


def _renumbered(config: bytes) -> bytes:
    """Number shared objects by appearance: Keras writes their addresses in memory."""
    numbers: dict[bytes, int] = {}

    def number(match: re.Match[bytes]) -> bytes:
        return b"%s%d" % (match[1], numbers.setdefault(match[2], len(numbers) + 1))

    return re.sub(rb'("shared_object_id": )(\d+)', number, config)
