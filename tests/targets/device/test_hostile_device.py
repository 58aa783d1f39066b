"""A device that says what it likes: one clear line, no memory or time by its word alone."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest

from asc_tiny.firmware.provenance import MAGIC, Provenance, pack, unpack
from asc_tiny.targets.device import frame, messages
from asc_tiny.targets.device.client import Device
from asc_tiny.targets.device.line import LineLostError
from asc_tiny.targets.device.messages import Kind, Message, Source
from asc_tiny.targets.device.monitor import watch
from asc_tiny.util.errors import AscError

RECORD = pack(Provenance("00" * 32, "11" * 32, "1", "aot", "asc", ("a", "b")))
INFO: dict[str, Any] = {
    "frame_bytes": 256,
    "provenance_bytes": len(RECORD),
    "bands": 16,
    "columns": 3,
    "channels": 1,
    "streams": 0,
    "labels": 2,
    "sample_bytes": 2,
    "tick_rate": 0,
    "sample_rate": 8000,
    "output_zero_point": -128,
    "output_scale": 1 / 256,
}


class Board:
    """A line to a device that answers as a test wants.

    Args:
        replies: body of the reply to each kind of request, behind the status.
        info: figures that differ from ``INFO``.
        record: of provenance.
    """

    name = "the board"

    def __init__(
        self, replies: dict[Kind, bytes] | None = None, *, record: bytes = RECORD, **info: Any
    ) -> None:
        figures = {**INFO, "provenance_bytes": len(record), **info}
        self.replies = {Kind.INFO: struct.pack("<10Iif", *figures.values()), **(replies or {})}
        self.record = record
        self.waiting = b""
        self.asked = 0
        self._reader = frame.FrameReader()

    def write(self, data: bytes) -> None:
        for payload in self._reader.take(data):
            request = messages.unpack(payload)
            assert request is not None
            self.asked += 1
            body = self.replies.get(Kind(request.kind), b"\0")
            if request.kind == Kind.READ and Kind.READ not in self.replies:
                _, offset, size = struct.unpack("<3I", request.body)
                body = self.record[offset : offset + size]
            self.say(request.kind, request.sequence, b"\0" + body)

    def say(self, kind: int, sequence: int, body: bytes) -> None:
        message = Message(messages.VERSION, kind | messages.REPLY, sequence, body)
        self.waiting += frame.encode(message.pack())

    def read(self, timeout_s: float) -> bytes:
        waiting, self.waiting = self.waiting, b""
        return waiting

    def close(self) -> None:
        pass


def test_a_good_board() -> None:
    assert Device(Board()).provenance().labels == ("a", "b")


INFOS = {
    "frame_bytes = 4, allowed: 64 to 65535": {"frame_bytes": 4},
    "frame_bytes = 4294967295, allowed": {"frame_bytes": 2**32 - 1},
    "provenance_bytes = 100000000, allowed: 1 to 65532": {"provenance_bytes": 100_000_000},
    "provenance_bytes = 0, allowed": {"provenance_bytes": 0},
    "bands = 4294967295, allowed: 1 to 256": {"bands": 2**32 - 1},
    "columns = 0, allowed": {"columns": 0},
    "channels = 1000, allowed": {"channels": 1000},
    "labels = 0, allowed": {"labels": 0},
    "sample_bytes = 3, allowed: 2 or 4": {"sample_bytes": 3},
    "output_scale = nan, allowed: above 0": {"output_scale": float("nan")},
    "2 labels, the network has 3": {"labels": 3},
}


@pytest.mark.parametrize(("message", "info"), INFOS.items())
def test_figures_that_no_firmware_has(message: str, info: dict[str, Any]) -> None:
    board = Board(**info)
    tracemalloc.start()
    with pytest.raises(AscError, match=r"^the board: ") as error:
        Device(board).provenance()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message in str(error.value)
    assert board.asked <= 3 and most < 2_000_000


def checked(data: bytes) -> bytes:
    return data + struct.pack("<I", zlib.crc32(data))


def record(*texts: str, count: int, size: int | None = None) -> bytes:
    """Return a record of provenance with a right CRC, whatever else is wrong."""
    packed = "".join(f"{text}\0" for text in texts).encode()
    packed += bytes(-len(packed) % 4)
    length = 12 + 68 + len(packed) + 4 if size is None else size
    return checked(
        MAGIC + struct.pack("<HH", 1, length) + bytes(64) + struct.pack("<I", count) + packed
    )


RECORDS = {
    "texts, 3 and 4294967295 labels are due": record("1", "aot", "asc", "a", count=2**32 - 1),
    "damaged: 4 texts, 3 and 2 labels are due": record("1", "aot", "asc", "a", count=2),
    "damaged: its size is 16": checked(MAGIC + struct.pack("<HH", 1, 16)),
    "damaged: its size is 76": checked(MAGIC + struct.pack("<HH", 1, 76) + bytes(60)),
    "damaged: its size is 3": record("1", count=0, size=3),
    "can't decode byte": checked(
        MAGIC + struct.pack("<HH", 1, 88) + bytes(64) + struct.pack("<I", 0) + b"\xff\xff\0\0"
    ),
}


@pytest.mark.parametrize(("message", "data"), RECORDS.items(), ids=range(len(RECORDS)))
def test_records_that_contradict_themselves(message: str, data: bytes) -> None:
    with pytest.raises(ValueError) as wrong:
        unpack(data)
    assert message in str(wrong.value)
    with pytest.raises(AscError, match=r"^the board: record of provenance is "):
        Device(Board(record=data)).provenance()


PCM = np.zeros(10, np.int16)
ANSWERS: dict[str, tuple[Kind, bytes, Any]] = {
    "reply to status cannot be": (Kind.STATUS, b"\0", lambda device: device.status()),
    "reply to column cannot be": (Kind.COLUMN, b"\0\1", lambda device: device.column()),
    "reply to selftest cannot be": (Kind.SELFTEST, b"\0", lambda device: device.selftest()),
    "reply to info cannot be": (Kind.INFO, b"\0" * 7, lambda device: device.info()),
    "reply to read has 5 bytes, 100 were": (Kind.READ, b"12345", lambda d: d.provenance()),
    "reply to pcm cannot be": (Kind.PCM, b"\0", lambda device: list(device.push(PCM))),
    "took 11 of 10 samples": (
        Kind.PCM,
        b"\0" + struct.pack("<IB", 11, 0),
        lambda device: list(device.push(PCM)),
    ),
    "took 0 of 10 samples": (
        Kind.FEED,
        b"\0" + struct.pack("<IB", 0, 0),
        lambda device: list(device.feed(PCM)),
    ),
    "a result of 3 scores for 2 labels": (
        Kind.PCM,
        b"\0" + struct.pack("<IB", 10, 0) + struct.pack("<2I", 0, 0) + bytes(6),
        lambda device: list(device.push(PCM)),
    ),
    "0 columns in a window of 3": (
        Kind.FEED,
        b"\0" + struct.pack("<IB", 10, 0) + struct.pack("<2I", 0, 0) + bytes(4),
        lambda device: device.features_and_codes(PCM),
    ),
}


@pytest.mark.parametrize(("message", "answer"), ANSWERS.items())
def test_replies_that_make_no_sense(message: str, answer: tuple[Kind, bytes, Any]) -> None:
    kind, body, ask = answer
    with pytest.raises(AscError, match=r"^the board: [^\n]*$") as error:
        ask(Device(Board({kind: body})))
    assert message in str(error.value)


def test_results_that_make_no_sense_are_dropped() -> None:
    board = Board()
    device = Device(board)
    device.info()
    for body in (b"", bytes(7), bytes(8 + 3), bytes(8 + 6), bytes(8 + 4)):
        board.say(Kind.RESULT, messages.EVENT_SEQUENCE, body)
    device.wait(0.1)
    assert [len(result.scores) for result in device.results] == [2]
    device.reset(Source.MICROPHONE)


class Text(Board):
    """A line on which text comes, but no reply."""

    def __init__(self, said: bytes) -> None:
        super().__init__()
        self.waiting = said

    def write(self, data: bytes) -> None:
        pass


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "; nothing came from it"),
        (b"boot\r\nGuru Meditation \x1b[31mError\r\n", "; it said: boot | Guru Meditation ?[31mEr"),
        (b"\x80\xfe\x00\x80\xf8" * 20, "; 100 bytes came that are neither text nor messages; is"),
    ],
)
def test_what_a_silent_board_said_is_told(said: bytes, told: str) -> None:
    device = Device(Text(said), timeout_s=0.01, attempts=1)
    with pytest.raises(AscError, match=r"no reply to info after 1 attempts") as error:
        device.info()
    assert told in str(error.value)


def test_results_of_other_firmware_are_dropped() -> None:
    """Before it is known how many labels there are, and of another version of the protocol."""
    board = Board()
    event = Message(messages.VERSION + 1, Kind.RESULT | messages.REPLY, 0, bytes(8 + 4))
    board.waiting += frame.encode(event.pack())
    for labels in (3, 2):
        board.say(Kind.RESULT, messages.EVENT_SEQUENCE, bytes(8 + 2 * labels))
    device = Device(board)
    device.wait(0.0)
    device.info()
    assert [len(result.scores) for result in device.results] == [2]


class Deciding(Board):
    """A line to a device that decides when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = 0

    def decide(self) -> None:
        self.say(Kind.RESULT, messages.EVENT_SEQUENCE, struct.pack("<2I4b", self.windows, *[0] * 5))
        self.count(self.windows + 1)

    def count(self, windows: int) -> None:
        self.windows = windows
        self.replies[Kind.STATUS] = b"\0" + struct.pack("<10I", windows, *[0] * 9)

    def read(self, timeout_s: float) -> bytes:
        data = super().read(timeout_s)
        if data == b"cut":
            raise LineLostError("gone")
        return data


