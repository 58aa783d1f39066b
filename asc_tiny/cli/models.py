"""``asc-tiny models``: the int8 models that come with the package."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import json_option
from asc_tiny.cli.shipped import copy_option, show


@click.command(
    short_help="List or copy the models that come with asc-tiny.",
    epilog=examples("models", "models mobilenet_esc10 --out ."),
)
@click.argument("name", required=False)
@copy_option
@json_option
def command(name: str | None, out: Path | None, as_json: bool) -> None:
    """List the int8 models that come with asc-tiny, or copy one into a folder.

    All name the sound in one second of audio, of ten classes (ESC-10). An ensemble is copied with
    its members. Each has a card (.md) that tells how good it is.
    """
    from asc_tiny.starter import released

    show(released.models(), name, out, as_json)
