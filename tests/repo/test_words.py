"""Words of the project: pages and docstrings that a stranger can read."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import asc_tiny
from support.paths import ROOT

PACKAGE = Path(asc_tiny.__file__).parent


SECTION = re.compile(r"\s*(Args|Attributes|Parameters|Returns|Yields):?$")
ENTRY = re.compile(r"\s+\*{0,2}\w+(?:, \*{0,2}\w+)*: (.*)")
NO_NOUN = re.compile(r"(of|that|by|in|from|on|to|with|at)\b", re.IGNORECASE)
"""How a text begins that says something of a thing without naming the thing."""

TERMINOLOGY = ROOT / "docs" / "developer" / "terminology.md"
OLD_NAMES = TERMINOLOGY.with_name("old_names.md")

ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))

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


def renamed() -> Iterator[tuple[str, str]]:
    """Yield old names and the names that stand beside them now."""
    for line in OLD_NAMES.read_text(encoding="utf-8").splitlines():
        old, new = (re.findall(r"`([^`]+)`", cell) for cell in [*line.split("|"), "", ""][1:3])
        yield from zip(old, new, strict=False)


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


def test_the_words_of_the_terminology_exist() -> None:
    """Each row of its tables of words has a third column that says where the word's thing is."""
    words = TERMINOLOGY.read_text(encoding="utf-8")
    rows = [line.split("|")[3] for line in words.splitlines() if re.match(r"\| (?!word|---)", line)]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) > 50
    assert not [name for name in names if not is_there(name)]


@pytest.mark.parametrize(("old", "new"), list(renamed()), ids=lambda name: str(name))
def test_old_names_are_gone(old: str, new: str) -> None:
    assert is_there(new)
    assert not is_there(old)


def is_there(name: str) -> bool:
    """Return whether a module, a room, ``module.Class`` or a word of the C code exists."""
    if name.lower().startswith("asc_"):
        return name in c_words()
    *room, last = name.split(".")
    module = PACKAGE.joinpath(*room).with_suffix(".py")
    places = (PACKAGE.joinpath(*room, last), PACKAGE.joinpath(*room, f"{last}.py"))
    if not room and last[0].isupper():
        return last in python_names()
    return any(path.exists() for path in places) or (
        module.exists() and f"\nclass {last}" in module.read_text(encoding="utf-8")
    )


@functools.cache
def c_words() -> frozenset[str]:
    """Return the identifiers of the C code, and the names of its files."""
    paths = [path for path in (ROOT / "firmware_templates").rglob("*") if path.is_file()]
    files = [path.name.split(".")[0] for path in paths]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return frozenset(files).union(*(re.findall(r"\w+", text) for text in texts))


@functools.cache
def python_names() -> frozenset[str]:
    """Return the names of all classes of the package, and those that it uses."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= {getattr(node, key, "") for key in ("name", "id", "attr")}
    return frozenset(name for name in found if isinstance(name, str))
