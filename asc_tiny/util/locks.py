"""Locks that keep two runs from writing to the same place at once.

The kernel takes a lock back when its holder ends, however it ends. None is ever stale, and what a
dead run has left can be told from what a living one still needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asc_tiny.util.errors import AscError, reason

try:
    import fcntl
except ImportError:  # as on Windows
    fcntl = None  # type: ignore[assignment]

FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
FILE = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
"""How what is locked is opened; a file is made if there is none."""

_TABLE = Path("/proc/locks")

_ATTEMPTS = 100
"""How often a folder is made again that another run removes. Some file systems, as ``/proc``, say
of each new folder that it does not exist."""


class UnsupportedError(OSError):
    """The system or the file system has no locks."""


def take(path: Path, flags: int, *, wait: bool = False) -> int | None:
    """Open a file or folder, lock it, and return its handle; closing that gives the lock back.

    Args:
        path: what to lock; it may be replaced meanwhile, the one that is there then is locked.
        flags: ``FOLDER`` or ``FILE``.
        wait: until another run gives it back; otherwise the result is None if one has it.

    Raises:
        UnsupportedError: there are no locks here.
        OSError: it cannot be opened.
    """
    if fcntl is None:
        # Windows, which opens no folders.
        raise UnsupportedError
    while True:
        handle = os.open(path, flags, 0o600)
        try:
            if not _lock(handle, wait):
                os.close(handle)
                return None
            if is_at(path, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, wait: bool) -> bool:
    if sys.platform == "win32":
        raise UnsupportedError
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        raise UnsupportedError(*error.args) from error
    return True


def is_at(path: Path, handle: int) -> bool:
    """Return whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other runs from writing into a folder during the block.

    A folder that is missing is made, with those above it; what is empty at the end goes again.

    Raises:
        AscError: another run writes into it, it is a file or a link to nothing, or it cannot be
            made.
    """
    real = followed(folder).resolve()
    missing = missing_folders(real)
    handle = _taken(folder, real)
    try:
        yield
    finally:
        # Removed while locked: whoever opened it before finds that it has gone.
        remove_empty(missing)
        if handle is not None:
            os.close(handle)


def wait_until_free(folder: Path) -> None:
    """Wait until no other run writes into a folder; one that is missing is free.

    What takes the place of a process that was killed may come before that one has ended.
    """
    with suppress(FileNotFoundError, NotADirectoryError, UnsupportedError):
        handle = take(folder.resolve(), FOLDER, wait=True)
        assert handle is not None
        os.close(handle)


def followed(path: Path) -> Path:
    """Return where ``path`` really is, itself if it is no link.

    Raises:
        AscError: it is a link to nothing: perhaps to a disk that is not mounted.
    """
    if not path.is_symlink():
        return path
    target = Path(os.path.realpath(path))
    if not path.exists():
        raise AscError(f"{path}: is a link to {target}, which does not exist")
    return target


def missing_folders(folder: Path) -> list[Path]:
    """Return what must be made for a folder to exist, itself first, those above it behind."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those folders that are empty, each before the one above it."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _taken(folder: Path, real: Path) -> int | None:
    """Return the handle of a folder that is locked, None where there are no locks."""
    for attempt in range(_ATTEMPTS):
        try:
            real.mkdir(parents=True, exist_ok=True)
            handle = take(real, FOLDER)
        except FileNotFoundError as error:
            if attempt < _ATTEMPTS - 1:
                continue
            raise AscError(f"{folder}: cannot write here: {reason(error)}") from error
        except UnsupportedError:
            return None
        except FileExistsError:
            raise AscError(f"{folder}: is a file, a folder is needed") from None
        except OSError as error:
            raise AscError(f"{folder}: cannot write here: {reason(error)}") from error
        if handle is None:
            raise busy(folder, real)
        return handle
    raise AssertionError("the last attempt ends")


def busy(path: Path, locked: Path) -> AscError:
    """Return what to raise for a path that another run writes, which has locked ``locked``."""
    holder = _holder(locked)
    process = f" (process {holder})" if holder else ""
    return AscError(f"{path}: is being written by another run{process}; wait for it or stop it")


def _holder(path: Path) -> int | None:
    """Return the process that has locked a file or folder, None where the system does not tell."""
    if sys.platform == "win32":
        return None
    try:
        status = path.stat()
        rows = [line.split() for line in _TABLE.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return None
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    # Number, kind, mode, access, process, device and inode; a waiting one has "->" before its kind.
    holders = [row[4] for row in rows if row[1] == "FLOCK" and row[5] == place]
    return int(holders[0]) if holders and holders[0].isdecimal() else None
