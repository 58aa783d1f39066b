"""What is being written, beside the place that it will take.

Its name follows from that place and it is locked while its run lives. So no two runs write to one
place at once, and what a killed run has left is taken over by the next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asc_tiny.util import locks
from asc_tiny.util.interrupts import held

# Libraries that only some of these need are imported there: reading a model should start at once.


@contextmanager
def file(path: Path, *, wait: bool = False) -> Iterator[Path]:
    """Yield the path of an empty file beside ``path``, removed at the end if it still is there.

    Args:
        path: path that the file will take; its folder exists.
        wait: wait while another run writes ``path``, instead of raising an error.

    Raises:
        AscError: another run writes ``path``.
        OSError: no file can be made.
    """
    temporary, handle = _file(path, wait)
    try:
        yield temporary
    finally:
        with held():
            # Another run may have made a file of this name once this one was renamed.
            if handle is None or locks.is_at(temporary, handle):
                temporary.unlink(missing_ok=True)
            if handle is not None:
                os.close(handle)


def _file(path: Path, wait: bool) -> tuple[Path, int | None]:
    """Return an empty file with the handle that locks it, None where there are no locks."""
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        handle = locks.take(temporary, locks.FILE, wait=wait)
    except locks.UnsupportedError:
        import tempfile

        temporary.unlink(missing_ok=True)
        # Nobody's name but this run's. Windows renames no file that is open.
        handle, name = tempfile.mkstemp(
            suffix=path.suffix, prefix=f".{path.stem}-", dir=path.parent
        )
        os.close(handle)
        return Path(name), None
    if handle is None:
        raise locks.busy(path, temporary)
    os.ftruncate(handle, 0)
    return temporary, handle


def folder_name(path: Path) -> str:
    """Return the name of the folder that the contents of ``path`` are written to."""
    return f".{path.name}.partial"


@contextmanager
def folder(path: Path, parent: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield an empty folder, removed at the end if it still is there.

    Args:
        path: path that the folder's contents will take.
        parent: folder in which the empty one is made.
        keep: yield what an ended run has left as it is, and leave the folder where it is at the
            end; not where the system has no locks.

    Raises:
        AscError: another run writes ``path``.
        OSError: no folder can be made.
    """
    import shutil
    import tempfile

    temporary = parent / folder_name(path)
    handle = _taken(temporary, keep)
    if handle is None:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=parent))
    try:
        yield temporary
    finally:
        with held():
            if handle is None or (locks.is_at(temporary, handle) and not keep):
                shutil.rmtree(temporary, ignore_errors=True)
            if handle is not None:
                os.close(handle)


def _taken(temporary: Path, keep: bool) -> int | None:
    """Return the handle of a folder that is locked, None where there are no locks.

    It is empty, or has what an ended run has left if that is to be kept.
    """
    import shutil

    while True:
        temporary.mkdir(exist_ok=True)
        try:
            handle = locks.take(temporary, locks.FOLDER)
        except FileNotFoundError:
            continue
        except locks.UnsupportedError:
            temporary.rmdir()
            return None
        if handle is None:
            raise locks.busy(temporary, temporary)
        for left in () if keep else temporary.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        return handle


def exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step; return False where the system cannot."""
    import ctypes

    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    at_working_folder, swap = -100, 2
    paths = os.fsencode(first), os.fsencode(second)
    return bool(renameat2(at_working_folder, paths[0], at_working_folder, paths[1], swap) == 0)
