"""Words of the project: pages and docstrings that a stranger can read."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import asc_tiny

PACKAGE = Path(asc_tiny.__file__).parent
ROOT = Path(__file__).parents[1]

SECTION = re.compile(r"\s*(Args|Attributes|Parameters|Returns|Yields):?$")
ENTRY = re.compile(r"\s+\*{0,2}\w+(?:, \*{0,2}\w+)*: (.*)")
NO_NOUN = re.compile(r"(of|that|by|in|from|on|to|with|at)\b", re.IGNORECASE)
"""How a text begins that says something of a thing without naming the thing."""

UNREAD = frozenset(
    {"boards", "cli", "compiler", "complexity", "costs", "firmware", "projects", "targets"}
    | {"tflite", "tflm"}
)
"""Rooms whose docstrings were not read for this yet."""

ROOMS = sorted({path.parent.name for path in PACKAGE.glob("*/__init__.py")} - UNREAD)

RELEASED = {"mobilenet_esc10.toml", "mini_segnet_esc10.toml"}
"""Recipes of released models, whose files hold the recipe's hash: the text stays as it was."""


def docstrings(path: Path) -> Iterator[ast.Constant]:
    """Yield the docstrings of a module, and the strings below its values."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as text):
                yield text


def texts_without_noun(text: str) -> list[str]:
    """Return the lines of a docstring that begin a text, but not with what it is about."""
    lines = text.splitlines()
    found = [lines[0]] if NO_NOUN.match(lines[0]) else []
    inside = False
    for before, line in itertools.pairwise(lines):
        inside = inside or bool(SECTION.match(line))
        entry = ENTRY.match(line)
        begin = entry[1] if entry else line.strip() if SECTION.match(before) else ""
        if inside and NO_NOUN.match(begin):
            found.append(line.strip())
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_name_what_they_describe(room: str) -> None:
    assert not [
        f"{path.relative_to(PACKAGE)}:{text.lineno}: {line}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for text in docstrings(path)
        for line in texts_without_noun(str(text.value))
    ]


def test_a_text_without_noun_is_found() -> None:
    text = "Of a row.\n\n    Args:\n        rows: of the kernel.\n        name: name of it.\n"
    assert texts_without_noun(text) == ["Of a row.", "rows: of the kernel."]
    assert texts_without_noun("Rows.\n\n    Returns:\n        Of each row the bytes.\n")
    assert not texts_without_noun("Rows of a kernel.\n\n    Returns:\n        Bytes of a row.\n")


def test_the_report_has_its_name() -> None:
    """Networks, front end and recipe come from a report, which readers know by its authors."""
    word = "the seed" + "'s"
    pages = [path for ending in ("md", "toml", "py", "c", "h", "j2") for path in public(ending)]
    assert len(pages) > 400
    found = [path for path in pages if word in path.read_text(encoding="utf-8").lower()]
    assert {path.name for path in found} <= RELEASED


def public(ending: str) -> list[Path]:
    """Return the repository's own files with an ending."""
    folders = ("asc_tiny", "benchmarks", "docs", "firmware_templates", "models", "tests")
    inner = [path for folder in folders for path in (ROOT / folder).rglob(f"*.{ending}")]
    return [*ROOT.glob(f"*.{ending}"), *inner]
