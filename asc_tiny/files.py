"""Writing outputs so that an interrupted command leaves nothing half-written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asc_tiny.errors import AscError

# Libraries that only some of these need are imported there: reading a model should start at once.


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    Raises:
        AscError: the folder cannot be written.
    """
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise AscError(f"{path}: cannot write here: {error.strerror}") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; it takes the place of ``path`` on success.

    Raises:
        AscError: ``path`` is a file, or its parent folder cannot be written.
    """
    import shutil
    import tempfile

    if path.exists() and not path.is_dir():
        raise AscError(f"{path}: is a file, a folder is needed")
    if path.exists() and not os.access(path, os.W_OK):
        raise AscError(f"{path}: cannot write here: the folder is read-only")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        raise AscError(f"{path}: cannot write here: {error.strerror}") from error
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            # Moved aside first: a folder that cannot be replaced is left as it was.
            old = path.replace(temporary.with_name(temporary.name + "-old"))
            temporary.replace(path)
            shutil.rmtree(old)
        else:
            temporary.replace(path)
    except OSError as error:
        raise AscError(f"{path}: cannot write here: {error.strerror}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with LF line ends to ``path`` in one step."""
    write_bytes(path, text.encode("utf-8"))


def append_text(path: Path, text: str) -> None:
    """Add ``text`` as UTF-8 with LF line ends to the end of ``path``.

    Raises:
        AscError: the file cannot be written.
    """
    try:
        with path.open("ab") as file:
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise AscError(f"{path}: cannot write here: {error.strerror}") from error


def read_bytes(path: Path) -> bytes:
    """Return the contents of ``path``.

    Raises:
        AscError: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise AscError(f"{path}: cannot read: {error.strerror}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the TOML file ``path`` holds.

    Raises:
        AscError: it cannot be read or is not TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(read_bytes(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AscError(f"{path}: not TOML: {error}") from error


def sha256(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in lower-case hexadecimal."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
