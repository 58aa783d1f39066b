"""Which tool flashes a project or an image."""

from __future__ import annotations

from pathlib import Path

from asc_tiny.errors import AscError
from asc_tiny.targets import inspect
from asc_tiny.targets.boards import Board
from asc_tiny.targets.flashing import external, uf2
from asc_tiny.targets.flashing.image import Image, find, load
from asc_tiny.targets.flashing.job import Job
from asc_tiny.targets.project import Project


def of_project(
    project: Project,
    *,
    image: Path | None = None,
    probe: str | None = None,
    port: str | None = None,
) -> Job:
    """Return what flashes a project that its tool has built.

    Raises:
        AscError: there is no image, it does not fit the board or holds another model, or the tool
            or the board is missing.
    """
    if project.kind == "zephyr":
        return external.west(project.folder, probe=probe)
    if project.kind == "platformio":
        return external.platformio(project.folder, port=port)
    if project.kind == "arduino":
        (sketch,) = project.folder.glob("examples/*")
        return external.arduino(project.folder, sketch, project.board, port=port)
    loaded = load(image or find(project.folder), project.board)
    _check_model(loaded, project)
    return of_image(loaded, project.board, probe=probe, port=port)


def of_image(image: Image, board: Board, *, probe: str | None, port: str | None) -> Job:
    """Return what flashes an image onto a board.

    Raises:
        AscError: the board cannot be flashed so, or is missing.
    """
    if board.flash is None:
        raise AscError(f"board {board.name}: nothing to flash; it is emulated or this computer")
    if board.flash.tool == "uf2":
        return uf2.job(image, board, volume=probe)
    if board.flash.tool == "esptool":
        from asc_tiny.targets.flashing import esptool

        return esptool.job(image, board, port=port)
    if board.flash.tool == "pyocd":
        from asc_tiny.targets.flashing import pyocd

        return pyocd.job(image, board, probe=probe)
    raise AscError(f"board {board.name}: flash it from its {board.flash.tool} project")


def _check_model(image: Image, project: Project) -> None:
    _, found = inspect.inspect(image.path)
    hashes = {record.provenance.model_sha256 for record in found}
    if project.artefact.sha256 not in hashes:
        raise AscError(f"{image.path}: was built from another model than {project.folder} holds")
