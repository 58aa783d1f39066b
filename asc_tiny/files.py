"""Reading files of people and tools; writing so that nothing is left half-written."""

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


def read_text(path: Path) -> str:
    """Return a text file as people's editors write them: UTF-8, with or without a byte order mark.

    Returns:
        The text without the mark; lines end with LF, whatever they ended with.

    Raises:
        AscError: it cannot be read, or is not UTF-8.
    """
    return decode_text(read_bytes(path), source=str(path))


def decode_text(data: bytes, *, source: str) -> str:
    """Return the text that bytes hold, as ``read_text``; ``source`` is named in messages.

    Raises:
        AscError: it is not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise AscError(f"{source}:{line}: not UTF-8 text; save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the TOML file ``path`` holds.

    Raises:
        AscError: it cannot be read or is not TOML.
    """
    return parse_toml(read_bytes(path), source=str(path))


def parse_toml(data: bytes, *, source: str) -> dict[str, Any]:
    """Return what the bytes of a TOML file hold; ``source`` is named in messages.

    Raises:
        AscError: it is not UTF-8 or not TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(decode_text(data, source=source))
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits is a plain ValueError.
        raise AscError(f"{source}: not TOML: {error}") from error


def read_json(path: Path) -> Any:
    """Return what the JSON file ``path`` holds.

    Raises:
        AscError: it cannot be read or is not JSON.
    """
    return parse_json(read_bytes(path), source=str(path))


def parse_json(data: bytes, *, source: str) -> Any:
    """Return what JSON text in bytes holds; ``source`` is named in messages.

    Raises:
        AscError: it is not UTF-8 or not JSON: numbers that are not finite and halves of surrogate
            pairs, which Python takes, are not.
    """
    import json

    def refuse(name: str) -> float:
        raise ValueError(f"{name} is not a finite number")

    def finite(text: str) -> float:
        value = float(text)
        return value if abs(value) < float("inf") else refuse(text[:20])

    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text, parse_constant=refuse, parse_float=finite)
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise AscError(f"{source} is not JSON: a text holds half of a surrogate pair") from None
    except (ValueError, RecursionError) as error:
        raise AscError(f"{source} is not JSON: {error}") from error
    return document


def sha256(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in lower-case hexadecimal."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
