"""The baseline: figures on file that later ones are compared with, layer by layer."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asc_tiny.complexity.gate.limits import FIGURES, Figure
from asc_tiny.complexity.gate.model_diff import (
    LAYER_FIGURES,
    Change,
    LayerChange,
    layer_changes,
)
from asc_tiny.complexity.report import ModelComplexity, to_json
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_json, read_bytes, write_text

if TYPE_CHECKING:
    from fractions import Fraction

SCHEMA = 1


@dataclass(frozen=True)
class Comparison:
    """A model beside the one of the baseline.

    Attributes:
        path: the model's path as it was given.
        growth: the share by which each figure may grow.
        figures: every figure that can be limited.
        layers: the layers that differ.
    """

    path: str
    growth: Fraction | int
    figures: Mapping[Figure, Change]
    layers: tuple[LayerChange, ...]

    def allowed(self, before: int) -> int:
        """Return the largest figure that passes."""
        return before + math.floor(before * self.growth)


@dataclass(frozen=True)
class Baseline:
    """Figures on file.

    Attributes:
        path: the file.
        models: the models' parts of a JSON report, by the absolute path of the model.
    """

    path: Path
    models: Mapping[Path, Mapping[str, Any]]

    def compare(
        self, models: Sequence[ModelComplexity], growth: Fraction | int
    ) -> list[Comparison]:
        """Compare models with those on file.

        Raises:
            AscError: one is not on file, or a model on file neither measured nor there; a figure
                cannot be measured, so that nobody knows whether it has grown.
        """
        known = {absolute(Path(model.path)) for model in models}
        for path in self.models:
            if path not in known and not path.exists():
                raise AscError(
                    f"{self.path}: {_relative(path, self.path)} is gone; if that is meant, write "
                    f"the baseline anew (--write-baseline)"
                )
        return [self._compare(model, growth) for model in models]

    def _compare(self, model: ModelComplexity, growth: Fraction | int) -> Comparison:
        before = self.models.get(absolute(Path(model.path)))
        if before is None:
            raise AscError(
                f"{model.path}: not in the baseline {self.path}; write it anew (--write-baseline)"
            )
        (after,) = to_json([model])["models"]
        figures = {}
        for figure in FIGURES:
            old, new = before[figure.key], after[figure.key]
            if (old is None) != (new is None):
                raise AscError(
                    f"{model.path}: {figure.name} are measured only "
                    f"{'now' if old is None else 'in the baseline'} ({self.path})"
                )
            if old is None:
                raise AscError(
                    f"{model.path}: {figure.name} cannot be measured, but the baseline "
                    f"{self.path} limits them: {model.unmeasured[figure.key]}"
                )
            figures[figure] = Change(old, new)
        layers = layer_changes(before["layers"], after["layers"])
        return Comparison(model.path, growth, figures, tuple(layers))


def write(path: Path, models: Sequence[ModelComplexity], *, convention: str) -> None:
    """Write a baseline; the paths in it are relative to it.

    Raises:
        AscError: the file cannot be written.
    """
    entries = {absolute(Path(m["path"])): m for m in to_json(models)["models"]}
    document = {
        "schema": SCHEMA,
        "convention": convention,
        "models": [
            {**entry, "path": _relative(place, path)} for place, entry in sorted(entries.items())
        ],
    }
    write_text(path, json.dumps(document, indent=1) + "\n")


def read(path: Path, *, convention: str) -> Baseline:
    """Read a baseline.

    Raises:
        AscError: it cannot be read, is not one, was counted by another convention, or lacks a
            figure that this version compares.
    """
    document = parse_json(read_bytes(path), source=f"{path}: not a baseline: it", halves=True)
    if not isinstance(document, dict) or not isinstance(document.get("models"), list):
        raise AscError(f"{path}: not a baseline (asc-tiny budget --write-baseline makes one)")
    if document.get("schema") != SCHEMA:
        raise AscError(
            f"{path}: schema {shown(document.get('schema'))}, this version reads schema {SCHEMA}"
        )
    if document.get("convention") != convention:
        raise AscError(
            f"{path}: counted by the convention {shown(document.get('convention'))}, the models by "
            f"{convention!r}"
        )
    models = {}
    for number, entry in enumerate(document["models"]):
        where = f"{path}: model {number}"
        _check_entry(entry, where)
        models[absolute(path.parent / entry["path"])] = entry
    return Baseline(path, models)


def absolute(path: Path) -> Path:
    """Return the path without links and dots: how files are told apart."""
    return Path(os.path.realpath(path))


def _relative(path: Path, baseline: Path) -> str:
    return Path(os.path.relpath(path, absolute(baseline).parent)).as_posix()


def _check_entry(entry: object, where: str) -> None:
    if not isinstance(entry, dict):
        raise AscError(f"{where} is not a table of figures")
    if not isinstance(entry.get("path"), str) or not entry["path"] or "\0" in entry["path"]:
        raise AscError(f"{where} has no path")
    for figure in FIGURES:
        if figure.key not in entry:
            raise AscError(
                f"{where} ({entry['path']}) lacks {figure.key}; write the baseline anew "
                f"(--write-baseline)"
            )
        if entry[figure.key] is not None:
            _check_figure(entry, figure.key, where)
    layers = entry.get("layers")
    if not isinstance(layers, list):
        raise AscError(f"{where} ({entry['path']}) has no list of layers")
    unmeasured = {figure.key for figure in FIGURES if entry[figure.key] is None}
    for layer in layers:
        _check_layer(layer, unmeasured, where)


def _check_layer(layer: object, unmeasured: Set[str], where: str) -> None:
    if not isinstance(layer, dict):
        raise AscError(f"{where} has a layer that is not a table of figures")
    shape = layer.get("output_shape")
    names = (layer.get("name"), layer.get("op"))
    if not all(isinstance(name, str) for name in names) or not isinstance(shape, list):
        raise AscError(f"{where} has a layer without name, op or output_shape")
    if not all(type(size) is int for size in shape):
        raise AscError(f"{where} has a layer with the output_shape {shown(shape)}")
    for key in LAYER_FIGURES:
        if layer.get(key, 0) is not None or key not in unmeasured:
            _check_figure(layer, key, where)


def _check_figure(entry: Mapping[str, Any], key: str, where: str) -> None:
    value = entry.get(key)
    # A bool is an int to isinstance.
    if type(value) is not int or value < 0:
        raise AscError(f"{where} has {key} = {shown(value)}, allowed: whole numbers from 0")
