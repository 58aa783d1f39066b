"""``asc-tiny boards``: what firmware is generated for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, frontend_option, json_option, labels_option
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import say
from asc_tiny.projects import registry
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.boards.catalog import Board
    from asc_tiny.costs.board_fit import Fit
    from asc_tiny.projects.generator import ProjectGenerator

_COLUMNS = ("board", "core", "MHz", "RAM", "flash", "flashed by", "projects")
_FIT_COLUMNS = ("board", "core", "RAM", "of", "flash", "of", "CPU", "fits")
_NONE = "-"


@click.command(
    short_help="List boards, and tell on which a model fits.",
    epilog=examples("boards", "boards --model model.tflite", "boards nucleo_l496zg"),
)
@click.argument("names", metavar="[BOARD]...", nargs=-1)
@click.option("--model", type=PATH, help="Tell whether this .tflite or ensemble .toml fits.")
@frontend_option
@labels_option
@json_option
def command(
    names: Sequence[str],
    model: Path | None,
    frontend: Path | None,
    labels: Path | None,
    as_json: bool,
) -> None:
    """List the supported boards, or the BOARDs, which may be files (.toml) of yours.

    With --model: RAM in KiB with the arena as it is laid out, the front end, samples that wait and
    the stack; flash in KiB with code, weights and tables; the share of the CPU's time at one
    instruction per cycle, for a network without front end and labels the time of an inference in
    its place. Application and drivers are in it where a kind of project was measured with them;
    "not KIND" says which of them do not fit. These are estimates.
    """
    if model is None and (frontend or labels):
        raise AscError(f"{'--frontend' if frontend else '--labels'}: needs --model")
    chosen = [api.load_board(name) for name in names] or api.boards()
    generators, faults = registry.load()
    for fault in faults:
        say(f"warning: {fault}", err=True)
    serving = {board.name: registry.serving(board, generators) for board in chosen}
    projects = {name: [each.name for each in kinds] for name, kinds in serving.items()}
    fits: dict[str, Fit] = {}
    if model:
        with StepLine() as steps:
            steps.show("compiling the network")
            fits = api.fit_boards(model, chosen, frontend=frontend, labels=labels)
    if as_json:
        rows = [_row(board, projects[board.name], fits) for board in chosen]
        document: dict[str, object] = {"boards": rows}
        print_json(document | ({"model": str(model), "is_estimate": True} if model else {}))
    elif model:
        _print_table(_FIT_COLUMNS, [_fit_cells(board, fits.get(board.name)) for board in chosen])
        for note in _fit_notes(chosen, fits):
            say(note, err=True)
    else:
        notes = [
            [_note(board), *(_programming(board, serving[board.name]) if names else ())]
            for board in chosen
        ]
        _print_table(_COLUMNS, [_cells(board, projects[board.name]) for board in chosen], notes)


def _print_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[Sequence[str]] = ()
) -> None:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for number, row in enumerate([head, *rows]):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip())
        if number and notes:
            for note in notes[number - 1]:
                say(f"    {note}")


def _cells(board: Board, projects: Sequence[str]) -> list[str]:
    return [
        board.name,
        board.core,
        f"{board.clock_hz / 1e6:g}" if board.clock_hz else _NONE,
        _kib(board.ram_bytes),
        _kib(board.flash_bytes),
        _way(board),
        ", ".join(projects),
    ]


def _kib(size: int) -> str:
    return f"{size / 1024:.0f}" if size else _NONE


def _way(board: Board) -> str:
    if board.machine:
        return f"QEMU: {board.machine}"
    return f"{board.flash.tool}: {board.flash.target}" if board.flash else _NONE


def _note(board: Board) -> str:
    from asc_tiny.boards.catalog import DEFAULT_BOARD

    parts = [f"{board.title or board.name}{', the default' * (board.name == DEFAULT_BOARD)}"]
    if board.microphone is not None:
        where = "to connect: " if board.microphone.external else ""
        parts.append(f"{where}{board.microphone.part}, {board.microphone.rates_text}")
        parts.append(f"{board.baud} baud")
    return "; ".join(parts)


_IMAGES = {
    "pyocd": "FILE.elf [--probe ID]",
    "esptool": "FILE.bin --port PORT",
    "uf2": "FILE.uf2 [--probe VOLUME]",
    "wlink": "FILE.elf [--probe NUMBER]",
}
"""How the options of ``flash`` go on that name an image for a tool."""


def _programming(board: Board, kinds: Sequence[ProjectGenerator]) -> Iterator[str]:
    """Yield the command lines that get firmware onto a board."""
    projects = [kind for kind in kinds if kind.is_folder]
    if board.machine:
        # The images of other kinds are for the emulator of their own tools.
        if any(kind.name == registry.DEFAULT for kind in projects):
            yield f"switch a project on ({registry.DEFAULT}): asc-tiny flash DIR"
        return
    if board.flash is None:
        return
    tool = board.flash.tool
    port = " --port PORT" if tool in ("arduino-cli", "esptool") else ""
    elsewhere = [kind.name for kind in projects if kind.is_built_elsewhere]
    here = [kind.name for kind in projects if not kind.is_built_elsewhere]
    if here:
        yield f"flash a project ({', '.join(here)}): asc-tiny flash DIR{port}"
    if elsewhere and tool in _IMAGES:
        names = ", ".join(elsewhere)
        yield f"flash a project ({names}): asc-tiny flash DIR --image {_IMAGES[tool]}"
    if tool in _IMAGES:
        name = board.path or board.name
        yield f"flash any image: asc-tiny flash --board {name} --image {_IMAGES[tool]}"


def _fit_cells(board: Board, fit: Fit | None) -> list[str]:
    if fit is None:
        return [board.name, board.core, *[_NONE] * 5, "yes"]
    share = _NONE if fit.inference_s is None else _milliseconds(1000 * fit.inference_s)
    share = share if fit.cpu_share is None else f"{fit.cpu_share:.0%}"
    ram, flash = (_kib(sum(each.values())) for each in fit.needs(_largest(fit)))
    fits = "yes" if fit.flash_bytes else "?"
    if lacking := _lacking(board, fit):
        fits = f"not {', '.join(lacking)}" if fit.fits(board) else "no"
    room = _kib(board.ram_region.bytes), _kib(board.flash_bytes)
    return [board.name, board.core, ram, room[0], flash, room[1], share, fits]


def _largest(fit: Fit) -> str | None:
    """Return the kind of project that takes most beside the library, None if none was measured."""
    sizes = {kind: each.ram_bytes + each.flash_bytes for kind, each in fit.applications.items()}
    return max(sizes, key=lambda kind: sizes[kind], default=None)


def _lacking(board: Board, fit: Fit) -> list[str]:
    """Return the measured kinds that do not fit; with none measured, the library."""
    kinds = [kind for kind in fit.applications if not fit.fits(board, kind)]
    return kinds or ([] if fit.fits(board) else ["sources"])


def _milliseconds(time: float) -> str:
    return f"{time:,.0f} ms" if time >= 100.0 else f"{time:.3g} ms"


def _fit_notes(boards: Sequence[Board], fits: Mapping[str, Fit]) -> list[str]:
    """Return lines that say what the table's figures are, and why a board has no yes."""
    notes = [
        "RAM and flash in KiB, CPU at one instruction per cycle; with the application where it was "
        "measured, the largest of a board's kinds"
    ]
    unknown: dict[str, list[str]] = {}
    for name, fit in fits.items():
        if not fit.flash_bytes:
            reason = fit.absent.get("flash_bytes", "the flash is not known")
            unknown.setdefault(reason, []).append(name)
    notes += [f"? {reason}: {', '.join(names)}" for reason, names in unknown.items()]
    for board in boards:
        if board.name in fits:
            fit = fits[board.name]
            notes += [
                f"board {board.name}: {kind} {shortage}{_remedy(fit, kind)}"
                for kind in _lacking(board, fit)
                for shortage in fit.shortages(board, kind)
            ]
            if fit.gap:
                notes.append(f"board {board.name}: it {fit.gap}{_advice(fit.gap_remedy)}")
    return notes


