"""What a generated project of any kind says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.c.prefix import check_prefix
from asc_tiny.projects.manifest_writer import BOARD_FILE, MANIFEST, NETWORK
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_json, read_bytes


@dataclass(frozen=True)
class Manifest:
    """A folder that ``asc-tiny generate`` wrote.

    Attributes:
        folder: the project.
        kind: name of the kind of project, as given to ``--project``.
        board: what it is for.
        prefix: prefix of its C names.
        model_sha256: hash of the model or the ensemble that it was generated from.
        content: the whole manifest.
    """

    folder: Path
    kind: str
    board: Board
    prefix: str
    model_sha256: str
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the project's tool calls its program."""
        is_network = self.content.get("content") == NETWORK
        return f"{self.prefix}_{'network' if is_network else 'scenes'}"


def read(folder: Path) -> Manifest:
    """Read a project's manifest.

    Raises:
        AscError: the folder holds no generated project, or one of an unknown format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise _no_project(folder)
    content = parse_json(read_bytes(path), source=str(path))
    try:
        if content["schema"] != 1:
            raise AscError(
                f"{path}: schema {shown(content['schema'])}, this version reads schema 1"
            )
        return Manifest(
            folder=folder.resolve(),
            kind=_text(content["project"], "project"),
            board=_board(folder, _text(content["board"], "board")),
            prefix=_prefix(_text(content["prefix"], "prefix"), path),
            model_sha256=_text(content["model"]["sha256"], "model.sha256"),
            content=content,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error


def _no_project(folder: Path) -> AscError:
    """Return the error that says what is where a project should be."""
    if not folder.exists():
        return AscError(
            f"{folder}: no such folder; asc-tiny generate MODEL --out {folder} makes it"
        )
    if not folder.is_dir():
        return AscError(
            f"{folder}: is a file, a project is a folder; asc-tiny generate {folder} --out DIR "
            "makes one of a model"
        )
    return AscError(f"{folder}: no {MANIFEST} here; asc-tiny generate --project cmake makes one")


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{name} = {shown(value)}")
    return value


def _prefix(prefix: str, path: Path) -> str:
    try:
        return check_prefix(prefix)
    except AscError as error:
        raise AscError(f"{path}: {error}") from error


def damaged(path: Path, error: Exception) -> AscError:
    """Return what to raise for a manifest without something that is in every one."""
    return AscError(f"{path}: not a manifest of asc-tiny ({error!r})")


def _board(folder: Path, name: str) -> Board:
    path = folder / BOARD_FILE
    return replace(catalog.load(path), name=name) if path.is_file() else catalog.get(name)
