"""A page about a model: what it costs, where it fits, how it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asc_tiny.api.board_catalog import boards as all_boards
from asc_tiny.api.generation import fit_boards
from asc_tiny.api.measuring import check_budget
from asc_tiny.boards.catalog import Board
from asc_tiny.costs.instructions import cpu_table
from asc_tiny.firmware.classifier import fitted
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.frontend.config import read_toml as read_frontend
from asc_tiny.model.classifier_network import classifier_network
from asc_tiny.model.ensemble import Ensemble, Model, load_model
from asc_tiny.report import documents
from asc_tiny.report.networks import network
from asc_tiny.report.subject import Subject
from asc_tiny.util.errors import AscError
from asc_tiny.util.labels import read as read_labels

if TYPE_CHECKING:
    from asc_tiny.complexity.gate.settings import ModelLimits

_SUFFIXES = (".tflite", ".toml")


def report(
    model: Path | str,
    *,
    compare: Path | str | None = None,
    boards: Iterable[Board] | None = None,
    cpu: str = "cortex-m4",
    frontend: Path | str | None = None,
    labels: Path | str | None = None,
    evaluations: Sequence[Path | str] = (),
    errors: Sequence[Path | str] = (),
    benches: Sequence[Path | str] = (),
    max_params: int | None = 128_000,
    max_macs: int | None = 30_000_000,
    max_ram: int | None = None,
    max_flash: int | None = None,
    model_limits: Sequence[ModelLimits] = (),
    tell: Callable[[str], None] | None = None,
) -> str:
    """Make one self-contained HTML page about a model, or about two side by side.

    Parameters
    ----------
    model
        A ``.tflite`` file, or the ``.toml`` file of an ensemble.
    compare
        Another model to show beside it; None for none.
    boards
        Boards as ``boards`` and ``load_board`` give them; None for all.
    cpu
        Core that instructions and code are estimated for, such as ``"cortex-m4"``.
    frontend, labels
        Files as for ``generate``, for a ``model`` without metadata.
    evaluations
        Files that ``asc-tiny evaluate --json`` printed, in any order; each is shown with the model
        whose hash is in it.
    errors, benches
        Files of ``asc-tiny quantize --report`` and ``asc-tiny bench --json``: that of ``model``,
        then that of ``compare``.
    max_params, max_macs, max_ram, max_flash, model_limits
        Limits as for ``check_budget``, which each of the two models is held to by itself.
    tell
        Function that is told which step the work is at; None for nobody.

    Returns
    -------
    str
        The page. The same files give the same text.

    Raises
    ------
    AscError
        A file cannot be used, an evaluation is of another model, the core is not known, or the
        package ``vl-convert-python`` is not installed.

    Examples
    --------
    >>> from asc_tiny import api
    >>> board = api.load_board("nrf52840dk")
    >>> page = api.report("models/mobilenet_esc10.tflite", boards=[board])
    >>> page.startswith("<!DOCTYPE html>"), "nrf52840dk" in page
    (True, True)
    """
    say = tell or (lambda line: None)
    paths = [Path(model)] if compare is None else [Path(model), Path(compare)]
    for path in paths:
        if path.suffix not in _SUFFIXES:
            allowed = ", ".join(_SUFFIXES)
            raise AscError(f"{path}: a report is of a quantised model, allowed: {allowed}")
    cpu_table(cpu)
    errors_of = _of_each(errors, len(paths), "errors", documents.read_errors)
    benches_of = _of_each(benches, len(paths), "benches", documents.read_bench)
    models = [load_model(path) for path in paths]
    evaluated = _evaluated(evaluations, paths, models)
    limits: dict[str, Any] = {
        "max_params": max_params,
        "max_macs": max_macs,
        "max_ram": max_ram,
        "max_flash": max_flash,
        "model_limits": model_limits,
    }
    chosen = all_boards() if boards is None else list(boards)
    subjects = []
    for number, (path, loaded) in enumerate(zip(paths, models, strict=True)):
        # Options for a foreign file are for the first.
        given = (frontend, labels) if number == 0 else (None, None)
        say(f"{path}: compiling")
        config, names = _front_end(loaded, *given)
        files = _files(loaded)
        networks = [network(each, cpu) for each in files]
        say(f"{path}: looking where it fits")
        fits, unfit = _fits(path, chosen, *given)
        subjects.append(
            Subject(
                number=number,
                path=path,
                model=loaded,
                networks=networks,
                cpu=cpu,
                verdict=check_budget([path], memory=True, cpu=cpu, **limits),
                boards=chosen,
                fits=fits,
                unfit=unfit,
                frontend=config,
                labels=names,
                evaluation=evaluated[number][0],
                split=evaluated[number][1],
                errors=errors_of[number],
                bench=benches_of[number],
            )
        )
    from asc_tiny.report.page import render

    say("drawing")
    return render(subjects)


def _files(model: Model) -> list[Any]:
    if isinstance(model, Ensemble):
        return [member.model_file for member in model.members]
    return [model]


def _of_each(
    paths: Sequence[Path | str],
    models: int,
    name: str,
    read: Callable[[Path], Mapping[str, Any]],
) -> list[Mapping[str, Any] | None]:
    """Return a document for each model, None where there is none."""
    if len(paths) > models:
        raise AscError(f"{name}: {len(paths)} files for {models} model{'s' * (models > 1)}")
    found: list[Mapping[str, Any] | None] = [read(Path(path)) for path in paths]
    return found + [None] * (models - len(found))


def _evaluated(
    evaluations: Sequence[Path | str], paths: Sequence[Path], models: Sequence[Model]
) -> list[tuple[Mapping[str, Any] | None, str]]:
    """Return the evaluated system of each model and the split, None where there is none.

    Raises:
        AscError: a file has no system of any of the models.
    """
    found: list[tuple[Mapping[str, Any] | None, str]] = [(None, "")] * len(models)
    for path in map(Path, evaluations):
        systems, split = documents.read_evaluation(path)
        is_used = False
        for number, model in enumerate(models):
            hashes = [each.sha256 for each in _files(model)]
            system = documents.system_of(systems, hashes, is_ensemble=isinstance(model, Ensemble))
            if system is not None:
                found[number], is_used = (system, split), True
        if not is_used:
            names = " or ".join(map(str, paths))
            raise AscError(f"{path}: is no evaluation of {names}: no file in it has that hash")
    return found


def _front_end(
    model: Model, frontend: Path | str | None, labels: Path | str | None
) -> tuple[FrontEndConfig | None, Sequence[str]]:
    """Return front end and labels as far as they are known.

    Raises:
        AscError: those that are given do not fit the network.
    """
    if isinstance(model, Ensemble):
        return model.frontends[0], model.labels
    config = read_frontend(Path(frontend)) if frontend else None
    names = read_labels(Path(labels)) if labels else None
    if model.is_alone and not (config or names):
        return None, ()
    try:
        return fitted(classifier_network(model), config, names)
    except AscError:
        if config or names:
            raise
        # A file whose network is no classifier is shown as it is.
        return model.frontend, model.labels or ()


def _fits(
    path: Path, boards: Sequence[Board], frontend: Path | str | None, labels: Path | str | None
) -> tuple[dict[str, Any], str]:
    try:
        return fit_boards(path, boards, frontend=frontend, labels=labels), ""
    except AscError as error:
        return {}, str(error)
