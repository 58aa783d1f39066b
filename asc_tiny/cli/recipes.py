"""``asc-tiny recipes``: the recipes that come with the package."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import json_option
from asc_tiny.cli.shipped import copy_option, show


@click.command(
    short_help="List or copy the recipes that come with asc-tiny.",
    epilog=examples("recipes", "recipes mobilenet_esc10 --out ."),
)
@click.argument("name", required=False)
@copy_option
@json_option
def command(name: str | None, out: Path | None, as_json: bool) -> None:
    """List the recipes that come with asc-tiny, or copy one into a folder.

    A recipe tells asc-tiny train what to do.
    """
    from asc_tiny.starter import released

    show(released.recipes(), name, out, as_json)
