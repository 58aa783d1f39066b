"""``asc-tiny init``: a folder to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH
from asc_tiny.cli.streams import say


@click.command(
    short_help="Write a folder to begin with.", epilog=examples("init", "init my_sounds")
)
@click.argument("folder", metavar="[DIR]", type=PATH, default=".", required=False)
def command(folder: Path) -> None:
    """Write a recipe, limits, a check of them for GitHub and the commands into DIR.

    Without DIR they go into this folder. Files that are there stay.
    """
    from asc_tiny.starter import first_files

    for path in first_files.write(folder):
        say(str(path))
    say(f"README.md has the commands, from recordings to firmware: {folder / 'README.md'}")
