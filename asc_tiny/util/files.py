"""Reading files of people and tools; writing so that nothing is left half-written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from asc_tiny.util import locks, partial_files
from asc_tiny.util.errors import AscError, reason
from asc_tiny.util.interrupts import held

# Libraries that only some of these need are imported there: reading a model should start at once.


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn an error of the file system in the block, such as a full disk, into one clear line.

    Raises:
        AscError: something could not be written; it names ``path`` if the system names nothing.
    """
    try:
        yield
    except OSError as error:
        raise _refused(path, error) from error


@contextmanager
def replacing(path: Path, *, wait: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    A link is followed: the file that it points to is replaced.

    Args:
        path: path of the file.
        wait: wait while another run writes the file, instead of raising an error.

    Raises:
        AscError: ``path`` is a folder, a device or a link to nothing, cannot be written, or is
            being written by another run.
    """
    target = locks.followed(path)
    if target.exists() and not target.is_file():
        what = "a folder" if target.is_dir() else "no regular file"
        raise AscError(f"{path}: is {what}, a file is needed")
    temporary: Path | None = None
    with _made(target.parent, path):
        try:
            with ExitStack() as stack:
                with nullcontext() if wait else held():
                    temporary = stack.enter_context(partial_files.file(target, wait=wait))
                yield temporary
                temporary.chmod(0o666 & ~_umask())
                temporary.replace(target)
        except OSError as error:
            raise _refused(path, error, temporary) from error


@contextmanager
def replacing_folder(path: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield a temporary folder; its contents become those of ``path`` if the block succeeds.

    It takes the place of ``path``. A folder that has to stay, for it is the current one or another
    file system begins there, must be empty and is filled. A link is followed.

    Args:
        path: path of the folder.
        keep: keep the temporary folder when the block fails or the run is killed, for the next run
            to go on with: it gets what is there.

    Raises:
        AscError: ``path`` is a file, a link to nothing, or a folder that has to stay and is not
            empty, its parent folder cannot be written, or another run writes to it.
    """
    target = locks.followed(path)
    stays = _has_to_stay(path, target)
    parent = target if stays else target.parent
    temporary: Path | None = None
    with _made(parent, path):
        try:
            with ExitStack() as stack:
                with held():
                    stack.enter_context(locks.exclusive(path))
                    temporary = stack.enter_context(partial_files.folder(target, parent, keep=keep))
                yield temporary
                temporary.chmod(0o777 & ~_umask())
                with held():
                    if stays:
                        _move_contents(temporary, target)
                    else:
                        _exchange(temporary, target)
        except OSError as error:
            raise _refused(path, error, temporary) from error


@contextmanager
def _made(folder: Path, path: Path) -> Iterator[None]:
    """Make a folder with those above it for ``path``; what is new goes again if the block fails."""
    above = (folder, *folder.parents)
    new = list(takewhile(lambda each: not each.exists(), above))
    for each in new:
        locks.followed(each)
    if len(new) < len(above) and not above[len(new)].is_dir():
        raise AscError(f"{path}: {above[len(new)]} is a file, a folder is needed")
    try:
        with naming(path):
            folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):
            for each in new:
                each.rmdir()
        raise


def _has_to_stay(path: Path, target: Path) -> bool:
    if not target.exists():
        return False
    if not target.is_dir():
        raise AscError(f"{path}: is a file, a folder is needed")
    if not os.access(target, os.W_OK):
        raise AscError(f"{path}: cannot write here: the folder is read-only")
    current = target.samefile(".")
    if not current and not os.path.ismount(target):
        return False
    left = partial_files.folder_name(target)
    if any(entry.name != left for entry in target.iterdir()):
        why = "is the current folder" if current else "is where another file system begins"
        raise AscError(f"{path}: {why} and cannot be replaced; empty it, or give a folder in it")
    return True


def _move_contents(source: Path, target: Path) -> None:
    for path in source.iterdir():
        path.replace(target / path.name)


