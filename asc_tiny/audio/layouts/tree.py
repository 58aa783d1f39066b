"""Audio files below a folder, and paths in tables that must stay below it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError, reason

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3")
"""Endings of the names of audio files, in lower case."""

MAX_DEPTH = 64
"""Most folders in each other below a source."""


def audio_files(root: Path) -> Iterator[PurePosixPath]:
    """Yield the paths of the audio files below ``root``, in the order of their names.

    Links are followed. What begins with a dot is left out: it is a system's, not a person's.

    Raises:
        AscError: a folder cannot be read or lies too deep, a link leads to a folder that it lies in
            or to nothing, or a name is no text.
    """
    yield from _below(root, PurePosixPath(), ())


def folders(root: Path) -> list[str]:
    """Return the names of the folders in ``root``, in order, without those of a system."""
    return [entry.name for entry in _entries(root) if entry.is_dir()]


def _below(
    root: Path, name: PurePosixPath, above: tuple[tuple[int, int], ...]
) -> Iterator[PurePosixPath]:
    folder = root / name
    if len(above) > MAX_DEPTH:
        raise AscError(f"{root}: folders in folders, more than {MAX_DEPTH} deep")
    status = folder.stat()
    here = status.st_dev, status.st_ino
    if here in above:
        raise AscError(f"{folder}: is a link to a folder that it lies in; remove the link")
    for entry in _entries(folder):
        path = name / entry.name
        if entry.is_dir():
            yield from _below(root, path, (*above, here))
        elif path.suffix.lower() in SUFFIXES:
            # A pipe would be waited for, and a link to nothing be told late.
            if not entry.is_file():
                raise AscError(f"{root / path}: no regular file, nor a link to one")
            yield path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise AscError(f"{folder}: cannot read: {reason(error)}") from error
    for entry in entries:
        if not entry.name.isprintable():
            raise AscError(
                f"{folder}: name {shown(entry.name)} has characters that cannot be printed; "
                "rename it"
            )
    return [entry for entry in entries if not entry.name.startswith(".")]


def below(root: Path, name: str, place: str) -> Path:
    """Return the file that a table names, which must lie below ``root``.

    Args:
        root: folder that the path is relative to.
        name: path in the table, with slashes.
        place: file and line of the table, for messages.

    Raises:
        AscError: the path leaves the folder, or there is no such file.
    """
    path = PurePosixPath(name)
    if not name or not name.isprintable() or path.is_absolute() or ".." in path.parts:
        raise AscError(f"{place}: {shown(name, 200)}: must be a path below {root}")
    try:
        if (root / path).is_file():
            return root / path
    except OSError as error:
        raise AscError(f"{place}: {shown(name, 200)}: {reason(error)}") from error
    raise AscError(f"{place}: {shown(name, 200)}: file is missing below {root}")