def _remedy(fit: Fit, kind: str) -> str:
    option = fit.remedies.get(kind, "")
    return f"; it fits by `asc-tiny generate` with {option}" if option else ""


def _advice(option: str) -> str:
    return f"; none by `asc-tiny generate` with {option}" if option else ""


def _row(board: Board, projects: Sequence[str], fits: dict[str, Fit]) -> dict[str, object]:
    from asc_tiny.boards.catalog import DEFAULT_BOARD

    row: dict[str, object] = {
        "name": board.name,
        "title": board.title,
        "core": board.core,
        "emulated": bool(board.machine),
        "machine": board.machine or None,
        "default": board.name == DEFAULT_BOARD,
        "clock_hz": board.clock_hz or None,
        "flash_bytes": board.flash_bytes or None,
        "ram_bytes": board.ram_bytes or None,
        "projects": list(projects),
        "microphone": _microphone(board),
        "flash_tool": board.flash.tool if board.flash else None,
        "flash_target": board.flash.target if board.flash else None,
        "baud": board.baud,
        "source": board.source,
    }
    if board.name in fits:
        row["fit"] = _fit_row(board, fits[board.name])
    return row


def _fit_row(board: Board, fit: Fit) -> dict[str, object]:
    return {
        "fits": not _lacking(board, fit),
        "ram_bytes": dict(fit.ram_bytes),
        "flash_bytes": dict(fit.flash_bytes) or None,
        "instructions_per_s": dict(fit.instructions_per_s) or None,
        "cpu_share": fit.cpu_share,
        "inference_s": fit.inference_s,
        "waiting": _waiting(fit),
        "absent": dict(fit.absent),
        "applications": {
            kind: {
                "ram_bytes": each.ram_bytes,
                "flash_bytes": each.flash_bytes,
                "fits": fit.fits(board, kind),
                "remedy": fit.remedies.get(kind),
            }
            for kind, each in fit.applications.items()
        },
    }


def _waiting(fit: Fit) -> dict[str, object] | None:
    if fit.waiting is None:
        return None
    busy = fit.waiting.busy_s
    return {
        "kept_s": fit.waiting.kept_s,
        "busy_s": busy if math.isfinite(busy) else None,
        "has_gaps": bool(fit.gap),
        "remedy": fit.gap_remedy or None,
    }


def _microphone(board: Board) -> dict[str, object] | None:
    if board.microphone is None:
        return None
    microphone = board.microphone
    return {
        "kind": microphone.kind,
        "part": microphone.part,
        "external": microphone.external,
        "bits": microphone.bits,
        "rates": [round(float(rate), 2) for rate in microphone.rates],
        "continuous": microphone.continuous,
        "source": microphone.source,
    }
