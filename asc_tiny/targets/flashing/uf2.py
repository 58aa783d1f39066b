"""Boards that show up as a volume: an image in UF2 format is copied onto it."""

from __future__ import annotations

import os
import re
import string
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.flashing.image import Image
from asc_tiny.targets.flashing.job import Job, Progress
from asc_tiny.util.errors import AscError

INFO = "INFO_UF2.TXT"
_STEP = 1 << 16
_GONE_S = 3.0
"""Seconds in which a board that has restarted takes its volume away."""


def job(image: Image, board: Board, *, volume: str | None, roots: Iterable[Path] = ()) -> Job:
    """Return what copies an image to the board's volume.

    Args:
        image: image in UF2 format.
        board: whose volume or whose own id is named ``board.flash.target``.
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
    """Return the folders in which the system shows volumes."""
    if sys.platform == "win32":
        return [Path(f"{letter}:\\") for letter in string.ascii_uppercase[2:]]
    if sys.platform == "darwin":
        return [Path("/Volumes")]
    # Under sudo the volumes are those of who called it.
    users = filter(None, (os.environ.get("SUDO_USER"), os.environ.get("USER")))
    own = [Path(root) / user for user in users for root in ("/media", "/run/media")]
    return [*own, Path("/media"), Path("/mnt")]


def _chosen(board: Board, volume: str | None, roots: Iterable[Path]) -> Path:
    assert board.flash is not None
    if volume:
        path = Path(volume)
        if not (path / INFO).is_file():
            raise AscError(f"{path}: has no {INFO}, so it is no board that takes UF2 files")
        return path
    named = sorted({path for root in roots for path in _volumes(root) if _is_named(path, board)})
    if not named:
        raise AscError(
            f"board {board.name}: no volume {board.flash.target} is mounted; hold BOOTSEL while "
            "connecting the board, or give the volume by --probe"
        )
    if len(named) > 1:
        names = ", ".join(map(str, named))
        raise AscError(f"board {board.name}: several volumes: {names}; choose one by --probe")
    return named[0]


def _volumes(root: Path) -> Iterator[Path]:
    """Yield the volumes of boards in a folder, or the folder itself if it is one."""
    for pattern in (INFO, f"*/{INFO}"):
        # A volume that has just gone, or that is another user's, is none.
        with suppress(OSError):
            yield from (path.parent.resolve() for path in root.glob(pattern))


def _is_named(volume: Path, board: Board) -> bool:
    """Whether a volume is a board's, by its label or by what the board's loader says there."""
    assert board.flash is not None
    if volume.name.startswith(board.flash.target):
        return True
    try:
        said = (volume / INFO).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    found = re.search(r"^Board-ID:\s*(\S+)", said, re.MULTILINE)
    return found is not None and found[1] == board.flash.target


def _copy(source: Path, volume: Path, progress: Progress) -> None:
    """Copy; the board restarts with the last block and takes its volume away."""
    data = source.read_bytes()
    written = 0
    try:
        with (volume / source.name).open("wb") as stream:
            for start in range(0, len(data), _STEP):
                stream.write(data[start : start + _STEP])
                stream.flush()
                written = start + _STEP
                os.fsync(stream.fileno())
                progress(min(1.0, written / len(data)))
    except OSError as error:
        # A board that has all of it is gone before the system has been told that all is written.
        if written < len(data) or not _disappears(volume):
            raise AscError(f"{volume}: copying stopped: {error.strerror}") from None
        progress(1.0)


def _disappears(volume: Path) -> bool:
    """Whether a volume goes away within some time."""
    deadline = time.monotonic() + _GONE_S
    while time.monotonic() < deadline:
        try:
            if not (volume / INFO).is_file():
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
