"""A thread that reads a line: it ends when nobody looks any more, wherever it waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asc_tiny.monitor.reader import Reader, Stop
from asc_tiny.targets.device.line import Line
from asc_tiny.targets.device.monitor import Event
from support.patience import PATIENCE_S
from support.watched import connected, state


class Silent:
    """A line on which nothing comes."""

    name = "the line"

    def __init__(self) -> None:
        self.closed = False

    def read(self, timeout_s: float) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def waiting(line: Line) -> Iterator[Event]:
    yield connected()
    while True:
        line.read(1000.0)


def test_it_ends_and_gives_the_line_back() -> None:
    stop, silent = Stop(), Silent()
    line = stop.lines(lambda: silent)()
    assert line.name == "the line"
    watched = state([])
    reader = Reader(waiting(line), watched, stop)
    reader.start()
    reader.end()
    reader.join(PATIENCE_S)
    assert not reader.is_alive() and silent.closed and reader.fault is None
    assert watched.snapshot().connected is not None
    with pytest.raises(Exception, match=r"^$"):
        stop.lines(lambda: silent)()


def test_a_fault_is_kept() -> None:
    def failing() -> Iterator[Event]:
        yield connected()
        raise ValueError("broken")

    reader = Reader(failing(), state([]), Stop())
    reader.start()
    reader.join(PATIENCE_S)
    assert str(reader.fault) == "broken"
