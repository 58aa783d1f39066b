"""How a command ends: what went wrong as one line, with its exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise

import click

from asc_tiny.cli import streams
from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError, reason
from asc_tiny.util.interrupts import Interrupt

SCHEMA = 1
BAD_INPUT = 2
_EVENT_COMMANDS = ("monitor",)
"""Commands whose ``--json`` is a line per event."""


@dataclass(frozen=True)
class Ending:
    """How a command failed: its exit code, a line, and lines that are shown before it."""

    code: int
    message: str
    details: tuple[str, ...] = ()


class Stopped(BaseException):
    """An interrupt on its way out: click would make something else of ``KeyboardInterrupt``."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def named() -> Iterator[None]:
    """Give errors that click has another meaning for their own: EOFError, EPIPE, interrupts.

    Raises:
        AscError, Stopped: instead of them.
    """
    try:
        yield
    except (OSError, EOFError) as error:
        found = of(error)
        assert found is not None
        raise AscError(found.message) from error
    except KeyboardInterrupt as error:
        raise _stopped(error) from error


def of(error: BaseException) -> Ending | None:
    """Return how a command ends with an error, None if that is a fault of this program."""
    interrupt = _cause(error)
    if interrupt is not None:
        stopped = _stopped(interrupt)
        return Ending(stopped.code, str(stopped))
    if isinstance(error, click.ClickException):
        return Ending(BAD_INPUT, " ".join(error.format_message().split()))
    if isinstance(error, AscError):
        return Ending(error.exit_code, str(error), error.details)
    message = _environment(error)
    return None if message is None else Ending(BAD_INPUT, message)


def of_fault(error: BaseException) -> Ending:
    """Return how the program ends with a fault of its own."""
    what = f"internal error: {type(error).__name__}: {error}"
    return Ending(BAD_INPUT, f"{what}; --debug prints where, for a report to the authors")


def print_place(error: BaseException) -> None:
    """Print where an error came up."""
    with suppress(OSError):
        traceback.print_exception(error)


def report(ending: Ending, argv: Sequence[str]) -> None:
    """Print an ending: a line on standard error, with ``--json`` a document on standard output."""
    with suppress(AscError, OSError):
        if _wants_json(argv):
            click.echo(_document(ending, argv))
    with suppress(AscError, OSError):
        streams.flush()
    with suppress(OSError):
        for line in ending.details:
            say(line.expandtabs(), err=True)
        say(f"asc-tiny: {ending.message}", err=True)


def _document(ending: Ending, argv: Sequence[str]) -> str:
    found: dict[str, object] = {"schema": SCHEMA, "error": ending.message}
    if ending.details:
        found["details"] = ending.details
    if argv[0] in _EVENT_COMMANDS:
        return json.dumps({"schema": SCHEMA, "event": "error", **found})
    return json.dumps(found, indent=2)


def _wants_json(argv: Sequence[str]) -> bool:
    pairs = pairwise(argv)
    return "--json" in argv or "--format=json" in argv or ("--format", "json") in pairs


def _cause(error: BaseException | None) -> KeyboardInterrupt | Stopped | None:
    """Return the interrupt that an error comes from: cleaning up after one may fail, too."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt | Stopped):
            return error
        error = error.__context__
    return None


def _stopped(error: KeyboardInterrupt | Stopped) -> Stopped:
    if isinstance(error, Stopped):
        return error
    number = error.number if isinstance(error, Interrupt) else signal.SIGINT
    return Stopped(128 + number, "interrupted" if number == signal.SIGINT else f"ended by {error}")


def _environment(error: BaseException) -> str | None:
    if isinstance(error, OSError):
        return reason(error) if error.filename is None else f"{error.filename}: {reason(error)}"
    if isinstance(error, EOFError):
        return f"a file or the input ends early {error}".rstrip()
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}".removesuffix(": ")
    if isinstance(error, RecursionError):
        return "the input is nested too deeply"
    if isinstance(error, subprocess.SubprocessError):
        return str(error)
    return None
