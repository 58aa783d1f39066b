"""Links of pages to files of the repository that are no pages of the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from asc_tiny.util.files import read_toml

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(((?:\.\./)+[^)#\s]+)")


def urls() -> dict[str, str]:
    """Return the addresses that pyproject.toml gives, by their names, without a last slash."""
    found = read_toml(ROOT / "pyproject.toml")["project"]["urls"]
    return {name: str(url).rstrip("/") for name, url in found.items()}


def absolute(page: str, text: str) -> str:
    """Return Markdown whose links out of docs lead to the repository's address.

    Args:
        page: the page's path below docs, without its ending.
        text: the Markdown of the page.
    """
    folder = posixpath.dirname(f"docs/{page}")

    def target(link: re.Match[str]) -> str:
        path = posixpath.normpath(f"{folder}/{link[1]}")
        if path.startswith("docs/"):
            return link[0]
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"]({urls()['Repository']}/{kind}/main/{path}"

    return LINK.sub(target, text)
