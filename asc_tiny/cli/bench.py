"""``asc-tiny bench``: instructions, RAM, flash and stack of a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    baud_option,
    json_option,
    port_option,
    project_argument,
)
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import say

if TYPE_CHECKING:
    from asc_tiny.targets.image.stages import StageCosts


@click.command()
@project_argument
@click.option(
    "--layers",
    is_flag=True,
    help="Print where the network's instructions go, stage by stage; builds a copy of the project.",
)
@port_option()
@baud_option
@json_option
def command(folder: Path, layers: bool, port: str | None, baud: int, as_json: bool) -> None:
    """Measure the built project in DIR on its emulated board, by exact means.

    Instructions are counted by the core's SysTick under the emulator's instruction clock; they
    are not cycles. Flash and RAM come from the linker, the stack from painting it. With --port a
    board on a line measures itself through the serial protocol, with its own counter.
    """
    target = api.load_project(folder)
    with StepLine() as steps:
        steps.show(f"measuring on {target.board.name if port is None else port}")
        found = api.bench(target, layers=layers, port=port, baud=baud)
    costs = vars(found.costs)
    if as_json:
        listed = {"layers": [vars(stage) for stage in found.layers]} if layers else {}
        print_json({"board": target.board.name, "runtime": target.runtime, **costs, **listed})
        return
    say(f"{target.board.name} ({target.board.core}), runtime {target.runtime}")
    for name, value in costs.items():
        if value is not None:
            text = f"{value:,}" if isinstance(value, int) else value
            say(f"{name.replace('_', ' '):<28}{text:>14}")
    if layers:
        _print_stages(found.layers, costs["instructions_per_inference"])


def _print_stages(stages: Sequence[StageCosts], total: int) -> None:
    click.echo(f"\n{'runs':>6}{'MACs':>12}{'instructions':>14}{'share':>8}{'per MAC':>9}  layer")
    for stage in stages:
        each = f"{stage.instructions / stage.macs:>9.2f}" if stage.macs else " " * 9
        share = stage.instructions / total
        say(
            f"{stage.runs:>6}{stage.macs:>12,}{stage.instructions:>14,}{share:>8.1%}{each}  "
            f"{stage.layer}"
        )
    macs = sum(stage.macs for stage in stages)
    say(f"{'':>6}{macs:>12,}{total:>14,}{1:>8.1%}{total / macs:>9.2f}  all")
