"""A line on a terminal that says what a command is at, and goes away when that is done."""

from __future__ import annotations

import sys
from types import TracebackType

import click

from asc_tiny.util.console_text import printable

_CLEAR = "\r\x1b[K"


class StepLine:
    """The step that a command is at, on standard error if that is a terminal, else nowhere."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()

    def __enter__(self) -> StepLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()

    def show(self, step: str) -> None:
        """Show a step in place of the one before."""
        self._write(f"{_CLEAR}{printable(step)} ...")

    def clear(self) -> None:
        """Give the line to other text."""
        self._write(_CLEAR)

    def _write(self, text: str) -> None:
        if self._on_terminal:
            click.echo(text, nl=False, err=True)
