"""The program's standard streams: results that cannot be written are an error, messages are not."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from asc_tiny.cli import verbosity
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError, reason


class OutputError(AscError):
    """Standard output cannot be written: it is full or closed, or its reader has gone."""


class _Results(io.FileIO):
    """Standard output. Its errors are no OSError, which might be taken for that of a file."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(f"standard output: cannot write: {reason(error)}") from None


class _Messages(io.FileIO):
    """Standard error. What cannot be shown there changes nothing about the command's outcome."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)

    def isatty(self) -> bool:
        # What is drawn on terminals alone is drawn nowhere.
        return super().isatty() and not verbosity.chosen.quiet


def results(path: str | int) -> io.TextIOWrapper:
    """Return a stream for results to a file or a file's number, which stays open."""
    return _text(_Results(path, "w", closefd=isinstance(path, str)), sys.stdout)


def install() -> None:
    """Replace standard output and error, and open what was closed.

    A closed one is opened such that writing fails: the number would else go to the next file that
    is opened, and what a library prints would end up there.
    """
    for number in range(3):
        _fill(number)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (open as long as the process)
    sys.stdout = results(1)
    sys.stderr = _text(_Messages(2, "w", closefd=False), sys.stderr)


def say(line: str, *, err: bool = False) -> None:
    """Print one line, to standard error if ``err``.

    It stays one whatever names of files, boards and devices are in it, and does not control the
    terminal.
    """
    click.echo(printable(line), err=err)


def note(line: str) -> None:
    """Print one line about what was done to standard error, unless the user wants quiet."""
    if not verbosity.chosen.quiet:
        say(line, err=True)


def flush() -> None:
    """Write what is left; what cannot be written is dropped, for Python tries again at its end.

    Raises:
        OutputError: standard output cannot be written.
    """
    try:
        sys.stdout.flush()
    except OutputError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _fill(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # The lowest free number is given out, and those below this one are in use.
        os.open(os.devnull, os.O_RDONLY)


def _text(raw: io.FileIO, before: io.TextIOWrapper | Any) -> io.TextIOWrapper:
    """Return a text stream with the encoding of the one ``before``, None if that was closed."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else "utf-8",
        # Names of files need not be text, and a terminal need not have all letters.
        errors="backslashreplace",
        line_buffering=raw.isatty() or raw.fileno() == 2,
    )
