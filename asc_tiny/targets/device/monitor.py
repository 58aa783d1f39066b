"""Watching a device: its decisions, its counters, and what happens to the line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from asc_tiny.firmware.provenance import Provenance
from asc_tiny.targets.device.client import Device, RefusedError
from asc_tiny.targets.device.line import Line
from asc_tiny.targets.device.messages import Column, Info, Result, Status
from asc_tiny.util.errors import AscError

_RETRY_S = 0.5
_PATIENCE_S = 0.5
_SILENCE_S = 5.0
_COUNTERS_S = 1.0
_SAME_COLUMN_S = 0.005
"""How long nothing is asked after a column that was there before."""


@dataclass(frozen=True)
class Connected:
    """The device answers, for the first time or again.

    Attributes:
        info: what it says of its firmware.
        provenance: what its firmware was made from.
        is_restart: whether it has started anew since its last decision, or got other firmware.
        time: when, in seconds since 1970 by this computer's clock.
    """

    info: Info
    provenance: Provenance
    is_restart: bool
    time: float


@dataclass(frozen=True)
class Lost:
    """The line is gone; it is tried again until it is back.

    Attributes:
        reason: what the line said.
        time: when, in seconds since 1970 by this computer's clock.
    """

    reason: str
    time: float


@dataclass(frozen=True)
class Decided:
    """A decision.

    Attributes:
        result: as the device sent it.
        label: its name.
        missed: number of decisions before it that did not arrive, while the line was away, too.
        time: when it arrived, in seconds since 1970 by this computer's clock.
    """

    result: Result
    label: str
    missed: int
    time: float


@dataclass(frozen=True)
class Heard:
    """A column of features."""

    column: Column


@dataclass(frozen=True)
class Counted:
    """Counters of the device.

    Attributes:
        status: as the device sent them.
        time: when they arrived, in seconds since 1970 by this computer's clock.
    """

    status: Status
    time: float


Shown = Connected | Lost | Decided
Event = Shown | Heard | Counted


def watch(
    connect: Callable[[], Line], *, unknown: str, columns: bool = False, counters: bool = False
) -> Iterator[Event]:
    """Yield what a device does, without end.

    Args:
        connect: opens the line.
        unknown: name of the label after the last one.
        columns: ask for columns of features all the time, too.
        counters: ask for the device's counters each second, too.

    Raises:
        AscError: the line cannot be opened at the first attempt, or what answers does not speak
            the protocol.
    """
    device = Device(connect())
    watcher = _Watcher(unknown, columns, counters)
    while True:
        try:
            yield from watcher.events(device)
        except AscError as error:
            device.close()
            if not watcher.has_connected:
                raise
            yield Lost(str(error), time.time())
            device = _reopened(connect)


def _reopened(connect: Callable[[], Line]) -> Device:
    while True:
        time.sleep(_RETRY_S)
        try:
            return Device(connect())
        except AscError:
            continue


class _Watcher:
    """What is known of a device for as long as it is watched, however often its line is lost.

    Args:
        unknown: name of the label after the last one.
        columns: ask for columns of features all the time, too.
        counters: ask for the device's counters each second, too.
    """

    def __init__(self, unknown: str, columns: bool, counters: bool) -> None:
        self._unknown, self._columns, self._counters = unknown, columns, counters
        self._latest: tuple[int, int] | None = None
        self._counted_s = -_COUNTERS_S
        self._known: Provenance | None = None
        # Number of the decision that is to come next, None before the first.
        self._expected: int | None = None

    @property
    def has_connected(self) -> bool:
        """Whether a device has answered."""
        return self._known is not None

    def events(self, device: Device) -> Iterator[Event]:
        """Yield what a device does until its line is lost.

        Raises:
            AscError: the line is lost, or as ``Device.request``.
        """
        yield self._asked(device)
        heard = time.monotonic()
        while True:
            yield from self._polled(device)
            if device.results:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_S:
                # A board that has started anew tells its decisions only once it is asked something.
                answer = self._asked(device)
                if answer.is_restart:
                    yield answer
                heard = time.monotonic()
            while device.results:
                if self._is_behind(device.results[0].window):
                    yield self._asked(device)
                if device.results:
                    yield self._decided(device.results.popleft())

    def _polled(self, device: Device) -> Iterator[Heard | Counted]:
        """Yield what the device tells on request only; wait for a moment if it tells nothing new.

        Firmware that does not know such a request is not asked again.
        """
        if self._counters and time.monotonic() - self._counted_s >= _COUNTERS_S:
            self._counted_s = time.monotonic()
            try:
                yield Counted(device.status(), time.time())
            except RefusedError:
                self._counters = False
        if not self._columns:
            device.wait(_PATIENCE_S)
            return
        try:
            column = device.column()
        except RefusedError:
            self._columns = False
            return
        if column is None or (column.window, column.number) == self._latest:
            device.wait(_SAME_COLUMN_S)
        else:
            self._latest = column.window, column.number
            yield Heard(column)

    def _has_begun_anew(self, device: Device) -> bool:
        """Return whether a device that is known counts its windows from the start again."""
        # By now it may have counted as many windows as it had before.
        windows = [device.status().windows, *(each.window for each in device.results)]
        return any(map(self._is_behind, windows))

    def _is_behind(self, window: int) -> bool:
        """Whether a decision has a number that was there already, as after a restart."""
        return self._expected is not None and window < self._expected

    def _asked(self, device: Device) -> Connected:
        """Ask a device what its firmware is, and whether it went on since the last decision."""
        device.forget()
        info, found = device.info(), device.provenance()
        went_on = found == self._known and not self._has_begun_anew(device)
        is_restart = self._known is not None and not went_on
        if is_restart:
            self._expected = None
        self._known = found
        return Connected(info, found, is_restart, time.time())

    def _decided(self, result: Result) -> Decided:
        assert self._known is not None
        missed = 0 if self._expected is None else max(0, result.window - self._expected)
        self._expected = result.window + 1
        labels = self._known.labels
        label = labels[result.label] if result.label < len(labels) else self._unknown
        return Decided(result, label, missed, time.time())
