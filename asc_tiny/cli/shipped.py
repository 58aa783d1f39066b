"""What ``models`` and ``recipes`` have in common: a list, or copies in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH
from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.starter.released import Released

copy_option = click.option("--out", type=PATH, help="Copy NAME into this folder.")


def show(shipped: list[Released], name: str | None, out: Path | None, as_json: bool) -> None:
    """Print what there is, or copy the one of a name and print the files' paths.

    Raises:
        AscError: a name without a folder or a folder without a name, none of that name, or a file
            with other content is in the way.
    """
    from asc_tiny.starter import released

    if (name is None) != (out is None):
        raise AscError("NAME and --out go together: the file to copy, and the folder to copy it to")
    if name is not None and out is not None:
        copies = list(map(str, released.copy(released.find(name, shipped), out)))
        if as_json:
            print_json({"files": copies})
            return
        for path in copies:
            say(path)
        return
    if as_json:
        rows = [{"name": each.name, "summary": each.summary} for each in shipped]
        print_json({"shipped": rows})
        return
    width = max(len(each.name) for each in shipped)
    for each in shipped:
        say(f"{each.name:<{width}}  {each.summary}")
