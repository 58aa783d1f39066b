"""The gate's settings in a file: asc-budget.toml, or [tool.asc-tiny.budget] of a pyproject.toml.

docs/how_to/gate.md describes the keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asc_tiny.complexity.gate.baseline import absolute
from asc_tiny.complexity.gate.limits import FIGURES, NO_LIMITS, Limits, parse_growth
from asc_tiny.complexity.report import CONVENTIONS
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_toml

if TYPE_CHECKING:
    from fractions import Fraction

FILE_NAME = "asc-budget.toml"
PYPROJECT = "pyproject.toml"
_TABLE = ("tool", "asc-tiny", "budget")

_LIMIT_KEYS = tuple(figure.setting for figure in FIGURES)


@dataclass(frozen=True)
class ModelLimits:
    """Limits of the model files that a pattern names.

    Attributes:
        pattern: a path or glob, relative to the settings.
        files: absolute paths of the files that it names.
        limits: limits for each of these files; for an ensemble's file, the sum of its members.
    """

    pattern: str
    files: frozenset[Path]
    limits: Limits


@dataclass(frozen=True)
class Settings:
    """What a file sets; everything may be absent.

    Attributes:
        source: the file, None if there is none.
        models: the models to measure.
        limits: fields of ``Limits`` for the total; None lifts a limit.
        model_limits: limits of single models.
        convention: how parameters and MACs are counted.
        baseline: the file to compare with.
        max_growth: the share by which figures may grow beyond the baseline's.
    """

    source: Path | None = None
    models: tuple[Path, ...] = ()
    limits: Mapping[str, int | None] = field(default_factory=dict)
    model_limits: tuple[ModelLimits, ...] = ()
    convention: str | None = None
    baseline: Path | None = None
    max_growth: Fraction | None = None


def find(folder: Path) -> Path | None:
    """Return the settings that hold in a folder: its own, or those of the nearest folder above.

    In a folder asc-budget.toml goes before pyproject.toml, which counts only if it has the table.
    The search ends at the root of a Git repository.

    Raises:
        AscError: a pyproject.toml on the way is not TOML.
    """
    for place in (folder, *folder.parents):
        if (place / FILE_NAME).is_file():
            return place / FILE_NAME
        pyproject = place / PYPROJECT
        if pyproject.is_file() and _table(read_toml(pyproject)) is not None:
            return pyproject
        if (place / ".git").exists():
            return None
    return None


def read(path: Path) -> Settings:
    """Read settings.

    Raises:
        AscError: the file cannot be read or lacks the table, an unknown key, a value that is not
            allowed, or a pattern that names no file.
    """
    document: Mapping[str, Any] = read_toml(path)
    where = str(path)
    if path.name == PYPROJECT:
        table = _table(document)
        if table is None:
            raise AscError(f"{path}: has no table [{'.'.join(_TABLE)}]")
        document, where = table, f"{path}: [{'.'.join(_TABLE)}]"
    reader = _Reader(path, document, where)
    reader.check_keys(
        (*_LIMIT_KEYS, "models", "model", "convention", "baseline", "max-growth", "schema")
    )
    schema = document.get("schema", 1)
    if type(schema) is not int or schema != 1:
        raise AscError(f"{where} schema = {shown(schema)}, this version reads 1")
    baseline = reader.text("baseline")
    growth = reader.text("max-growth")
    return Settings(
        source=path,
        models=tuple(reader.models()),
        limits=reader.limits(),
        model_limits=tuple(reader.model_limits()),
        convention=reader.choice("convention", CONVENTIONS),
        baseline=None if baseline is None else path.parent / baseline,
        max_growth=None if growth is None else parse_growth(growth, option=f"{where} max-growth"),
    )


def _table(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    table: Any = document
    for key in _TABLE:
        table = table.get(key) if isinstance(table, dict) else None
    if table is not None and not isinstance(table, dict):
        raise AscError(f"{PYPROJECT}: {'.'.join(_TABLE)} must be a table")
    return table


class _Reader:
    """Checked access to a table of the file."""

    def __init__(self, path: Path, table: Mapping[str, Any], where: str) -> None:
        self.path = path
        self.table = table
        self.where = where

    def check_keys(self, allowed: Sequence[str]) -> None:
        for key in self.table:
            if key not in allowed:
                raise AscError(
                    f"{self.where} has an unknown key {key!r}, allowed: {', '.join(allowed)}"
                )

    def text(self, key: str) -> str | None:
        value = self.table.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise AscError(f"{self.where} {key} = {shown(value)}, allowed: a text")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str | None:
        value = self.text(key)
        if value is not None and value not in allowed:
            raise AscError(f"{self.where} {key} = {shown(value)}, allowed: {', '.join(allowed)}")
        return value

    def limits(self) -> dict[str, int | None]:
        limits = {}
        for figure in FIGURES:
            if figure.setting not in self.table:
                continue
            value = self.table[figure.setting]
            # A bool is an int to isinstance.
            if type(value) not in (int, str):
                raise AscError(
                    f"{self.where} {figure.setting} = {shown(value)}, allowed: a number such as "
                    f"1000, a text such as '64K', 'none'"
                )
            option = f"{self.where} {figure.setting} ="
            limits[figure.limit] = figure.parse_limit(str(value), option=option)
        return limits

    def models(self) -> Iterator[Path]:
        patterns = self.table.get("models", [])
        if not isinstance(patterns, list) or not all(isinstance(p, str) for p in patterns):
            raise AscError(
                f"{self.where} models = {shown(patterns)}, allowed: a list of paths or globs"
            )
        seen = set()
        for pattern in patterns:
            for path in self.expand("models", pattern):
                if path not in seen:
                    seen.add(path)
                    yield path

    def model_limits(self) -> Iterator[ModelLimits]:
        tables = self.table.get("model", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise AscError(f"{self.where} model must be tables [[model]]")
        for number, table in enumerate(tables):
            reader = _Reader(self.path, table, f"{self.where} [[model]] {number}:")
            reader.check_keys(("path", *_LIMIT_KEYS))
            pattern = reader.text("path")
            limits = reader.limits()
            if pattern is None or not limits:
                missing = "path" if pattern is None else "limit"
                raise AscError(f"{reader.where} has no {missing}")
            files = frozenset(absolute(path) for path in reader.expand("path", pattern))
            yield ModelLimits(pattern, files, Limits(**{**NO_LIMITS, **limits}))

    def expand(self, key: str, pattern: str) -> list[Path]:
        """Return the files that a path or glob names, in alphabetic order; at least one."""
        folder = self.path.parent
        try:
            literal = folder / pattern
            found = [literal] if literal.is_file() else sorted(folder.glob(pattern))
        except (ValueError, NotImplementedError, OSError) as error:
            raise AscError(
                f"{self.where} {key} = {shown(pattern)}, allowed: a path or glob relative to the "
                f"file ({error})"
            ) from error
        files = [path for path in found if path.is_file()]
        if not files:
            # A limit that holds for nothing would pass whatever a model costs.
            raise AscError(f"{self.where} {key} = {pattern!r} names no file")
        return files
