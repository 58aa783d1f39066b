"""Reads a board's line in a thread of its own, so that no view can keep it from being read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from asc_tiny.monitor.state import State
from asc_tiny.targets.device.line import Line
from asc_tiny.targets.device.monitor import Event

_PATIENCE_S = 3.0
_STEP_S = 0.25


class _StoppedError(Exception):
    """Nobody wants the line any more."""


class Stop:
    """Ends what reads from lines, wherever it waits."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Let the next use of a line be the last."""
        self._asked.set()

    def lines(self, connect: Callable[[], Line]) -> Callable[[], Line]:
        """Return what opens lines that can be stopped.

        Args:
            connect: opens a line.
        """

        def opened() -> Line:
            self.check()
            return _StoppableLine(connect(), self)

        return opened

    def check(self) -> None:
        """Raise if the end is asked for."""
        if self._asked.is_set():
            raise _StoppedError


class _StoppableLine:
    """A line that ends with ``_StoppedError``."""

    def __init__(self, line: Line, stop: Stop) -> None:
        self._line, self._stop = line, stop

    @property
    def name(self) -> str:
        """See ``Line``."""
        return self._line.name

    def read(self, timeout_s: float) -> bytes:
        """See ``Line``."""
        self._check()
        return self._line.read(min(timeout_s, _STEP_S))

    def write(self, data: bytes) -> None:
        """See ``Line``."""
        self._check()
        self._line.write(data)

    def close(self) -> None:
        """See ``Line``."""
        self._line.close()

    def _check(self) -> None:
        try:
            self._stop.check()
        except _StoppedError:
            self._line.close()
            raise


class Reader(threading.Thread):
    """Changes a state by events until it is stopped.

    Args:
        events: events of a watched board, whose lines ``stop`` can end.
        state: what they change.
        stop: ends them.

    Attributes:
        fault: what went wrong, None if nothing did.
    """

    def __init__(self, events: Iterator[Event], state: State, stop: Stop) -> None:
        # A program that ends does not wait for a port that hangs.
        super().__init__(name="reader", daemon=True)
        self.fault: BaseException | None = None
        self._events, self._state, self._stop_reading = events, state, stop

    def run(self) -> None:
        """Take events in."""
        try:
            for event in self._events:
                self._state.take(event)
        except _StoppedError:
            pass
        except BaseException as error:
            self.fault = error

    def end(self) -> None:
        """Stop, and wait until the line is given back."""
        self._stop_reading.ask()
        self.join(_PATIENCE_S)
