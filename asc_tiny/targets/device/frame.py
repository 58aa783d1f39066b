"""Frames on a serial line, the twin of ``asc_frame.c``: COBS of a payload and its CRC-32.

COBS: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", 1999.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_CRC = struct.Struct("<I")
_LONGEST_GROUP = 254


def encode(payload: bytes) -> bytes:
    """Return the bytes on the line: the frame with a zero before and after."""
    return b"\0" + _stuff(payload + _CRC.pack(zlib.crc32(payload))) + b"\0"


def decode(frame: bytes) -> bytes | None:
    """Return the payload of what stood between two zeros, None if it is not intact."""
    data = _unstuff(frame)
    if data is None or len(data) <= _CRC.size:
        return None
    payload, crc = data[: -_CRC.size], data[-_CRC.size :]
    return payload if _CRC.pack(zlib.crc32(payload)) == crc else None


def _stuff(data: bytes) -> bytes:
    out = bytearray()
    start = 0
    while True:
        zero = data.find(b"\0", start, start + _LONGEST_GROUP)
        end = min(start + _LONGEST_GROUP, len(data)) if zero < 0 else zero
        out += bytes([end - start + 1]) + data[start:end]
        if end == len(data):
            return bytes(out)
        # Only a full group has no zero after it.
        start = end if end - start == _LONGEST_GROUP else end + 1


def _unstuff(frame: bytes) -> bytes | None:
    out = bytearray()
    position, ends_zero = 0, False
    while position < len(frame):
        if ends_zero:
            out.append(0)
        code = frame[position]
        group = frame[position + 1 : position + code]
        if code == 0 or len(group) != code - 1:
            return None
        out += group
        position += code
        ends_zero = code <= _LONGEST_GROUP
    return bytes(out)


class FrameReader:
    """Finds intact frames in a stream of bytes, whatever lies between them.

    Attributes:
        damaged: frames that were dropped so far.
    """

    LONGEST = 1 << 16

    def __init__(self) -> None:
        self.damaged = 0
        self._begun = bytearray()
        self._too_long = False

    def take(self, data: bytes) -> Iterator[bytes]:
        """Yield the payloads that ``data`` completes."""
        *ended, rest = data.split(b"\0")
        for part in ended:
            self._append(part)
            frame, too_long = bytes(self._begun), self._too_long
            self._begun.clear()
            self._too_long = False
            if not frame:
                continue
            payload = None if too_long else decode(frame)
            if payload is None:
                self.damaged += 1
            else:
                yield payload
        self._append(rest)

    def _append(self, part: bytes) -> None:
        self._begun += part
        if len(self._begun) > self.LONGEST:
            self._too_long = True
            del self._begun[1:]
