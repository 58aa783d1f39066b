"""Options of ``asc-tiny budget`` for what a network costs on a microcontroller, and its plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.complexity.report import ModelComplexity
    from asc_tiny.util.memory_map import MemoryMap

_STDOUT = "-"
_PICTURES = (".png", ".svg")


@dataclass(frozen=True)
class CostOptions:
    """What the options ask for."""

    memory: bool
    cpu: str | None
    clock: str | None
    chip: str | None
    plan: str | None
    compare: bool

    def check(self, *, style: str) -> None:
        """Check what can be checked before anything is measured.

        Raises:
            AscError: options that do not go together, or a file of another kind.
        """
        if self.clock and not (self.cpu or self.chip):
            raise AscError("--clock: needs --cpu or --chip")
        self._clock_hz()
        if self.plan is None:
            return
        if self.plan == _STDOUT:
            if style != "table":
                raise AscError(f"--plan -: prints text, give a file with --format {style}")
        elif Path(self.plan).suffix not in _PICTURES:
            raise AscError(f"--plan {self.plan}: must end in .png or .svg, or be - for text")

    def estimates(self) -> dict[str, Any]:
        """Return what ``api.check_budget`` is told to estimate."""
        return {
            "memory": self.memory,
            "cpu": self.cpu,
            "chip": self.chip,
            "clock_hz": self._clock_hz(),
        }

    def _clock_hz(self) -> int | None:
        from asc_tiny.complexity.gate.limits import parse_count

        if self.clock is None:
            return None
        clock = parse_count(self.clock, option="--clock")
        if clock == 0:
            raise AscError("--clock 0: must be above 0")
        return clock

    def draw_plan(self, models: Sequence[ModelComplexity]) -> None:
        """Draw the memory plans of both runtimes to a file, if the options say so.

        Raises:
            AscError: there is none to draw, or the file cannot be written.
        """
        if self.plan is None or self.plan == _STDOUT:
            return
        from asc_tiny.util.files import write_bytes
        from asc_tiny.util.memory_plot import draw

        write_bytes(Path(self.plan), draw(_known_maps(models), Path(self.plan).suffix[1:]))

    def print_plan(self, models: Sequence[ModelComplexity]) -> None:
        """Print the memory plans of both runtimes, if the options say so.

        Raises:
            AscError: there is none to show.
        """
        if self.plan == _STDOUT:
            from asc_tiny.util.memory_map import to_text

            click.echo("\n\n".join(map(to_text, _known_maps(models))))


def _known_maps(models: Sequence[ModelComplexity]) -> list[MemoryMap]:
    from asc_tiny.costs.estimates import memory_maps

    maps = [each for model in models for each in memory_maps(Path(model.path), _tell)]
    if not maps:
        raise AscError("--plan: no model has a plan that is known")
    return maps


def _tell(line: str) -> None:
    say(line, err=True)


def cost_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which takes them as ``costs``."""

    @click.option("--memory", is_flag=True, help="Arenas of both runtimes, and the file's size.")
    @click.option("--cpu", help="Estimate instructions and code for a core, such as cortex-m4.")
    @click.option("--clock", help="Clock of the core in Hz, such as 64M: estimate the time.")
    @click.option("--chip", help="Estimate the energy on a chip, such as stm32l412.")
    @click.option(
        "--plan",
        is_flag=False,
        flag_value=_STDOUT,
        metavar="[FILE]",
        help="Show the memory plan, or draw it to a .png or .svg file.",
    )
    @click.option(
        "--compare", is_flag=True, help="Line up a .keras file with the .tflite made from it."
    )
    @wraps(command)
    def wrapped(
        *arguments: Any,
        memory: bool,
        cpu: str | None,
        clock: str | None,
        chip: str | None,
        plan: str | None,
        compare: bool,
        **others: Any,
    ) -> None:
        lower = cpu.lower() if cpu else None
        costs = CostOptions(memory, lower, clock, chip.lower() if chip else None, plan, compare)
        command(*arguments, costs=costs, **others)

    return wrapped


def compare_models(models: Sequence[ModelComplexity], *, as_json: bool) -> bool:
    """Print a Keras model and its conversion side by side; return whether they agree.

    Raises:
        AscError: not one .keras and one .tflite file.
    """
    from asc_tiny.cli.main import print_json
    from asc_tiny.complexity.keras_vs_tflite import compare, to_json, to_table

    keras = [model for model in models if Path(model.path).suffix == ".keras"]
    tflite = [model for model in models if _is_tflite(model)]
    if len(keras) != 1 or len(tflite) != 1 or len(models) != 2:
        raise AscError("--compare: needs one .keras and one .tflite file")
    rows = compare(keras[0], tflite[0])
    if as_json:
        print_json({"keras": keras[0].path, "tflite": tflite[0].path, **to_json(rows)})
    else:
        click.echo(to_table(rows))
    return all(row.agrees for row in rows)


def _is_tflite(model: ModelComplexity) -> bool:
    return Path(model.path).suffix == ".tflite"
