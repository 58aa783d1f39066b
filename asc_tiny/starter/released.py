"""Recipes and int8 models that come with the package."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.util.brought_files import brought_folder
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, read_text, read_toml, replacing

_ENSEMBLE_KEY = "member"
_RECIPE_KEY = "network"
_BESIDE = ("_filters.toml", "_pruning.toml", ".md")


@dataclass(frozen=True)
class Released:
    """A model or a recipe that comes with the package.

    Attributes:
        name: name by which a command line chooses it.
        path: the file.
        summary: what it is, one line.
    """

    name: str
    path: Path
    summary: str


def folder() -> Path:
    """Return the folder of the files."""
    return brought_folder("models")


def models() -> list[Released]:
    """Return the int8 models and the ensembles of them, by name."""
    paths = [*folder().glob("*.tflite"), *_tables(_ENSEMBLE_KEY)]
    return sorted(map(_model, paths), key=lambda model: model.name)


def recipes() -> list[Released]:
    """Return the recipes of the models and of training techniques, by name."""
    paths = [*_tables(_RECIPE_KEY), *_tables(_RECIPE_KEY, folder() / "recipes")]
    return sorted(map(_recipe, paths), key=lambda recipe: recipe.name)


def find(name: str, among: list[Released]) -> Released:
    """Return the one of a name.

    Raises:
        AscError: there is none.
    """
    for each in among:
        if each.name == name:
            return each
    allowed = ", ".join(each.name for each in among)
    raise AscError(f"{shown(name)}: is not among those that come with asc-tiny: {allowed}")


def files(chosen: Released) -> list[Path]:
    """Return the files that one consists of.

    An ensemble has its members, a model its card, a recipe what its network is pruned by.
    """
    found = [chosen.path]
    if chosen.path.suffix == ".toml":
        members = read_toml(chosen.path).get(_ENSEMBLE_KEY, [])
        found += [chosen.path.parent / member["path"] for member in members]
    beside = [chosen.path.with_name(f"{chosen.name}{ending}") for ending in _BESIDE]
    return [*found, *(path for path in beside if path.is_file())]


def copy(chosen: Released, target: Path) -> list[Path]:
    """Copy the files of one into a folder, and return where they are.

    Args:
        chosen: one of ``models`` or ``recipes``.
        target: folder, which may be new.

    Raises:
        AscError: a file of that name with other content is there; nothing is written.
    """
    return write_new(target, {path.name: read_bytes(path) for path in files(chosen)})


def write_new(target: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write files that must not be there yet, or be the same, and return where they are.

    Args:
        target: folder, which may be new.
        contents: bytes of each file by its path relative to the folder.

    Raises:
        AscError: a file with other content is there, or one cannot be written; then none is.
    """
    paths = {target / name: data for name, data in contents.items()}
    for path, data in paths.items():
        if path.is_dir() or (path.is_file() and read_bytes(path) != data):
            raise AscError(f"{path}: is there already, with other content; move it away first")
    with ExitStack() as stack:
        # Each takes its name when all are written.
        for path, data in paths.items():
            stack.enter_context(replacing(path)).write_bytes(data)
    return list(paths)


def _tables(key: str, place: Path | None = None) -> list[Path]:
    return [path for path in (place or folder()).glob("*.toml") if key in read_toml(path)]


def _model(path: Path) -> Released:
    card = read_text(path.with_suffix(".md")).split("\n\n")
    return Released(path.stem, path, _first_sentence(card[1]))


def _recipe(path: Path) -> Released:
    comment = []
    for line in read_text(path).splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# "))
    return Released(path.stem, path, _first_sentence(" ".join(comment)))


def _first_sentence(text: str) -> str:
    """Return it in one line, with the words of links alone."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(text.split()))
    return re.split(r"(?<=\.) (?=[A-Z])", words)[0]
