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
from asc_tiny.targets.device.messages import Kind, Message, Source
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
