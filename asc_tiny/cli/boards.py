"""``asc-tiny boards``: what firmware is generated for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import json_option

if TYPE_CHECKING:
    from asc_tiny.targets.boards import Board


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
                "microphone": _microphone(board),
            }
            for board in BOARDS.values()
        ]
        print_json({"boards": rows})
        return
    for board in BOARDS.values():
        default = ", the default" if board.name == DEFAULT_BOARD else ""
        click.echo(f"{board.name:<17} {board.core:<16} {_kind(board)}{default}")


def _kind(board: Board) -> str:
    if board.microphone is None:
        return "emulated by QEMU" if board.machine else "native"
    microphone = board.microphone
    where = "to connect: " if microphone.external else ""
    return f"{where}{microphone.part}, {microphone.rates_text}"


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
