"""What ``asc-tiny generate`` tells of the network's compiler: ``--plan`` and ``--dump``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.compiler.planner.compiled import Compiled

_PRINT = "-"
_PICTURES = (".png", ".svg")


def check_outputs(runtime: str, *, plan: str | None, dump: str | None) -> None:
    """Check where plan and dump are to go, before anything is written.

    Raises:
        AscError: there is none with this runtime, or the file's ending is not allowed.
    """
    from asc_tiny.api.generation import check_compiled

    check_compiled(runtime, "--plan", plan)
    check_compiled(runtime, "--dump", dump)
    if plan not in (None, _PRINT) and Path(plan).suffix not in (".txt", *_PICTURES):
        raise AscError(f"--plan {plan}: allowed endings are .txt, .png and .svg")
    if dump not in (None, _PRINT) and Path(dump).suffix not in (".txt", ""):
        raise AscError(f"--dump {dump}: must be a .txt file or a folder")


def write(networks: Sequence[Compiled], *, plan: str | None, dump: str | None) -> None:
    """Print or write the plan and the dump of a network, or of each member of an ensemble."""
    if plan is not None:
        _write_plan(networks, plan)
    if dump is not None:
        _write_dump(networks, dump)


def _write_plan(networks: Sequence[Compiled], target: str) -> None:
    from asc_tiny.compiler.report.plan import report
    from asc_tiny.util.files import write_bytes
    from asc_tiny.util.memory_plot import draw

    suffix = Path(target).suffix
    if suffix in _PICTURES:
        maps = [each.memory_plan for each in networks]
        write_bytes(Path(target), draw(maps, suffix.removeprefix(".")))
    else:
        _print_or_write("\n".join(map(report, networks)), target)


def _write_dump(networks: Sequence[Compiled], target: str) -> None:
    from asc_tiny.compiler.report.dump import dump
    from asc_tiny.util.files import write_text

    passes = {
        f"network{member}_{number}_{name}" if len(networks) > 1 else f"{number}_{name}": text
        for member, compiled in enumerate(networks)
        for number, (name, text) in enumerate(dump(compiled).items())
    }
    if target != _PRINT and Path(target).suffix == "":
        for name, text in passes.items():
            write_text(Path(target) / f"{name}.txt", text)
    else:
        _print_or_write("\n".join(f"== {name}\n\n{text}" for name, text in passes.items()), target)


def _print_or_write(text: str, target: str) -> None:
    from asc_tiny.util.files import write_text

    if target == _PRINT:
        click.echo(text, nl=False)
    else:
        write_text(Path(target), text)
