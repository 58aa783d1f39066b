"""Errors that end a command with one clear line and a fixed exit code."""

from __future__ import annotations


class AscError(Exception):
    """Bad input or usage: the message names the file, the value and what is allowed."""

    exit_code = 2


class GateFailedError(AscError):
    """A measured figure is over its limit."""

    exit_code = 1


class VerificationError(AscError):
    """Two implementations that must agree gave different results."""

    exit_code = 3
