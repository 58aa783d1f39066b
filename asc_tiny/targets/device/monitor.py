"""Watching a device: its decisions, and what happens to the line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from asc_tiny.firmware.provenance import Provenance
from asc_tiny.targets.device.client import Device
from asc_tiny.targets.device.line import Line
from asc_tiny.targets.device.messages import Column, Info, Result
from asc_tiny.util.errors import AscError

_RETRY_S = 0.5
_PATIENCE_S = 0.5
_SILENCE_S = 5.0


@dataclass(frozen=True)
class Connected:
    """The device answers, for the first time or again."""

    info: Info
    provenance: Provenance


@dataclass(frozen=True)
class Lost:
    """The line is gone; it is tried again until it is back."""

    reason: str


@dataclass(frozen=True)
class Decided:
    """A decision.

    Attributes:
        result: as the device sent it.
        label: its name.
        missed: decisions that got lost on the line before it.
    """

    result: Result
    label: str
    missed: int


@dataclass(frozen=True)
class Heard:
    """A column of features."""

    column: Column


Shown = Connected | Lost | Decided
Event = Shown | Heard


def watch(connect: Callable[[], Line], *, unknown: str, columns: bool = False) -> Iterator[Event]:
    """Yield what a device does, without end.

    Args:
        connect: opens the line.
        unknown: name of the label after the last one.
        columns: ask for columns of features all the time, too.

    Raises:
        AscError: the line cannot be opened at the first attempt, or what answers does not speak
            the protocol.
    """
    device = Device(connect())
    connected = False
    while True:
        try:
            for event in _watch(device, unknown, columns):
                connected = True
                yield event
        except AscError as error:
            device.close()
            if not connected:
                raise
            yield Lost(str(error))
            device = _reopened(connect)


def _reopened(connect: Callable[[], Line]) -> Device:
    while True:
        time.sleep(_RETRY_S)
        try:
            return Device(connect())
        except AscError:
            continue


def _watch(device: Device, unknown: str, columns: bool) -> Iterator[Event]:
    connected = Connected(device.info(), device.provenance())
    yield connected
    expected: int | None = None
    heard = time.monotonic()
    while True:
        if columns:
            column = device.column()
            if column is not None:
                yield Heard(column)
        else:
            device.wait(_PATIENCE_S)
        if device.results:
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE_S:
            # A board that has started anew tells its decisions only once it is asked something.
            device.status()
            heard = time.monotonic()
        while device.results:
            result = device.results.popleft()
            if expected is not None and result.window < expected:
                # The board has started anew, perhaps with other firmware.
                device.forget()
                connected = Connected(device.info(), device.provenance())
                yield connected
                expected = None
            missed = 0 if expected is None else result.window - expected
            yield Decided(result, _name(connected.provenance, result.label, unknown), missed)
            expected = result.window + 1


def _name(provenance: Provenance, label: int, unknown: str) -> str:
    return provenance.labels[label] if label < len(provenance.labels) else unknown
