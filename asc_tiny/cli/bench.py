"""``asc-tiny bench``: instructions, RAM, flash and stack of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    baud_option,
    json_option,
    port_option,
    project_argument,
    signals_option,
)
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import say

if TYPE_CHECKING:
    from asc_tiny.targets.cycles.estimate import Cycles
    from asc_tiny.targets.image.stages import StageCosts


@click.command(
    short_help="Count instructions, RAM and stack of a built project.",
    epilog=examples("bench firmware --layers", "bench firmware --cycles --wait-states 5"),
)
@project_argument
@click.option(
    "--layers",
    is_flag=True,
    help="Print where the network's instructions go, stage by stage; builds a copy of the project.",
)
@click.option(
    "--cycles",
    is_flag=True,
    help="Estimate cycles of a Cortex-M3, M4 or M55 from what the emulated core executes.",
)
@click.option(
    "--wait-states",
    type=click.IntRange(0, 15),
    default=5,
    show_default=True,
    help="With --cycles: wait states of the flash.",
)
@port_option()
@baud_option
@signals_option
@json_option
def command(
    folder: Path,
    layers: bool,
    cycles: bool,
    wait_states: int,
    port: str | None,
    baud: int,
    signals: str,
    as_json: bool,
) -> None:
    """Measure the built project in DIR on its emulated board, by exact means.

    Instructions are counted by the core's SysTick under the emulator's instruction clock; they
    are not cycles, which --cycles estimates by the core's manual and a model of its flash. Flash
    and RAM come from the linker, the stack from painting it. With --port a board on a line measures
    itself through the serial protocol, with its own counter.
    """
    target = api.load_project(folder)
    with StepLine() as steps:
        steps.show(f"measuring on {target.board.name if port is None else port}")
        found = api.bench(
            target,
            layers=layers,
            cycles=cycles,
            wait_states=wait_states,
            port=port,
            baud=baud,
            signals=signals,
        )
    costs = vars(found.costs)
    if as_json:
        listed: dict[str, Any] = {}
        if layers:
            listed["layers"] = [vars(stage) for stage in found.layers]
        if found.cycles is not None:
            listed["cycles"] = asdict(found.cycles)
        print_json({"board": target.board.name, "runtime": target.runtime, **costs, **listed})
        return
    say(f"{target.board.name} ({target.board.core}), runtime {target.runtime}")
    for name, value in costs.items():
        if value is not None:
            text = f"{value:,}" if isinstance(value, int) else value
            say(f"{name.replace('_', ' '):<28}{text:>14}")
    if found.cycles is not None:
        _print_cycles(found.cycles)
    if layers:
        _print_stages(found.layers, costs["instructions_per_inference"], found.cycles)


def _print_cycles(cycles: Cycles) -> None:
    """Print cycles without and with wait states, or those that are a bound."""
    if cycles.is_bound:
        say(f"estimated cycles{'at least':>26}")
    else:
        say(f"estimated cycles{'no wait states':>26}{f'{cycles.wait_states} wait states':>18}")
    for name, segment in {"hop": cycles.hop, "inference": cycles.inference}.items():
        if segment is not None:
            waiting = "" if cycles.is_bound else f"{segment.waiting_cycles:>18,}"
            say(f"  per {name:<22}{segment.cycles:>14,}{waiting}")


def _print_stages(stages: Sequence[StageCosts], total: int, cycles: Cycles | None) -> None:
    spent = [each.segment.waiting_cycles for each in cycles.layers] if cycles else []
    columns = f"{'runs':>6}{'MACs':>12}{'instructions':>14}{'share':>8}{'per MAC':>9}"
    click.echo(f"\n{columns}{'        cycles' if spent else ''}  layer")
    cells = [f"{each:>14,}" for each in spent] or [""] * len(stages)
    for stage, cell in zip(stages, cells, strict=True):
        each = f"{stage.instructions / stage.macs:>9.2f}" if stage.macs else " " * 9
        share = stage.instructions / total
        say(
            f"{stage.runs:>6}{stage.macs:>12,}{stage.instructions:>14,}{share:>8.1%}{each}{cell}  "
            f"{stage.layer}"
        )
    macs = sum(stage.macs for stage in stages)
    cell = f"{sum(spent):>14,}" if spent else ""
    per_mac = f"{total / macs:>9.2f}" if macs else " " * 9
    say(f"{'':>6}{macs:>12,}{total:>14,}{1:>8.1%}{per_mac}{cell}  all")
