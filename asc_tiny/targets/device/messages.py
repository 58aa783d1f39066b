"""Messages of the serial protocol (docs/reference/protocol.md), the twin of ``asc_protocol.c``."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from asc_tiny.firmware import provenance

VERSION = 2
REPLY = 0x80
EVENT_SEQUENCE = 0

_HEADER = struct.Struct("<BBH")
_INFO = struct.Struct("<10Iif")
_STATUS = struct.Struct("<10I")
_RESULT = struct.Struct("<2I")
_PUSHED = struct.Struct("<IB")


class Kind(IntEnum):
    """What a request asks for; a result also comes unasked, as an event."""

    INFO = 1
    RESET = 2
    READ = 3
    PCM = 4
    FEED = 5
    STATUS = 7
    RESULT = 8
    SELFTEST = 9
    COLUMN = 10


class Region(IntEnum):
    """What READ reads."""

    PROVENANCE = 0
    COLUMN = 1


class Source(IntEnum):
    """Where samples are to come from after RESET."""

    MICROPHONE = 0
    HOST = 1


SELFTEST_RESULTS = {0: "passed", 1: "failed: features differ", 2: "failed: scores differ"}
"""What the firmware's self-test says; negative numbers are errors of the network."""

UNKNOWN_REQUEST = 2
ERRORS = {
    1: "speaks another version of the protocol",
    2: "does not know the request",
    3: "finds a request of a wrong length",
    4: "finds a read out of range",
    5: "reports an error of the network",
}


@dataclass(frozen=True)
class Message:
    """A message, the payload of a frame.

    Attributes:
        version: version of the protocol.
        kind: kind of the message, with ``REPLY`` for what the device sends.
        sequence: number of the request, ``EVENT_SEQUENCE`` for an event.
        body: what follows.
    """

    version: int
    kind: int
    sequence: int
    body: bytes

    def pack(self) -> bytes:
        """Return the payload of its frame."""
        return _HEADER.pack(self.version, self.kind, self.sequence) + self.body


def unpack(payload: bytes) -> Message | None:
    """Read a message, None if it is too short for one."""
    if len(payload) < _HEADER.size:
        return None
    version, kind, sequence = _HEADER.unpack_from(payload)
    return Message(version, kind, sequence, payload[_HEADER.size :])


@dataclass(frozen=True)
class Info:
    """What a device says of its firmware.

    Attributes:
        frame_bytes: the longest payload it reads.
        provenance_bytes: bytes of the record of provenance.
        bands, columns, channels: shape of a window's features.
        streams: whether the network is streaming, 1 or 0.
        labels: number of labels of the network.
        sample_bytes: bytes of one sample, 2 or 4.
        tick_rate: ticks of its counter per second; 0 if it counts instructions.
        sample_rate: samples of the audio per second.
        output_zero_point, output_scale: ``score = scale * (code - zero_point)``.
    """

    frame_bytes: int
    provenance_bytes: int
    bands: int
    columns: int
    channels: int
    streams: int
    labels: int
    sample_bytes: int
    tick_rate: int
    sample_rate: int
    output_zero_point: int
    output_scale: float

    @property
    def body_bytes(self) -> int:
        """The longest body of a message, in either direction."""
        return self.frame_bytes - _HEADER.size

    def scores(self, codes: NDArray[np.int8]) -> list[float]:
        """Return the scores that int8 codes stand for."""
        values = self.output_scale * (codes.astype(np.float64) - self.output_zero_point)
        return [float(value) for value in values]


