"""Folders that a file claims for one purpose; a start that fails gives them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from asc_tiny.util import locks
from asc_tiny.util.files import write_text
from asc_tiny.util.interrupts import held


@contextmanager
def claimed(path: Path, text: str, *, also: Sequence[str] = ()) -> Iterator[None]:
    """Write a file that says what its folder is for, unless it is there already.

    If the block fails before anything else is in the folder, the file goes again, and so do
    folders that are new and empty: what is corrected can be started in the same place.

    Args:
        path: the file, of any name that only such folders have.
        text: what it says.
        also: names of files beside it that are worth nothing alone.

    Raises:
        AscError: it cannot be written.
    """
    if path.exists():
        yield
        return
    root = path.parent
    missing = locks.missing_folders(root)
    there = [] if missing else [each.name for each in root.iterdir()]
    before = {path.name, *also, *there}
    write_text(path, text)
    try:
        yield
    except BaseException:
        with held(), suppress(OSError):
            new = [each for each in root.iterdir() if each.name not in before]
            if not any(_has_files(each) for each in new):
                for each in new:
                    _remove(each)
                for name in (path.name, *also):
                    (root / name).unlink(missing_ok=True)
                locks.remove_empty(missing)
        raise


def _has_files(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return True
    return any(_has_files(each) for each in path.iterdir())


def _remove(folder: Path) -> None:
    for each in folder.iterdir():
        _remove(each)
    folder.rmdir()
