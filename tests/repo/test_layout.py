"""Where tests lie: beside what they test, and what they share in a package of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

import asc_tiny
from support.paths import ROOT, TESTS

ROOMS_OF_THEIR_OWN = {"oracle", "real", "repo", "runtime"}
"""Rooms that mirror no room of the package."""

NOT_ROOMS = {"c", "doubles", "files", "support", "__pycache__"}


def test_rooms_mirror_those_of_the_package() -> None:
    package = Path(asc_tiny.__file__).parent
    rooms = {path.name for path in TESTS.iterdir() if path.is_dir()} - NOT_ROOMS
    missing = {
        path.parent.relative_to(TESTS)
        for room in rooms - ROOMS_OF_THEIR_OWN
        for path in (TESTS / room).rglob("test_*.py")
        if not (package / path.parent.relative_to(TESTS)).is_dir()
    }
    assert not missing
    assert not list(TESTS.glob("test_*.py"))


def test_every_test_is_collected(request: pytest.FixtureRequest) -> None:
    """Folders with some names, such as ``build``, are left out by default."""
    left_out = request.config.getini("norecursedirs")
    parts = {part for path in TESTS.rglob("test_*.py") for part in path.relative_to(TESTS).parts}
    assert not [part for part in parts if any(fnmatch(part, each) for each in left_out)]
    assert request.config.getini("python_files") == ["test_*.py", "*_test.py"]


def imported(text: str) -> Iterator[str]:
    """Yield the modules that a program imports, wherever in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def is_test(module: str) -> bool:
    return any(part.startswith("test_") for part in module.split("."))


def importers(folder: Path) -> list[str]:
    """Return the programs below a folder that import a test."""
    return [
        f"{path.relative_to(folder)} imports {module}"
        for path in sorted(folder.rglob("*.py"))
        for module in imported(path.read_text(encoding="utf-8"))
        if is_test(module)
    ]


@pytest.mark.parametrize("folder", ["tests", "benchmarks"])
def test_nothing_imports_a_test(folder: str) -> None:
    assert not importers(ROOT / folder)


@pytest.mark.parametrize(
    "line",
    ["from test_a import b", "import tests.test_a", "def f():\n    from tests import test_a"],
)
def test_an_import_of_a_test_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "test_b.py").write_text(line)
    assert importers(tmp_path)