def _exchange(new: Path, target: Path) -> None:
    """Put a folder in the place of ``target``; one that cannot be replaced is left as it was."""
    import shutil

    if not any(target.iterdir()):
        if sys.platform == "win32":
            # No folder takes the place of another there.
            target.rmdir()
        new.replace(target)
        return
    if partial_files.exchange(new, target):
        shutil.rmtree(new)
        return
    old = new.with_name(f"{new.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    target.replace(old)
    try:
        new.replace(target)
    except OSError:
        old.replace(target)
        raise
    shutil.rmtree(old)


def _refused(path: Path, error: OSError, temporary: Path | None = None) -> AscError:
    """Return what to raise for a file that is not written; names of temporary files say nothing."""
    name = None if error.filename is None else str(error.filename)
    if name is None or (temporary is not None and name.startswith(str(temporary))):
        name = str(path)
    where = "" if name == str(path) else f" {name}:"
    return AscError(f"{path}: cannot write here:{where} {reason(error)}")


def write_bytes(path: Path, data: bytes, *, wait: bool = False) -> None:
    """Write ``data`` to ``path`` in one step, ``wait`` as ``replacing`` takes it."""
    with replacing(path, wait=wait) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    r"""Write ``text`` as UTF-8 with LF line ends to ``path`` in one step.

    Bytes of a file's name that are not UTF-8 appear as ``\udcXX``.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def append_text(path: Path, text: str) -> None:
    """Add ``text`` as UTF-8 with LF line ends to the end of ``path``.

    Raises:
        AscError: the file cannot be written.
    """
    with naming(path), path.open("ab") as file:
        file.write(text.encode("utf-8"))


# Bytes that are read at most: of a file, more than which no flatbuffer has; of a pipe or a device,
# which may never end; of text that is parsed, of which tables of clips have 30 MB; of TOML.
_FILE, _STREAM, _TEXT, _TOML = 1 << 31, 1 << 26, 1 << 26, 1 << 20


def read_bytes(path: Path, *, at_most: int = _FILE) -> bytes:
    """Return the contents of ``path``, a file, a pipe or a device.

    Args:
        path: path of the file.
        at_most: bytes that a file may have; of a pipe or a device 64 MiB at most.

    Raises:
        AscError: there is no such file, it cannot be read, or it has more bytes.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            most = at_most if size else min(at_most, _STREAM)
            # Only of pipes, devices and what the system makes up as it is read the size is 0.
            data = b"" if size > most else file.read() if size else file.read(most + 1)
    except OSError as error:
        raise AscError(f"{path}: cannot read: {reason(error)}") from error
    if max(size, len(data)) > most:
        raise AscError(f"{path}: more than {most} bytes, allowed: up to {most}")
    return data


def read_text(path: Path) -> str:
    """Return a text file as people's editors write them: UTF-8, with or without a byte order mark.

    Returns:
        The text without the mark; lines end with LF, whatever they ended with.

    Raises:
        AscError: it cannot be read, has more than 64 MiB, or is not UTF-8.
    """
    return decode_text(read_bytes(path, at_most=_TEXT), source=str(path))


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
        AscError: it cannot be read, has more than 1 MiB, or is not TOML.
    """
    return parse_toml(read_bytes(path, at_most=_TOML), source=str(path))


def parse_toml(data: bytes, *, source: str) -> dict[str, Any]:
    """Return what the bytes of a TOML file hold; ``source`` is named in messages.

    Raises:
        AscError: it has more than 1 MiB, is not UTF-8 or not TOML.
    """
    if len(data) > _TOML:
        raise AscError(f"{source}: more than {_TOML} bytes, allowed: up to {_TOML}")
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
        AscError: it cannot be read, has more than 64 MiB, or is not JSON.
    """
    return parse_json(read_bytes(path, at_most=_TEXT), source=str(path))


def parse_json(data: bytes, *, source: str, halves: bool = False) -> Any:
    """Return what JSON text in bytes holds.

    Args:
        data: UTF-8, with or without a byte order mark.
        source: what is read, for messages.
        halves: allow halves of surrogate pairs, which Python has in names of files that are not
            UTF-8.

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
        if not halves and "\\u" in text:
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
