"""A device on a line: asks, waits, asks again, and hands on what comes unasked."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from asc_tiny.firmware import provenance
from asc_tiny.firmware.provenance import Provenance
from asc_tiny.frontend.arrays import Samples
from asc_tiny.targets.device import frame, messages
from asc_tiny.targets.device.line import Line, Settings, open_line
from asc_tiny.targets.device.messages import (
    Column,
    Info,
    Kind,
    Message,
    Pushed,
    Region,
    Result,
    Source,
    Status,
)
from asc_tiny.targets.device.spoken_text import SpokenText
from asc_tiny.util.errors import AscError

TIMEOUT_S = 1.0
ATTEMPTS = 20
_LAST_ATTEMPTS = 3
_MOST_RESULTS = 1 << 16
_SPARE = 16
"""Pushes without progress beyond those for the columns of a window."""

_SELFTEST = struct.Struct("<i")

T = TypeVar("T")


_BROKEN_FRAME = b"\0\x09" + 8 * b"\x01" + b"\0"
"""A frame whose checksum is wrong."""


class RefusedError(AscError):
    """The firmware does not have what is asked for."""


class NoReplyError(AscError):
    """The device does not answer."""


class Device:
    """Firmware that speaks the serial protocol.

    A request is sent again until its reply arrives; the device does it once all the same, for it
    knows the request by its number.

    Args:
        line: line to the device.
        timeout_s: seconds to wait for a reply before the request is sent again.
        attempts: number of times that a request is sent at most; ``ATTEMPTS`` if None.
        body_bytes: bytes of the longest message, if shorter than the device allows: on a bad line
            short messages get through more often.

    Attributes:
        results: events that have arrived and were not fetched yet.
    """

    def __init__(
        self,
        line: Line,
        *,
        timeout_s: float = TIMEOUT_S,
        attempts: int | None = None,
        body_bytes: int | None = None,
    ) -> None:
        self._line = line
        self._timeout_s = timeout_s
        self._attempts = ATTEMPTS if attempts is None else attempts
        self._most_body_bytes = body_bytes
        self._reader = frame.FrameReader()
        self._text = SpokenText()
        # The device may still know a request of a program that talked to it before.
        self._sequence = time.monotonic_ns() & 0xFFFF
        self.results: deque[Result] = deque(maxlen=_MOST_RESULTS)
        self._info: Info | None = None
        self._is_source = False
        self._counted = 0

    @property
    def name(self) -> str:
        """Name of the line, for messages."""
        return self._line.name

    @property
    def damaged(self) -> int:
        """Frames from the device that were dropped."""
        return self._reader.damaged

    def close(self) -> None:
        """Give the microphone back if samples were sent in its place, and the line."""
        if self._is_source:
            self._attempts = min(self._attempts, _LAST_ATTEMPTS)
            with suppress(AscError):
                self.reset(Source.MICROPHONE)
        self._line.close()

    def request(self, kind: Kind, body: bytes = b"") -> bytes:
        """Return the body of the reply, behind its status.

        Raises:
            AscError: no reply comes, or the device refuses.
            LineLostError: the line is gone.
        """
        self._sequence = self._sequence % 0xFFFF + 1
        request = Message(messages.VERSION, kind, self._sequence, body)
        for _ in range(self._attempts):
            self._line.write(frame.encode(request.pack()))
            reply = self._reply_to(request)
            if reply is not None:
                return self._checked(reply, kind)
        raise NoReplyError(
            f"{self._line.name}: no reply to {kind.name.lower()} after {self._attempts} attempts; "
            "is this the board's port, and does its firmware speak the serial protocol? (a network "
            f"alone prints text instead){self._text.told()}"
        )

    def _reply_to(self, request: Message) -> Message | None:
        deadline = time.monotonic() + self._timeout_s
        while (left := deadline - time.monotonic()) > 0:
            for message in self._messages(left):
                if message.kind == request.kind | messages.REPLY and (
                    message.sequence == request.sequence
                ):
                    return message
        return None

    def _messages(self, timeout_s: float) -> list[Message]:
        """Return what has arrived besides results, which are put aside."""
        others = []
        data = self._line.read(timeout_s)
        self._text.take(data)
        for payload in self._reader.take(data):
            message = messages.unpack(payload)
            if message is None:
                continue
            self._text.clear()
            if message.kind == Kind.RESULT | messages.REPLY and (
                message.version == messages.VERSION
            ):
                self._keep(message.body)
            else:
                others.append(message)
        return others

    def _keep(self, body: bytes) -> None:
        """Put aside a result that comes unasked; one that cannot be understood is dropped."""
        with suppress(struct.error, ValueError):
            result = messages.unpack_result(body)
            if self._info is None or len(result.scores) == self._info.labels:
                self.results.append(result)

    def _understood(self, unpack: Callable[[bytes], T], body: bytes, kind: Kind) -> T:
        try:
            return unpack(body)
        except (struct.error, ValueError) as error:
            raise AscError(
                f"{self._line.name}: the reply to {kind.name.lower()} cannot be understood "
                f"({error})"
            ) from None

    def _checked(self, reply: Message, kind: Kind) -> bytes:
        status = reply.body[0] if reply.body else 0
        if status == 0:
            return reply.body[1:]
        what = messages.ERRORS.get(status, f"gives status {status}")
        detail = {
            1: f" ({reply.version}, this asc-tiny speaks {messages.VERSION})",
            5: f" ({-reply.body[1] if len(reply.body) > 1 else '?'})",
        }.get(status, "")
        error = RefusedError if status == messages.UNKNOWN_REQUEST else AscError
        raise error(f"{self._line.name}: {kind.name.lower()}: the device {what}{detail}")

    def wait(self, timeout_s: float) -> None:
        """Take what arrives within ``timeout_s``; returns early with a result.

        Raises:
            LineLostError: the line is gone.
        """
        deadline = time.monotonic() + timeout_s
        while not self.results and (left := deadline - time.monotonic()) > 0:
            self._messages(left)

    def info(self) -> Info:
        """Ask what the firmware is; the answer is kept.

        Raises:
            AscError: as ``request``.
        """
        if self._info is None:
            body = self.request(Kind.INFO)
            self._info = info = self._understood(messages.unpack_info, body, Kind.INFO)
            # Those that came before it was known how many scores they must have.
            known = [each for each in self.results if len(each.scores) == info.labels]
            self.results.clear()
            self.results.extend(known)
        return self._info

    def _body_bytes(self) -> int:
        allowed = self.info().body_bytes
        return min(allowed, self._most_body_bytes or allowed)

    def forget(self) -> None:
        """Drop what is known of the device: it may run other firmware now."""
        self._info = None

    def provenance(self) -> Provenance:
        """Return the record of what the firmware was made from.

        Raises:
            AscError: as ``request``, or the record is damaged.
        """
        info = self.info()
        data = self.read(Region.PROVENANCE, info.provenance_bytes)
        try:
            record = provenance.unpack(data)
        except ValueError as error:
            raise AscError(f"{self._line.name}: record of provenance is {error}") from None
        if len(record.labels) != info.labels:
            raise AscError(
                f"{self._line.name}: record of provenance is damaged: {len(record.labels)} labels, "
                f"the network has {info.labels}"
            )
        return record

    def read(self, region: Region, count: int) -> bytes:
        """Return the first ``count`` bytes of a region.

        Raises:
            AscError: as ``request``.
        """
        step = self._body_bytes() - 1
        parts = []
        for offset in range(0, count, step):
            size = min(step, count - offset)
            part = self.request(Kind.READ, messages.pack_read(region, offset, size))
            if len(part) != size:
                raise AscError(
                    f"{self._line.name}: the reply to read has {len(part)} bytes, {size} were asked"
                )
            parts.append(part)
        return b"".join(parts)

    def reset(self, source: Source) -> None:
        """Start the classifier anew, with samples from ``source``.

        Raises:
            AscError: as ``request``.
        """
        self.request(Kind.RESET, bytes([source]))
        self._is_source = source == Source.HOST
        self.results.clear()

    def selftest(self) -> str | None:
        """Return what the firmware's test of itself says, None if it has none.

        Raises:
            AscError: as ``request``.
        """
        try:
            body = self.request(Kind.SELFTEST)
        except RefusedError:
            return None
        (result,) = self._understood(_SELFTEST.unpack_from, body[1:], Kind.SELFTEST)
        return messages.SELFTEST_RESULTS.get(result, f"failed: network error {result}")

    def column(self) -> Column | None:
        """Return the latest column that the device hears, None before a window's first.

        Raises:
            AscError: as ``request``.
        """
        return self._understood(messages.unpack_column, self.request(Kind.COLUMN), Kind.COLUMN)

    def status(self) -> Status:
        """Return the device's counters.

        Raises:
            AscError: as ``request``.
        """
        return self._understood(messages.unpack_status, self.request(Kind.STATUS), Kind.STATUS)

    def mark_run(self) -> None:
        """Let ``has_restarted`` know this run of the firmware.

        It counts the frames that it drops until it starts anew, so it is sent one.

        Raises:
            AscError: as ``request``.
        """
        self._line.write(_BROKEN_FRAME)
        self._counted = self.status().damaged

    def has_restarted(self) -> bool:
        """Return whether the firmware started anew since ``mark_run``.

        Raises:
            AscError: as ``request``.
        """
        return self.status().damaged < self._counted

    def push(self, pcm: Samples) -> Iterator[Result]:
        """Yield the decisions that samples complete, shape (n,).

        Raises:
            AscError: as ``request``.
        """
        for pushed in self._pushed(Kind.PCM, pcm):
            if pushed.result is not None:
                yield pushed.result

    def feed(self, pcm: Samples) -> Iterator[NDArray[np.int8] | Result]:
        """Yield the columns that samples complete, shape (n,), and the decisions.

        A column has int8 codes, shape (mel bands, channels).

        Raises:
            AscError: as ``request``.
        """
        info = self.info()
        for pushed in self._pushed(Kind.FEED, pcm):
            if pushed.column_waits:
                data = self.read(Region.COLUMN, info.bands * info.channels)
                yield np.frombuffer(data, np.int8).reshape(info.bands, info.channels)
            if pushed.result is not None:
                yield pushed.result

    def features_and_codes(self, pcm: Samples) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Return the network's input and output for one clip of samples, shape (clip_samples,).

        Returns:
            int8 arrays, shapes (mel bands, columns, channels) and (labels,).

        Raises:
            AscError: as ``request``, or the samples are less than a clip.
        """
        self.reset(Source.HOST)
        # A front end of a stream looks half a frame beyond a clip.
        zeros = np.zeros(1 << 13, pcm.dtype)
        columns: list[NDArray[np.int8]] = []
        for event in chain(self.feed(pcm), self.feed(zeros)):
            if isinstance(event, Result):
                if len(columns) != self.info().columns:
                    count = self.info().columns
                    raise AscError(
                        f"{self._line.name}: {len(columns)} columns in a window of {count}"
                    )
                return np.stack(columns, axis=1), event.scores
            columns.append(event)
        raise AscError(f"{self._line.name}: {len(pcm)} samples are less than a clip")

    def _pushed(self, kind: Kind, pcm: Samples) -> Iterator[Pushed]:
        """Send samples, and say each time what the device did with them."""
        for chunk in self._chunks(pcm):
            taken, column_waits, without = 0, False, 0
            # The last samples of a clip complete several columns.
            while taken < len(chunk) or column_waits:
                rest = chunk[taken:]
                body = self.request(kind, _bytes(rest))
                pushed = self._understood(messages.unpack_pushed, body, kind)
                without = 0 if pushed.taken else without + 1
                if pushed.taken > len(rest) or without > self.info().columns + _SPARE:
                    raise AscError(
                        f"{self._line.name}: the device took {pushed.taken} of {len(rest)} samples"
                    )
                self._check_scores(pushed.result)
                yield pushed
                taken, column_waits = taken + pushed.taken, pushed.column_waits

    def _check_scores(self, result: Result | None) -> None:
        labels = self.info().labels
        if result is not None and len(result.scores) != labels:
            raise AscError(
                f"{self._line.name}: a result of {len(result.scores)} scores for {labels} labels"
            )

    def _chunks(self, pcm: Samples) -> Iterator[Samples]:
        info = self.info()
        if pcm.dtype.itemsize != info.sample_bytes:
            raise AscError(
                f"{self._line.name}: takes samples of {info.sample_bytes} bytes, "
                f"these have {pcm.dtype.itemsize}"
            )
        self._is_source = True
        step = self._body_bytes() // info.sample_bytes
        for start in range(0, len(pcm), step):
            yield pcm[start : start + step]


def _bytes(pcm: Samples) -> bytes:
    return pcm.astype(pcm.dtype.newbyteorder("<")).tobytes()


@contextmanager
def connected(port: str, settings: Settings) -> Iterator[Device]:
    """Give the device on a line, and the line back at the end.

    Args:
        port: serial port of the board, or ``socket://HOST:PORT`` of an emulated one.
        settings: how a serial port is opened.

    Raises:
        AscError: the line cannot be opened.
    """
    device = Device(open_line(port, settings))
    try:
        yield device
    finally:
        device.close()
