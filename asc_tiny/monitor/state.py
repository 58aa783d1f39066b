"""What is known of a watched board: events change it, and every view shows it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.monitor.scale import Scale, scale
from asc_tiny.monitor.spectrogram import Spectrogram
from asc_tiny.targets.device.messages import Status
from asc_tiny.targets.device.monitor import Connected, Counted, Decided, Event, Heard
from asc_tiny.util.console_text import printable

BLOCKS_LOST = "audio blocks lost"
REQUESTS_DAMAGED = "damaged requests"
_RUNS = 500
_LOSSES = 200
_SAME_LOSS_S = 10.0
"""Losses of a kind that come within this time of each other are one entry."""


@dataclass(frozen=True)
class Wanted:
    """The model that a board is to run.

    Attributes:
        name: name of its file.
        sha256: hash of the file.
        frontend: its front end, None if the file holds none.
    """

    name: str
    sha256: str
    frontend: FrontEndConfig | None


@dataclass(frozen=True)
class Run:
    """Decisions for the same label, one after the other.

    Attributes:
        label: the label.
        begin, end: when the first and the last of them arrived, in seconds since 1970.
        count: number of decisions.
    """

    label: str
    begin: float
    end: float
    count: int


@dataclass(frozen=True)
class Loss:
    """What got lost.

    Attributes:
        what: its kind.
        begin, end: when it was seen first and last, in seconds since 1970.
        count: how much of it.
    """

    what: str
    begin: float
    end: float
    count: int


@dataclass(frozen=True)
class Snapshot:
    """The state at a moment.

    Attributes:
        number: number of events so far: two snapshots with the same number are alike.
        port: name of the line.
        connected: what the board said of itself last, None before it did.
        lost: why the line is gone, None while it is there.
        since: when it came or went, in seconds since 1970.
        warning: what is wrong with the board, None if nothing is.
        decided: latest decision of this firmware.
        runs: history of decisions, the oldest first.
        losses: what got lost, the oldest first.
        missed: number of decisions that did not arrive.
        restarts: number of restarts that were seen.
        status: latest counters of the board, None before the first.
        scale: units of the spectrogram.
        columns_missed: number of columns that were not caught.
    """

    number: int
    port: str
    connected: Connected | None = None
    lost: str | None = None
    since: float = 0.0
    warning: str | None = None
    decided: Decided | None = None
    runs: tuple[Run, ...] = ()
    losses: tuple[Loss, ...] = ()
    missed: int = 0
    restarts: int = 0
    status: Status | None = None
    scale: Scale | None = None
    columns_missed: int = 0


class State:
    """The state, which one thread changes and others look at.

    Args:
        port: name of the line.
        wanted: the model that the board is to run, None for any.
    """

    def __init__(self, port: str, wanted: Wanted | None = None) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._now = Snapshot(0, port)
        self._spectrogram = Spectrogram()
        self._runs: deque[Run] = deque(maxlen=_RUNS)
        self._losses: deque[Loss] = deque(maxlen=_LOSSES)

    def take(self, event: Event) -> None:
        """Change the state by an event."""
        with self._lock:
            self._now = replace(self._now, number=self._now.number + 1)
            if isinstance(event, Heard):
                self._hear(event)
            elif isinstance(event, Decided):
                self._decide(event)
            elif isinstance(event, Counted):
                self._count(event)
            elif isinstance(event, Connected):
                self._connect(event)
            else:
                self._lose("line lost", event.time)
                self._now = replace(self._now, lost=event.reason, since=event.time)

    def snapshot(self) -> Snapshot:
        """Return the state as it is now."""
        with self._lock:
            return replace(self._now, runs=tuple(self._runs), losses=tuple(self._losses))

    def columns(self, begun: int, number: int) -> Columns:
        """Return the columns of the spectrogram that came after those that somebody has.

        Args:
            begun: number of the picture that they belong to, -1 for none.
            number: number of the column after them.
        """
        with self._lock:
            picture = self._spectrogram
            first, codes = picture.since(number if begun == picture.begun else 0)
            units = self._now.scale
        shades = tuple(
            None if each is None or units is None else units.shades(each).tobytes()
            for each in codes
        )
        return Columns(picture.begun, first, shades)

    def picture(self) -> tuple[NDArray[np.float64], Scale]:
        """Return the codes of the spectrogram, shape (bands, columns), NaN in gaps; its units."""
        with self._lock:
            codes = self._spectrogram.codes()
            return codes, self._now.scale or scale(len(codes), None)

    def title(self) -> str:
        """Return what stands above a picture of the spectrogram."""
        now = self.snapshot()
        if now.connected is None:
            return f"what the board on {now.port} computes"
        sha256 = now.connected.provenance.model_sha256
        wanted = self._wanted
        same = wanted is not None and wanted.sha256 == sha256
        model = wanted.name if wanted is not None and same else sha256[:12]
        return printable(f"what the board on {now.port} computes, model {model}")

    def _connect(self, event: Connected) -> None:
        self._spectrogram.connect(event.info.columns, is_restart=event.is_restart)
        if event.is_restart:
            self._lose("restart", event.time)
        has_gone = self._now.lost is not None or self._now.connected is None
        self._now = replace(
            self._now,
            connected=event,
            lost=None,
            since=event.time if has_gone else self._now.since,
            warning=self._warning(event),
            # Other firmware has other labels and another front end.
            decided=None if event.is_restart else self._now.decided,
            status=None if event.is_restart else self._now.status,
            scale=self._scale(event, self._spectrogram.bands),
            restarts=self._now.restarts + event.is_restart,
        )

    def _decide(self, event: Decided) -> None:
        self._now = replace(self._now, decided=event, missed=self._now.missed + event.missed)
        if event.missed:
            self._lose("decisions missed", event.time, event.missed)
        latest = self._runs[-1] if self._runs else None
        if latest is not None and latest.label == event.label and not event.missed:
            self._runs[-1] = replace(latest, end=event.time, count=latest.count + 1)
        else:
            self._runs.append(Run(event.label, event.time, event.time, 1))

    def _count(self, event: Counted) -> None:
        before, now = self._now.status, event.status
        for what, name in _COUNTERS.items():
            # What was lost before this program came has no time.
            first = 0 if self._now.restarts else getattr(now, name)
            lost = getattr(now, name) - (getattr(before, name) if before else first)
            if lost > 0:
                self._lose(what, event.time, lost)
        self._now = replace(self._now, status=now)

    def _hear(self, event: Heard) -> None:
        missed = self._spectrogram.add(event.column)
        bands = len(event.column.codes)
        units, connected = self._now.scale, self._now.connected
        if connected is not None and (units is None or len(units.levels) != bands):
            units = self._scale(connected, bands)
        self._now = replace(
            self._now, scale=units, columns_missed=self._now.columns_missed + missed
        )

    def _lose(self, what: str, time: float, count: int = 1) -> None:
        latest = self._losses[-1] if self._losses else None
        if latest and latest.what == what and time - latest.end < _SAME_LOSS_S:
            self._losses[-1] = replace(latest, end=time, count=latest.count + count)
        else:
            self._losses.append(Loss(what, time, time, count))

    def _warning(self, event: Connected) -> str | None:
        found = event.provenance.model_sha256
        if self._wanted is None or found == self._wanted.sha256:
            return None
        return (
            f"the device runs another model: {found[:12]}, the file is {self._wanted.sha256[:12]}"
        )

    def _scale(self, event: Connected, bands: int) -> Scale | None:
        """Return the units of columns of so many bands, None for no bands."""
        if not bands:
            return None
        config = None
        if self._wanted is not None and event.provenance.model_sha256 == self._wanted.sha256:
            config = self._wanted.frontend
        return scale(bands, config)


_COUNTERS = {BLOCKS_LOST: "overruns", REQUESTS_DAMAGED: "damaged"}
"""Counters of ``Status`` that tell what got lost."""


@dataclass(frozen=True)
class Columns:
    """Columns of the spectrogram, one after the other.

    Attributes:
        begun: number of the picture that they belong to.
        first: number of the first of them in it.
        shades: where the levels of each lie between the least and the highest, a byte for each
            band; None for what was not caught.
    """

    begun: int
    first: int
    shades: tuple[bytes | None, ...]

    @property
    def end(self) -> int:
        """Number of the column that is to come next."""
        return self.first + len(self.shades)
