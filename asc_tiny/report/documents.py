"""Files that other commands wrote, checked before any of them is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asc_tiny.util import fields
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_json

SCHEMA = 1
_FIGURES = {
    "clips": "int",
    "recordings": "int",
    "accuracy": "float",
    "accuracy_interval": "tuple[float, ...]",
    "log_loss": "float",
}


def read_evaluation(path: Path) -> tuple[list[Mapping[str, Any]], str]:
    """Read what ``evaluate --json`` printed.

    Returns:
        The systems, and the name of the split.

    Raises:
        AscError: the file cannot be read or is no such document.
    """
    document = _read(path, "evaluate --json")
    with _naming(path):
        systems = document.get("systems", [document])
        _check(isinstance(systems, list) and bool(systems), "systems", "a list of systems")
        for system in systems:
            _check_system(fields.table(system, "systems"))
        split = fields.typed(document.get("split"), "str", "split")
    return systems, split


def system_of(
    systems: Sequence[Mapping[str, Any]], hashes: Sequence[str], *, is_ensemble: bool
) -> Mapping[str, Any] | None:
    """Return the system that is made of model files, None if there is none.

    Args:
        systems: systems as ``read_evaluation`` gives them.
        hashes: SHA-256 of the model's file, or of those of an ensemble's members.
        is_ensemble: whether the model is an ensemble.
    """
    for system in systems:
        held = {each["sha256"] for each in system["files"]}
        if set(hashes) <= held and bool(system.get("ensemble")) == is_ensemble:
            return system
    return None


def read_errors(path: Path) -> Mapping[str, Any]:
    """Read what ``quantize --report`` wrote.

    Raises:
        AscError: the file cannot be read or is no such document.
    """
    document = _read(path, "quantize --report")
    with _naming(path):
        _check_values(document, {"clips": "int"})
        for layer in _list(document, "layers"):
            _check_values(layer, {"layer": "str", "op": "str", "scale": "float"})
            _check_values(layer, {"saturated": "float"})
            if layer.get("snr_db") is not None:
                _check_values(layer, {"snr_db": "float"})
            _check("snr_db" in layer, "snr_db", "a number or null")
    return document


def read_bench(path: Path) -> Mapping[str, Any]:
    """Read what ``bench --json`` printed.

    Raises:
        AscError: the file cannot be read or is no such document.
    """
    document = _read(path, "bench --json")
    with _naming(path):
        _check_values(document, {"board": "str", "runtime": "str"})
        stages = _list(document, "layers") if "layers" in document else []
        for stage in stages:
            _check_values(stage, {"layer": "str", "runs": "int", "macs": "int"})
            _check_values(stage, {"instructions": "int"})
        if document.get("cycles") is not None:
            _check_cycles(fields.table(document["cycles"], "cycles"), len(stages))
    return document


def _check_cycles(cycles: Mapping[str, Any], stages: int) -> None:
    _check_values(cycles, {"wait_states": "int", "is_bound": "bool"})
    layers = _list(cycles, "layers")
    _check(len(layers) in (0, stages), "cycles.layers", "as many as there are layers")
    for each in layers:
        segment = fields.table(each.get("segment"), "cycles.layers.segment")
        _check_values(segment, {"cycles": "int", "stalls": "int"})


def _check_system(system: Mapping[str, Any]) -> None:
    labels = fields.typed(system.get("labels"), "tuple[str, ...]", "labels")
    for each in _list(system, "files"):
        _check_values(each, {"sha256": "str"})
    results = fields.table(system.get("results"), "results")
    for result in results.values():
        result = fields.table(result, "results")
        _check_figures(result)
        _check_values(result, {"macro_accuracy": "float"})
        for key in ("classes", "devices", "cities"):
            for group in fields.table(result.get(key), key).values():
                _check_figures(fields.table(group, key))
        rows = result.get("confusion")
        rows = rows if isinstance(rows, list) else []
        _check(len(rows) == len(labels), "confusion", "a row per label")
        for row in rows:
            counts = fields.typed(row, "tuple[int, ...]", "confusion")
            _check(len(counts) == len(labels), "confusion", "a column per label")
            _check(all(count >= 0 for count in counts), "confusion", "no negative counts")


def _check_figures(values: Mapping[str, Any]) -> None:
    _check_values(values, _FIGURES)
    _check(len(values["accuracy_interval"]) == 2, "accuracy_interval", "two numbers")


def _check_values(values: Mapping[str, Any], types: Mapping[str, str]) -> None:
    for name, annotation in types.items():
        fields.typed(values.get(name), annotation, name)


def _list(values: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = values.get(name)
    _check(isinstance(found, list), name, "a list")
    return [fields.table(each, name) for each in found or []]


def _check(is_right: bool, name: str, allowed: str) -> None:
    if not is_right:
        raise AscError(f"{name}: must be {allowed}")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in errors."""
    try:
        yield
    except AscError as error:
        raise AscError(f"{path}: {error}") from error


def _read(path: Path, command: str) -> Mapping[str, Any]:
    document = read_json(path)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = shown(document.get("schema")) if isinstance(document, dict) else shown(document)
        raise AscError(
            f"{path}: {found}, must be what asc-tiny {command} writes, with schema {SCHEMA}"
        )
    return document
