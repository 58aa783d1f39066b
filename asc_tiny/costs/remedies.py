"""What ``generate`` can be told where a model does not fit a board: only what was seen to help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.options import STREAMING, Options
from asc_tiny.costs.board_fit import Fit, fit
from asc_tiny.firmware.classifier import Classifier, check_order
from asc_tiny.firmware.firmware_network import FirmwareNetwork
from asc_tiny.model.ensemble import Ensemble
from asc_tiny.projects.generator import ProjectGenerator
from asc_tiny.util.errors import AscError

_AOT = "aot"


def remedy(
    model: FirmwareNetwork, board: Board, kind: ProjectGenerator, found: Fit, runtime: str = _AOT
) -> str:
    """Return the first option of ``generate`` with which a project fits a board.

    Each is tried: the network is compiled with it.

    Args:
        model: a classifier, or a network alone, with the options that it does not fit with.
        board: the board.
        kind: the kind of project.
        found: what the project takes without the option.
        runtime: ``aot`` or ``tflm``.

    Returns:
        The option, such as ``--schedule streaming``; empty if the project fits or none helps.
    """
    if found.fits(board, kind.name):
        return ""
    room = network_room(board, kind, found)
    if room is not None and room <= 0:
        return ""
    for option, changed in _candidates(model, runtime, room, found):
        try:
            if isinstance(changed, Classifier):
                check_order(changed)
            if fit(changed, board, _AOT, [kind]).fits(board, kind.name):
                return option
        except AscError:
            # What cannot be compiled so is no remedy.
            continue
    return ""


def gap_remedy(
    model: FirmwareNetwork,
    board: Board,
    found: Fit,
    runtime: str = _AOT,
    kind: ProjectGenerator | None = None,
) -> str:
    """Return the first option of ``generate`` with which no samples are lost.

    Each is tried, as by ``remedy``.

    Args:
        model: a classifier, or a network alone, which loses none.
        board: the board.
        found: what the project takes without the option.
        runtime: ``aot`` or ``tflm``.
        kind: the kind of project, None for the library alone.

    Returns:
        The option, such as ``--schedule streaming``; empty if none are lost or none helps.
    """
    if not (found.gap and isinstance(model, Classifier)):
        return ""
    kinds, name = ([kind], kind.name) if kind else ([], None)
    for option, changed in _quicker(model, runtime):
        try:
            check_order(changed)
            tried = fit(changed, board, _AOT, kinds)
        except AscError:
            continue
        if tried.fits(board, name) and not tried.gap:
            return option
    return ""


def _quicker(model: Classifier, runtime: str) -> Iterator[tuple[str, Classifier]]:
    """Yield options with which a network is busy for less time at once, with their models."""
    if runtime != _AOT:
        yield "--runtime aot", replace(model, options=Options(io=model.options.io))
    elif model.options.schedule != STREAMING and not isinstance(model.model_file, Ensemble):
        streaming = replace(model.options, schedule=STREAMING, max_ram=None)
        yield f"--schedule {STREAMING}", replace(model, options=streaming)


def network_room(board: Board, kind: ProjectGenerator, found: Fit) -> int | None:
    """Return the bytes of RAM that a board leaves a project's network, None if it is not known.

    Args:
        board: the board.
        kind: the kind of project.
        found: what the project takes.
    """
    if not board.ram_region.bytes:
        return None
    parts = found.needs(kind.name)[0]
    return board.ram_region.bytes - (sum(parts.values()) - parts["network"])


def _candidates(
    model: FirmwareNetwork, runtime: str, room: int | None, found: Fit
) -> Iterator[tuple[str, FirmwareNetwork]]:
    """Yield options that may help, the quickest to try first, with the model that they make.

    Args:
        model: the model as it is.
        runtime: what runs it.
        room: bytes of RAM for the network, None if they are not known.
        found: what the project takes.
    """
    options = model.options
    if runtime != _AOT:
        yield "--runtime aot", replace(model, options=Options(io=options.io))
        return
    if room is None or room >= found.ram_bytes["network"]:
        return
    is_single = not isinstance(model.model_file, Ensemble)
    if is_single:
        yield f"--max-ram {room}", replace(model, options=replace(options, max_ram=room))
    if options.schedule is not None:
        free = replace(options, schedule=None)
        yield f"no --schedule {options.schedule}", replace(model, options=free)
    if is_single and isinstance(model, Classifier) and options.schedule != STREAMING:
        streaming = replace(options, schedule=STREAMING, max_ram=None)
        yield f"--schedule {STREAMING}", replace(model, options=streaming)