@dataclass(frozen=True)
class Status:
    """Counters of a device.

    Attributes:
        windows: number of windows decided since the last reset.
        overruns: blocks of the microphone that were lost.
        damaged: frames that the device dropped.
        hop_ticks: the most that the front end took from a column to the next since the last reset.
        network_ticks: ticks of the network on the latest window, all of its columns.
        network_hop_ticks: most ticks that the network took with one column since the last reset.
        network_last_ticks: what it took with the latest window's last column.
        stack_bytes: the most used, 0 where it is not measured.
        arena_bytes: bytes of the network's arena.
        ticks: the counter now.
    """

    windows: int
    overruns: int
    damaged: int
    hop_ticks: int
    network_ticks: int
    network_hop_ticks: int
    network_last_ticks: int
    stack_bytes: int
    arena_bytes: int
    ticks: int


@dataclass(frozen=True)
class Result:
    """A decision as the device sends it.

    Attributes:
        window: its number since the last reset.
        label: index; one more than the last label for "unknown".
        scores, smoothed: int8 codes in label order.
    """

    window: int
    label: int
    scores: NDArray[np.int8]
    smoothed: NDArray[np.int8]


@dataclass(frozen=True)
class Pushed:
    """What a device did with samples.

    Attributes:
        taken: samples, fewer than there were up to a column of features or a decision.
        column_waits: whether a column can be read.
        result: the decision, if there is one.
    """

    taken: int
    column_waits: bool
    result: Result | None


@dataclass(frozen=True)
class Column:
    """The latest column of features of a device.

    Attributes:
        window: its number since the last reset.
        number: number of the column in the window, from 0.
        codes: int8 log-mel codes of mel bands from low to high, evenly spaced ones if all are too
            many for a message.
    """

    window: int
    number: int
    codes: NDArray[np.int8]


def unpack_pushed(body: bytes) -> Pushed:
    """Read the reply to PCM or FEED, behind the network's code."""
    taken, column_waits = _PUSHED.unpack_from(body, 1)
    rest = 1 + _PUSHED.size
    return Pushed(
        taken, bool(column_waits), unpack_result(body, rest) if len(body) > rest else None
    )


def unpack_column(body: bytes) -> Column | None:
    """Read the reply to COLUMN, behind the network's code; None before a window's first."""
    window, count = _RESULT.unpack_from(body, 1)
    codes = np.frombuffer(body, np.int8, offset=1 + _RESULT.size)
    return Column(window, count - 1, codes) if len(codes) else None


def unpack_info(body: bytes) -> Info:
    """Read the reply to INFO.

    Raises:
        struct.error: it is too short.
        ValueError: a figure that no firmware of this tool has: nothing is read or kept of a size
            that a device merely claims.
    """
    info = Info(*_INFO.unpack_from(body))
    for name, allowed in _ALLOWED.items():
        value = getattr(info, name)
        if value not in allowed:
            raise ValueError(f"{name} = {value}, allowed: {allowed.start} to {allowed.stop - 1}")
    if info.sample_bytes not in (2, 4):
        raise ValueError(f"sample_bytes = {info.sample_bytes}, allowed: 2 or 4")
    if not (math.isfinite(info.output_scale) and info.output_scale > 0.0):
        raise ValueError(f"output_scale = {info.output_scale}, allowed: above 0")
    return info


_ALLOWED = {
    "frame_bytes": range(64, 1 << 16),
    "provenance_bytes": range(1, provenance.MAX_SIZE + 1),
    "bands": range(1, 257),
    "columns": range(1, 1 << 16),
    "channels": range(1, 257),
    "labels": range(1, 1 << 15),
}


def unpack_status(body: bytes) -> Status:
    """Read the reply to STATUS, behind the network's code."""
    return Status(*_STATUS.unpack_from(body, 1))


def unpack_result(body: bytes, offset: int = 0) -> Result:
    """Read a result, which fills the body from ``offset`` on."""
    window, label = _RESULT.unpack_from(body, offset)
    codes = np.frombuffer(body, np.int8, offset=offset + _RESULT.size).reshape(2, -1)
    return Result(window, label, codes[0], codes[1])


def pack_read(region: Region, offset: int, count: int) -> bytes:
    """Return the body of READ."""
    return struct.pack("<3I", region, offset, count)
