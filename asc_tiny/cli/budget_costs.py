"""Options of ``asc-tiny budget`` for what a network costs on a microcontroller, and its plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.complexity.report import ModelComplexity
    from asc_tiny.costs.instructions import Chip
    from asc_tiny.model.model_file import ModelFile
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
        if self.clock and not self._cpu():
            raise AscError("--clock: needs --cpu or --chip")
        self._clock_hz()
        if self.plan is None:
            return
        if self.plan == _STDOUT:
            if style != "table":
                raise AscError(f"--plan -: prints text, give a file with --format {style}")
        elif Path(self.plan).suffix not in _PICTURES:
            raise AscError(f"--plan {self.plan}: must end in .png or .svg, or be - for text")

    def add(self, models: Sequence[ModelComplexity]) -> list[ModelComplexity]:
        """Return the models with their costs, if the options ask for any."""
        if not self.memory and not self._cpu():
            return list(models)
        return [replace(model, costs=self._costs(model)) for model in models]

    def _costs(self, model: ModelComplexity) -> dict[str, Any]:
        from asc_tiny.costs.footprint import footprint

        if not _is_tflite(model):
            return {"absent": {"costs": f"{model.path}: only of .tflite files"}}
        model_file = _load(model)
        cpu = self._cpu()
        costs: dict[str, Any] = asdict(footprint(model_file, cpu))
        if cpu is not None:
            costs.update(cpu=cpu, estimate=None)
            try:
                reason = costs["absent"].get("aot_arena_bytes")
                costs["estimate"] = None if reason else self._estimate(model_file, cpu)
            except AscError as error:
                reason = str(error)
            if reason:
                costs["absent"]["estimate"] = reason
        return costs

    def _estimate(self, model_file: ModelFile, cpu: str) -> dict[str, Any]:
        from asc_tiny.costs.compiler_shortcuts import shortcuts
        from asc_tiny.costs.instructions import estimate

        found = estimate(model_file.graph, cpu, shortcuts(model_file.graph))
        document: dict[str, Any] = {
            "is_estimate": True,
            "instructions": found.instructions,
            "instructions_per_layer": list(found.layers),
            "source": "instructions counted on an emulated core, benchmarks/network_costs.py",
            "error_released": found.error_released,
            "error_mean": found.error_mean,
            "error_largest": found.error_largest,
        }
        clock, chip = self._clock_hz(), self._chip()
        if clock:
            document.update(clock_hz=clock, seconds_at_one_cycle=found.seconds(clock))
        if chip:
            document.update(
                chip=chip.name,
                joules_at_one_cycle=found.joules(chip),
                microamps_per_mhz=chip.microamps_per_mhz,
                volts=chip.volts,
                energy_source=chip.source,
            )
        return document

    def _chip(self) -> Chip | None:
        from asc_tiny.costs.instructions import chip

        if self.chip is None:
            return None
        found = chip(self.chip)
        if self.cpu and self.cpu != found.cpu:
            raise AscError(f"--chip {self.chip}: has a {found.cpu}, --cpu is {self.cpu}")
        return found

    def _cpu(self) -> str | None:
        chip = self._chip() if self.chip else None
        return chip.cpu if chip else self.cpu

    def _clock_hz(self) -> int | None:
        from asc_tiny.complexity.gate.limits import parse_count

        if self.clock is None:
            return None
        clock = parse_count(self.clock, option="--clock")
        if clock == 0:
            raise AscError("--clock 0: must be above 0")
        return clock

    def ensembles(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        """Return what the members of each ensemble share, if the options ask for costs."""
        if not self.memory and not self._cpu():
            return []
        from asc_tiny.costs.footprint import ensemble_footprint
        from asc_tiny.model.ensemble import SUFFIX, load

        return [
            {"path": path, **ensemble_footprint(load(Path(path)), self._cpu())}
            for path in paths
            if Path(path).suffix == SUFFIX
        ]

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
    maps = [each for model in models for each in _maps(model)]
    if not maps:
        raise AscError("--plan: no model has a plan that is known")
    return maps


def cost_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which takes them as ``costs``."""

    @click.option("--memory", is_flag=True, help="Arenas of both runtimes, and the file's size.")
    @click.option("--cpu", help="Estimate instructions and code for a core, such as cortex-m4.")
    @click.option("--clock", help="Of the core in Hz, such as 64M: estimate the time.")
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


def _load(model: ModelComplexity) -> ModelFile:
    from asc_tiny.model.model_file import load

    return load(Path(model.path))


def _maps(model: ModelComplexity) -> Iterator[MemoryMap]:
    from asc_tiny.compiler.report import memory_map as ahead_of_time
    from asc_tiny.firmware.network.compiled import compile_network
    from asc_tiny.tflm import memory_map as tflm

    if not _is_tflite(model):
        say(f"{model.path}: no memory plan, only of .tflite files", err=True)
        return
    model_file = _load(model)
    plans: list[tuple[str, Callable[[], MemoryMap]]] = [
        ("TensorFlow Lite Micro", lambda: tflm.memory_map(model_file.graph)),
        ("ahead of time", lambda: ahead_of_time.memory_map(compile_network(model_file))),
    ]
    for runtime, make in plans:
        try:
            yield make()
        except AscError as error:
            say(f"no memory plan, {runtime}: {error}", err=True)
