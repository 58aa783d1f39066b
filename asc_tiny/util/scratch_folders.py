"""Temporary folders that do not outlive the run for long, even if it is killed."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asc_tiny.util import locks
from asc_tiny.util.errors import AscError, reason
from asc_tiny.util.interrupts import held

_PREFIX = "asc-tiny-run-"
_NAME = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}")


@contextmanager
def folder() -> Iterator[Path]:
    """Yield an empty folder that is removed at the end, with those that killed runs have left.

    Raises:
        AscError: no temporary folder can be made.
    """
    place = _place()
    sweep(place)
    path, handle = _made(place)
    try:
        yield path
    finally:
        with held():
            shutil.rmtree(path, ignore_errors=True)
            if handle is not None:
                os.close(handle)


@contextmanager
def temporary_files() -> Iterator[None]:
    """Have all temporary files of the block, those of libraries too, in such a folder."""
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    with folder() as path:
        tempfile.tempdir = os.environ["TMPDIR"] = str(path)
        try:
            yield
        finally:
            tempfile.tempdir = before
            if variable is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = variable


def sweep(place: Path) -> None:
    """Remove the folders of this user's dead runs: their locks can be taken."""
    with suppress(OSError):
        for path in place.iterdir():
            if _NAME.fullmatch(path.name):
                _remove_dead(path)


def _remove_dead(path: Path) -> None:
    with suppress(OSError):
        handle = locks.take(path, locks.FOLDER)
        if handle is not None:
            if sys.platform != "win32" and os.fstat(handle).st_uid == os.getuid():
                shutil.rmtree(path, ignore_errors=True)
            os.close(handle)


def _place() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise AscError(f"no folder for temporary files: {reason(error)}; set TMPDIR") from error


def _made(place: Path) -> tuple[Path, int | None]:
    while True:
        try:
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        except OSError as error:
            raise AscError(f"{place}: cannot write here: {reason(error)}") from error
        # Until it is locked another run may take it for a dead one's, and remove it.
        with suppress(FileNotFoundError):
            try:
                handle = locks.take(path, locks.FOLDER)
            except locks.UnsupportedError:
                return path, None
            if handle is not None:
                return path, handle
