"""Signals that end a command, as exceptions: what is open is closed, what is temporary removed.

By default only Ctrl-C is one. SIGTERM (``kill``, ``timeout``, a cancelled job) and SIGHUP (a
closed terminal) would end the process on the spot; its children and temporary files would stay.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_QUIET_S = 2.0
"""What arrives within this time after a signal is the same event: a terminal that closes and a
job that is cancelled send several, and none may disturb the cleaning up. A later one may."""


class Interrupt(KeyboardInterrupt):
    """A signal that ends the command.

    Attributes:
        number: number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class _State:
    raised_s = -_QUIET_S
    held = 0
    waiting: Interrupt | None = None


def install() -> None:
    """Make the signals exceptions of the main thread; those that are ignored (nohup) stay so."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


@contextmanager
def held() -> Iterator[None]:
    """Let signals wait until the end of the block: for starting what must be ended again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
        if _State.waiting is not None and not _State.held:
            waiting, _State.waiting = _State.waiting, None
            raise waiting


@contextmanager
def handed_to(take: Callable[[int], None]) -> Iterator[None]:
    """Hand signals to ``take`` by their numbers until the end of the block, and raise nothing.

    For an event loop, which an exception would leave in the middle of anything. Those that are
    ignored stay so.
    """
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    taken = [number for number in SIGNALS if handlers[number] is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, lambda number, frame: take(number))
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, handlers[number])


def _raise(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if now - _State.raised_s < _QUIET_S:
        return
    _State.raised_s = now
    if _State.held:
        _State.waiting = Interrupt(number)
    else:
        raise Interrupt(number)
