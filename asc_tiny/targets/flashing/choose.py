"""Which tool flashes a project or an image."""

from __future__ import annotations

from pathlib import Path

from asc_tiny.boards.catalog import Board
from asc_tiny.projects import registry
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.targets.flashing import external, layout, uf2, wlink
from asc_tiny.targets.flashing.image import Image, load
from asc_tiny.targets.flashing.job import Job
from asc_tiny.targets.image import inspect
from asc_tiny.util.errors import AscError


def of_project(
    project: Manifest,
    *,
    image: Path | None = None,
    probe: str | None = None,
    port: str | None = None,
) -> Job:
    """Return what flashes a project that its tool has built.

    Args:
        project: project of any kind.
        image: image that takes the place of the one that the project's tool has built.
        probe: id of the debug probe, or path of the volume, where there are several.
        port: serial port, for the tools that flash through one.

    Raises:
        AscError: there is no image, it does not fit the board or holds another model, or the tool
            or the board is missing.
    """
    board = project.board
    if board.flash is None:
        raise _nothing_to_flash(board)
    generator = registry.get(project.kind)
    command = None if image else generator.flash(project, probe=probe, port=port)
    if command and not generator.image_patterns:
        # The tool compiles what it uploads.
        return external.job(command, project.folder)
    loaded = load(image or layout.find(project, generator.image_patterns), board)
    _check_model(loaded, project)
    if command:
        return external.job(command, project.folder)
    return of_image(loaded, board, probe=probe, port=port)


def of_file(path: Path, board: Board, *, probe: str | None, port: str | None) -> Job:
    """Return what flashes an image of any program onto a board.

    Raises:
        AscError: it does not fit the board, or as ``of_image``.
    """
    if board.flash is None:
        raise _nothing_to_flash(board)
    return of_image(load(path, board), board, probe=probe, port=port)


def of_image(image: Image, board: Board, *, probe: str | None, port: str | None) -> Job:
    """Return what flashes an image onto a board.

    Raises:
        AscError: the board cannot be flashed so, or is missing.
    """
    if board.flash is None:
        raise _nothing_to_flash(board)
    if board.flash.tool == "uf2":
        return uf2.job(image, board, volume=probe)
    if board.flash.tool == "wlink":
        return wlink.job(image, board, probe=probe)
    if board.flash.tool == "esptool":
        from asc_tiny.targets.flashing import esptool

        return esptool.job(image, board, port=port)
    if board.flash.tool == "pyocd":
        from asc_tiny.targets.flashing import pyocd

        return pyocd.job(image, board, probe=probe)
    raise AscError(f"board {board.name}: flash it from its {board.flash.tool} project")


def _nothing_to_flash(board: Board) -> AscError:
    what = "it is emulated" if board.machine else "it is this computer"
    return AscError(f"board {board.name}: nothing to flash, {what}")


def _check_model(image: Image, project: Manifest) -> None:
    _, found = inspect.inspect(image.path)
    if project.model_sha256 not in {record.provenance.model_sha256 for record in found}:
        raise AscError(f"{image.path}: was built from another model than {project.folder} holds")
