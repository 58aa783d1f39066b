"""``asc-tiny boards``: what firmware is generated for."""

from __future__ import annotations

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import json_option


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List the supported boards."""
    from asc_tiny.targets.boards import BOARDS, DEFAULT_BOARD

    if as_json:
        rows = [
            {
                "name": board.name,
                "core": board.core,
                "emulated": bool(board.machine),
                "default": board.name == DEFAULT_BOARD,
                "flash_bytes": board.flash_bytes or None,
                "ram_bytes": board.ram_bytes or None,
            }
            for board in BOARDS.values()
        ]
        print_json({"boards": rows})
        return
    for board in BOARDS.values():
        how = "emulated by QEMU" if board.machine else "native"
        default = ", the default" if board.name == DEFAULT_BOARD else ""
        click.echo(f"{board.name:<12} {board.core:<16} {how}{default}")
