"""WCH's RISC-V chips, by the program wlink and a WCH-Link probe."""

from __future__ import annotations

from pathlib import Path

from asc_tiny.boards.catalog import Board
from asc_tiny.projects.generator import ToolCommand
from asc_tiny.targets.flashing import external
from asc_tiny.targets.flashing.image import Image
from asc_tiny.targets.flashing.job import Job
from asc_tiny.util.errors import AscError

_HINT = "get it from https://github.com/ch32-rs/wlink"


def job(image: Image, board: Board, *, probe: str | None) -> Job:
    """Return what writes an image and resets the board.

    Args:
        image: the image as an ELF, HEX or raw file; wlink moves what is linked for address 0, where
            the chip shows its flash when it starts, to where the flash is written.
        board: wlink knows its chips' series as ``board.flash.target``.
        probe: number of the probe by ``wlink list``, where there are several.

    Raises:
        AscError: the image is of a format that wlink does not read.
    """
    assert board.flash is not None
    if image.file_format == "uf2":
        raise AscError(f"{image.path}: wlink takes ELF, HEX and raw files")
    chosen = ("--device", probe) if probe else ()
    arguments = ("wlink", *chosen, "--chip", board.flash.target, "flash", str(image.path.resolve()))
    return external.job(ToolCommand(arguments, _HINT), Path.cwd())
