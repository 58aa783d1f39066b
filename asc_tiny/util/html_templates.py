"""Templates of HTML, with every value escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

SHARED = Path(__file__).parent / "templates"
"""Folder of what templates of several rooms use, such as tables."""


@cache
def environment(folder: Path) -> jinja2.Environment:
    """Return the environment of the templates in a folder; a name without a value is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, SHARED]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
