"""``asc-tiny bench``: instructions, RAM, flash and stack of a project."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import json_option, project_argument


@click.command()
@project_argument
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Measure the built project in DIR on its emulated board, by exact means.

    Instructions are counted by the core's SysTick under the emulator's instruction clock; they
    are not cycles. Flash and RAM come from the linker, the stack from painting it.
    """
    from asc_tiny.targets import project
    from asc_tiny.targets.bench import measure

    target = project.load(folder)
    costs = vars(measure(target))
    if as_json:
        print_json({"board": target.board.name, "runtime": target.runtime, **costs})
        return
    click.echo(f"{target.board.name} ({target.board.core}), runtime {target.runtime}")
    for name, value in costs.items():
        if value is not None:
            click.echo(f"{name.replace('_', ' '):<28}{value:>14,}")
