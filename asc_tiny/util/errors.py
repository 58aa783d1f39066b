"""Errors that end a command with one clear line and a fixed exit code."""

from __future__ import annotations

from collections.abc import Sequence


class AscError(Exception):
    """Bad input or usage: the message names the file, the value and what is allowed.

    Args:
        message: one line.
        details: lines that are shown before it, such as what a compiler found.
    """

    exit_code = 2

    def __init__(self, message: str = "", *, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class GateFailedError(AscError):
    """A measured figure is over its limit."""

    exit_code = 1


class VerificationError(AscError):
    """Two implementations that must agree gave different results."""

    exit_code = 3


def reason(error: OSError) -> str:
    """Return why the system refused: some libraries give their errors a text alone."""
    return error.strerror or str(error) or type(error).__name__
