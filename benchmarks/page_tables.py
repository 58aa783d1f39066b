"""Tables that programs write into the pages: each stands between <!-- NAME --> and <!-- end -->."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs"


def page_of(name: str) -> Path:
    """Return the one page below docs that has a table of that name.

    Raises:
        LookupError: no page has one, or several do.
    """
    pages = [p for p in PAGES.rglob("*.md") if f"<!-- {name} -->" in p.read_text(encoding="utf-8")]
    if len(pages) != 1:
        raise LookupError(f"{len(pages)} pages below {PAGES} have a table <!-- {name} -->")
    return pages[0]


def put(name: str, text: str) -> None:
    """Write a table into its place, whichever page that is on."""
    page = page_of(name)
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    old = page.read_text(encoding="utf-8")
    new = place.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", old)
    page.write_text(new, encoding="utf-8")


def table(head: Sequence[str], cells: Sequence[Sequence[str]], words: int = 2) -> str:
    """Return a Markdown table.

    Args:
        head: the titles of the columns.
        cells: the rows.
        words: how many of the first columns are words; the others are numbers.
    """
    lines = [head, ["---"] * words + ["---:"] * (len(head) - words), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
