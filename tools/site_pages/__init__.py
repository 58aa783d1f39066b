"""Sphinx extension of the site: what the pages leave to be made from the program itself.

A page holds a line ``<!-- made by tools/docs: NAME -->``, which is not seen on GitHub. On the site
the Markdown that ``MADE[NAME]`` returns stands in its place.
"""

from __future__ import annotations

import re
from typing import Any

from site_pages import c_interface, commands, links, python_names

MADE = {
    "commands": commands.markdown,
    "python": python_names.markdown,
    "c": c_interface.markdown,
}
MARK = re.compile(r"<!-- made by tools/docs: (\w+) -->")


def site_text(page: str, text: str) -> str:
    """Return the Markdown of a page as the site has it.

    Args:
        page: the page's path below docs, without its ending.
        text: the Markdown of the file.
    """
    return links.absolute(page, MARK.sub(lambda mark: MADE[mark[1]](), text))


def _read(app: Any, page: str, source: list[str]) -> None:
    source[0] = site_text(page, source[0])


def setup(app: Any) -> dict[str, Any]:
    """Let Sphinx call this for each page that it reads."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
