"""The kinds of project there are: those of this tool, and those of packages that are installed.

A package brings a kind by an entry point of the group ``asc_tiny.project_kinds`` that names a
subclass of ``generator.ProjectGenerator``. Kinds are imported when they are asked for.
"""

from __future__ import annotations

import importlib
import re
from importlib import metadata
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from asc_tiny.util.console_text import printable, shown
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asc_tiny.boards.catalog import Board
    from asc_tiny.projects.generator import ProjectGenerator

DEFAULT = "cmake"
GROUP = "asc_tiny.project_kinds"

_GENERATORS = {
    "arduino": "ArduinoGenerator",
    "cmake": "CMakeGenerator",
    "cmsis": "CmsisGenerator",
    "esp-idf": "EspIdfGenerator",
    "pico-sdk": "PicoSdkGenerator",
    "platformio": "PlatformioGenerator",
    "sources": "SourcesGenerator",
    "stm32cubeide": "Stm32CubeIdeGenerator",
    "zephyr": "ZephyrGenerator",
}
"""Classes by name; the modules beside this one have ``_`` in place of ``-``."""

NAMES = tuple(_GENERATORS)
"""Names of the kinds of this tool, as given to ``--project``."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def names() -> tuple[str, ...]:
    """Return the names of all kinds, those of packages behind those of this tool."""
    return (*NAMES, *sorted(_of_packages()))


def get(name: str) -> ProjectGenerator:
    """Return the generator of the kind of that name.

    Raises:
        AscError: there is none, or the package that brings it is broken.
    """
    if name in _GENERATORS:
        module = importlib.import_module(f"asc_tiny.projects.{name.replace('-', '_')}")
        generator: ProjectGenerator = getattr(module, _GENERATORS[name])()
        return generator
    found = _of_packages().get(name)
    if not found:
        raise AscError(f"unknown kind of project {shown(name)}, allowed: {', '.join(names())}")
    if len(found) > 1:
        packages = ", ".join(map(_package, found))
        raise AscError(f"kind of project {name}: several packages bring it: {packages}")
    return _loaded(found[0])


def load() -> tuple[tuple[ProjectGenerator, ...], tuple[str, ...]]:
    """Return all kinds that can be used, and for each that cannot a line that says why."""
    generators, faults = [], []
    for name in names():
        try:
            generators.append(get(name))
        except AscError as error:
            faults.append(str(error))
    return tuple(generators), tuple(faults)


def serving(board: Board, generators: Iterable[ProjectGenerator]) -> list[ProjectGenerator]:
    """Return the kinds that serve a board.

    Raises:
        AscError: a table of the board's file is wrong.
    """
    generators = tuple(generators)
    check_tables(board, generators)

    def serves(generator: ProjectGenerator) -> bool:
        try:
            generator.check(board, "aot")
        except AscError:
            return False
        return True

    return [generator for generator in generators if serves(generator)]


def check_tables(board: Board, generators: Iterable[ProjectGenerator]) -> None:
    """Check the tables for kinds of project in a board's file.

    Args:
        board: the board that the file describes.
        generators: the kinds that can be used; a table that is named like another kind is left
            to its package.

    Raises:
        AscError: no kind reads a table of that name, or a value in a table is not allowed.
    """
    from asc_tiny.boards.catalog import TABLES

    tables = {table.name: table for generator in generators for table in generator.tables}
    others = set(_of_packages())
    for name in board.own_tables:
        if name in tables:
            tables[name].read(board)
        elif name not in others:
            allowed = ", ".join(sorted([*TABLES, *tables]))
            raise AscError(f"{board.origin}: unknown table {shown(name)[1:-1]}, allowed: {allowed}")


def _of_packages() -> dict[str, list[EntryPoint]]:
    """Return the entry points by name; a kind of this tool is never replaced."""
    try:
        entries = metadata.entry_points(group=GROUP)
    except Exception:
        # A package whose metadata cannot be read takes no kind of this tool away.
        return {}
    found: dict[str, list[EntryPoint]] = {}
    for entry in entries:
        if _NAME.fullmatch(entry.name) and entry.name not in NAMES:
            found.setdefault(entry.name, []).append(entry)
    return found


def _package(entry: EntryPoint) -> str:
    return printable(entry.dist.name) if entry.dist else "?"


def _loaded(entry: EntryPoint) -> ProjectGenerator:
    from asc_tiny.projects.generator import ProjectGenerator

    where = f"kind of project {entry.name} of package {_package(entry)}"
    what = printable(entry.value)
    try:
        found = entry.load()
        generator = found() if isinstance(found, type) else None
    except Exception as error:
        # A package can fail in any way.
        reason = printable(f"{type(error).__name__}: {error}")
        raise AscError(f"{where}: {what} cannot be loaded ({reason})") from error
    if not isinstance(generator, ProjectGenerator):
        raise AscError(f"{where}: {what} is no subclass of ProjectGenerator")
    if getattr(generator, "name", None) != entry.name:
        raise AscError(
            f"{where}: {what} has name = {shown(getattr(generator, 'name', None))}, must be "
            f"{entry.name!r}"
        )
    return generator
