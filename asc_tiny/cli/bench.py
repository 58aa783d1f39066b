"""``asc-tiny bench``: instructions, RAM, flash and stack of a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import json_option, project_argument

if TYPE_CHECKING:
    from asc_tiny.targets.stages import StageCosts


@click.command()
@project_argument
@click.option(
    "--layers",
    is_flag=True,
    help="Print where the network's instructions go, stage by stage; builds a copy of the project.",
)
@json_option
def command(folder: Path, layers: bool, as_json: bool) -> None:
    """Measure the built project in DIR on its emulated board, by exact means.

    Instructions are counted by the core's SysTick under the emulator's instruction clock; they
    are not cycles. Flash and RAM come from the linker, the stack from painting it.
    """
    from asc_tiny.targets import project
    from asc_tiny.targets.bench import measure
    from asc_tiny.targets.stages import measure_stages

    target = project.load(folder)
    costs = vars(measure(target))
    stages = measure_stages(target, costs["instructions_per_inference"]) if layers else []
    if as_json:
        listed = {"layers": [vars(stage) for stage in stages]} if layers else {}
        print_json({"board": target.board.name, "runtime": target.runtime, **costs, **listed})
        return
    click.echo(f"{target.board.name} ({target.board.core}), runtime {target.runtime}")
    for name, value in costs.items():
        if value is not None:
            click.echo(f"{name.replace('_', ' '):<28}{value:>14,}")
    if layers:
        _print_stages(stages, costs["instructions_per_inference"])


def _print_stages(stages: Sequence[StageCosts], total: int) -> None:
    click.echo(f"\n{'runs':>6}{'MACs':>12}{'instructions':>14}{'share':>8}{'per MAC':>9}  layer")
    for stage in stages:
        each = f"{stage.instructions / stage.macs:>9.2f}" if stage.macs else " " * 9
        share = stage.instructions / total
        click.echo(
            f"{stage.runs:>6}{stage.macs:>12,}{stage.instructions:>14,}{share:>8.1%}{each}  "
            f"{stage.layer}"
        )
    macs = sum(stage.macs for stage in stages)
    click.echo(f"{'':>6}{macs:>12,}{total:>14,}{1:>8.1%}{total / macs:>9.2f}  all")
