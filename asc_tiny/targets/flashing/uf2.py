"""Boards that show up as a volume: an image in UF2 format is copied onto it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.flashing.image import Image
from asc_tiny.targets.flashing.job import Job, Progress
from asc_tiny.util.errors import AscError

INFO = "INFO_UF2.TXT"
_STEP = 1 << 16


def job(image: Image, board: Board, *, volume: str | None, roots: Iterable[Path] = ()) -> Job:
    """Return what copies an image to the board's volume.

    Args:
        image: image in UF2 format.
        board: whose volume is named ``board.flash.target``.
        volume: the volume's path, where several boards are connected.
        roots: folders in which volumes appear, those of the system if none is given.

    Raises:
        AscError: the image is no UF2, or there is not exactly one volume.
    """
    if image.file_format != "uf2":
        raise AscError(f"{image.path}: board {board.name} takes .uf2 files only")
    target = _chosen(board, volume, list(roots) or _roots())
    steps = (f"copy {image.path} ({image.size} bytes of flash) to {target}",)
    return Job(steps, lambda progress: _copy(image.path, target, progress))


def _roots() -> Sequence[Path]:
    if sys.platform == "darwin":
        return [Path("/Volumes")]
    user = os.environ.get("USER", "")
    return [Path("/media") / user, Path("/run/media") / user, Path("/media"), Path("/mnt")]


def _chosen(board: Board, volume: str | None, roots: Iterable[Path]) -> Path:
    assert board.flash is not None
    if volume:
        path = Path(volume)
        if not (path / INFO).is_file():
            raise AscError(f"{path}: has no {INFO}, so it is no board that takes UF2 files")
        return path
    found = sorted({path.parent.resolve() for root in roots for path in root.glob(f"*/{INFO}")})
    named = [path for path in found if path.name.startswith(board.flash.target)]
    if not named:
        raise AscError(
            f"board {board.name}: no volume {board.flash.target} is mounted; hold BOOTSEL while "
            "connecting the board, or give the volume by --probe"
        )
    if len(named) > 1:
        names = ", ".join(map(str, named))
        raise AscError(f"board {board.name}: several volumes: {names}; choose one by --probe")
    return named[0]


def _copy(source: Path, volume: Path, progress: Progress) -> None:
    """Copy; the board restarts with the last block and takes its volume away."""
    data = source.read_bytes()
    try:
        with (volume / source.name).open("wb") as stream:
            for start in range(0, len(data), _STEP):
                stream.write(data[start : start + _STEP])
                stream.flush()
                os.fsync(stream.fileno())
                progress(min(1.0, (start + _STEP) / len(data)))
    except OSError as error:
        raise AscError(f"{volume}: copying stopped: {error.strerror}") from None