def test_monitor_counts_what_got_lost_while_the_line_was_away() -> None:
    board = Deciding()
    board.count(0)
    events = watch(lambda: board, unknown="unknown")
    assert next(events).is_restart is False
    board.decide()
    assert next(events).missed == 0
    board.waiting = b"cut"
    assert next(events).reason == "gone"
    board.count(5)
    assert next(events).is_restart is False
    board.decide()
    decided = next(events)
    assert decided.result.window == 5 and decided.missed == 4
    # It has started anew: no decision is missing between 5 and 1.
    board.waiting = b"cut"
    assert next(events).reason == "gone"
    board.count(1)
    assert next(events).is_restart is True
    board.decide()
    assert next(events).missed == 0


def test_monitor_sees_a_restart_whose_windows_are_as_many_as_before() -> None:
    board = Deciding()
    board.count(0)
    events = watch(lambda: board, unknown="unknown")
    next(events)
    board.decide()
    assert next(events).result.window == 0
    board.waiting = b"cut"
    assert next(events).reason == "gone"
    # Its first decision comes while it is asked, and is counted by then.
    board.count(0)
    board.decide()
    assert next(events).is_restart is True
    decided = next(events)
    assert decided.result.window == 0 and decided.missed == 0


def test_monitor_takes_other_labels_after_a_restart() -> None:
    board = Deciding()
    board.count(0)
    events = watch(lambda: board, unknown="unknown")
    next(events)
    board.decide()
    assert next(events).label == "a"
    board.waiting = b"cut"
    next(events)
    board.record = pack(Provenance("22" * 32, "11" * 32, "1", "aot", "asc", ("x", "y")))
    again = next(events)
    assert again.is_restart is True and again.provenance.labels == ("x", "y")
    board.decide()
    decided = next(events)
    assert decided.label == "x" and decided.missed == 0
