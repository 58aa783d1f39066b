"""``asc-tiny inspect``: what firmware was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, baud_option, json_option, port_option, signals_option
from asc_tiny.cli.streams import say

if TYPE_CHECKING:
    from asc_tiny.targets.image.inspect import Found


@click.command(
    short_help="Tell which models a firmware file holds.",
    epilog=examples("inspect firmware/build/firmware.elf --model model.tflite"),
)
@click.argument("firmware", type=PATH, required=False)
@port_option()
@baud_option
@signals_option
@click.option("--model", type=PATH, help="Exit with 1 unless FIRMWARE holds this model.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    firmware: Path | None,
    port: str | None,
    baud: int,
    signals: str,
    model: Path | None,
    as_json: bool,
) -> None:
    """Show the models in FIRMWARE, an ELF, Intel HEX, UF2 or raw binary file, or in a board.

    Every generated library puts a record into flash: hashes of model and front end, version of
    asc-tiny, runtime, prefix and labels. A board on --port sends its own.
    """
    file_format, found = api.inspect_firmware(firmware, port=port, baud=baud, signals=signals)
    place = port or str(firmware)
    rows = [_row(each) for each in found]
    document: dict[str, Any] = {"firmware": place, "format": file_format, "models": rows}
    passed = True
    if model:
        wanted = api.load_model(model).sha256
        passed = any(row["model_sha256"] == wanted for row in rows)
        document.update(model=str(model), model_sha256=wanted, passed=passed)
    if as_json:
        print_json(document)
    else:
        for row in rows:
            _print(row)
        if model:
            verb = "is" if passed else "is NOT"
            say(f"{model} (sha256 {wanted}) {verb} in {place}")
    ctx.exit(0 if passed else 1)


def _row(found: Found) -> dict[str, Any]:
    values = {**vars(found.provenance), "labels": list(found.provenance.labels)}
    return {**values, "address": found.address, "offset": found.offset}


def _print(row: dict[str, Any]) -> None:
    places = {"address": row["address"], "offset": row["offset"]}
    where = ", ".join(f"{k} 0x{v:08x}" for k, v in places.items() if v is not None)
    say(f"{row['prefix']}: {where or 'on the board'}")
    for name in ("model_sha256", "frontend_sha256", "tool_version", "runtime"):
        say(f"  {name:<16} {row[name]}")
    say(f"  {'labels':<16} {', '.join(row['labels']) or 'none, a network alone'}")
