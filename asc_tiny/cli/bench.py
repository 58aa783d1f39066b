"""``asc-tiny bench``: instructions, RAM, flash and stack of a project."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import baud_option, device_on, json_option, port_option, project_argument


@click.command()
@project_argument
@port_option()
@baud_option
@json_option
def command(folder: Path, port: str | None, baud: int, as_json: bool) -> None:
    """Measure the built project in DIR on its emulated board, by exact means.

    Instructions are counted by the core's SysTick under the emulator's instruction clock; they
    are not cycles. Flash and RAM come from the linker, the stack from painting it. With --port a
    board on a line measures itself through the serial protocol, with its own counter.
    """
    from asc_tiny.targets import project
    from asc_tiny.targets.bench import measure
    from asc_tiny.targets.device.checks import check_identity
    from asc_tiny.targets.device.checks import measure as measure_device

    target = project.load(folder)
    if port is None:
        costs = vars(measure(target))
    else:
        with device_on(port, baud) as device:
            check_identity(device, target)
            costs = vars(measure_device(device, target))
    if as_json:
        print_json({"board": target.board.name, "runtime": target.runtime, **costs})
        return
    click.echo(f"{target.board.name} ({target.board.core}), runtime {target.runtime}")
    for name, value in costs.items():
        text = f"{value:,}" if isinstance(value, int) else value
        click.echo(f"{name.replace('_', ' '):<28}{text:>14}")
