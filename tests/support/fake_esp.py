"""An ESP32-S3 on a TCP socket: its ROM's loader and esptool's stub, with a flash behind them.

After https://docs.espressif.com/projects/esptool/en/latest/esp32s3/advanced-topics/serial-protocol.html
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

FLASH_BYTES = 8 << 20
SECTOR = 4096
CHIP_IDS = {"ESP32-S3": 9, "ESP32-C3": 5}

_SPI = 0x60002000
_CMD, _USR2, _W0 = _SPI, _SPI + 0x20, _SPI + 0x58
# Answers of the flash: GigaDevice of 8 MB; the signature of the table of its parameters.
_ANSWERS = {0x9F: 0x1740C8, 0x5A: 0x50444653}
_SECURE_DOWNLOAD = 1 << 2
_BAD_CHECKSUM = 0x07

_END, _ESCAPE = 0xC0, 0xDB


class UnpluggedError(Exception):
    """The cable was pulled out."""


class FakeEsp:
    """The chip.

    Args:
        chip: its name.
        secure_download: whether its fuses lock it.
        unplugged_at: number of the command of writing flash at which the cable is pulled out.

    Attributes:
        flash: its content.
        stuck_at: address of a byte of flash that stays 0, or None.
        mute: whether it answers nothing.
        stub: whether the stub is running.
        resets: how often it was left by a register that only a reset touches.
    """

    def __init__(
        self, chip: str = "ESP32-S3", *, secure_download: bool = False, unplugged_at: int = 0
    ) -> None:
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.stuck_at: int | None = None
        self.mute = False
        self.stub = False
        self.memory: dict[int, bytes] = {}
        self._registers: dict[int, int] = {}
        self._security = struct.pack(
            "<IB7BII", secure_download * _SECURE_DOWNLOAD, 0, *bytes(7), CHIP_IDS[chip], 0
        )
        self._unplugged_at = unplugged_at
        self._writes = 0
        self._loading: tuple[int, bytearray] = (0, bytearray())
        self._inflate = zlib.decompressobj()
        self._handlers: dict[int, Callable[[bytes], tuple[int, bytes]]] = {
            0x02: self._flash_begin,
            0x03: self._flash_data,
            0x04: self._done,
            0x05: self._memory_begin,
            0x06: self._done,
            0x07: self._memory_data,
            0x09: self._write_register,
            0x0A: self._read_register,
            0x0B: self._done,
            0x0D: self._done,
            0x10: self._deflated_begin,
            0x11: self._deflated_data,
            0x12: self._done,
            0x13: self._md5,
            0x14: lambda data: (0, self._security),
        }

    def replies(self, packet: bytes) -> Iterator[bytes]:
        """Yield what is sent for a packet."""
        direction, command, size, checksum = struct.unpack_from("<BBHI", packet)
        data = packet[8:]
        assert direction == 0 and size == len(data)
        if self.mute:
            return
        if command == 0x08:
            for _ in range(8):
                yield self._reply(command, 0 if self.stub else 0x20120707, b"")
            return
        if command in (0x03, 0x07, 0x11) and _checksum(data[16:]) != checksum & 0xFF:
            yield self._reply(command, 0, b"", error=_BAD_CHECKSUM)
            return
        value, answer = self._handlers[command](data)
        yield self._reply(command, value, answer)
        if command == 0x06 and not self.stub:
            self.stub = True
            yield b"OHAI"

    def _reply(self, command: int, value: int, data: bytes, *, error: int = 0) -> bytes:
        status = bytes([bool(error), error]) + (b"" if self.stub else bytes(2))
        return struct.pack("<BBHI", 1, command, len(data) + len(status), value) + data + status

    def _done(self, data: bytes) -> tuple[int, bytes]:
        return 0, b""

    def _memory_begin(self, data: bytes) -> tuple[int, bytes]:
        self._loading = (struct.unpack("<4I", data)[3], bytearray())
        return 0, b""

    def _memory_data(self, data: bytes) -> tuple[int, bytes]:
        address, content = self._loading
        content += data[16:]
        self.memory[address] = bytes(content)
        return 0, b""

    def _write_register(self, data: bytes) -> tuple[int, bytes]:
        address, value = struct.unpack_from("<2I", data)
        if address == _CMD:
            self._registers[_W0] = _ANSWERS.get(self._registers.get(_USR2, 0) & 0xFF, 0)
        else:
            self._registers[address] = value
        return 0, b""

    def _read_register(self, data: bytes) -> tuple[int, bytes]:
        return self._registers.get(struct.unpack("<I", data)[0], 0), b""

    def _flash_begin(self, data: bytes) -> tuple[int, bytes]:
        size, _, _, offset = struct.unpack_from("<4I", data)
        return self._begin(size, offset)

    def _deflated_begin(self, data: bytes) -> tuple[int, bytes]:
        self._inflate = zlib.decompressobj()
        return self._flash_begin(data)

    def _begin(self, size: int, offset: int) -> tuple[int, bytes]:
        end = -(-(offset + size) // SECTOR) * SECTOR
        self.flash[offset:end] = b"\xff" * (end - offset)
        self._loading = (offset, bytearray())
        return 0, b""

    def _flash_data(self, data: bytes) -> tuple[int, bytes]:
        return self._program(data[16:])

    def _deflated_data(self, data: bytes) -> tuple[int, bytes]:
        return self._program(self._inflate.decompress(data[16:]))

    def _program(self, content: bytes) -> tuple[int, bytes]:
        self._writes += 1
        if self._writes == self._unplugged_at:
            raise UnpluggedError
        address, before = self._loading
        start = address + len(before)
        before += content
        # Programming clears bits only; what is written past an erased sector shows.
        for place, byte in enumerate(content, start):
            self.flash[place] &= byte
        if self.stuck_at is not None:
            self.flash[self.stuck_at] = 0
        return 0, b""

    def _md5(self, data: bytes) -> tuple[int, bytes]:
        address, size = struct.unpack_from("<2I", data)
        digest = hashlib.md5(self.flash[address : address + size])
        return 0, digest.digest() if self.stub else digest.hexdigest().encode()


def _checksum(data: bytes) -> int:
    value = 0xEF
    for byte in data:
        value ^= byte
    return value


class _Frames:
    """Takes SLIP (RFC 1055) apart."""

    def __init__(self) -> None:
        self._frame: bytearray | None = None
        self._escaped = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        for byte in data:
            if byte == _END:
                if self._frame:
                    yield bytes(self._frame)
                    self._frame = None
                else:
                    self._frame = bytearray()
            elif self._frame is not None:
                if self._escaped:
                    self._frame.append({0xDC: _END, 0xDD: _ESCAPE}[byte])
                    self._escaped = False
                elif byte == _ESCAPE:
                    self._escaped = True
                else:
                    self._frame.append(byte)


def _framed(packet: bytes) -> bytes:
    escaped = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + escaped + b"\xc0"


@contextmanager
def plugged_in(esp: FakeEsp) -> Iterator[str]:
    """Put the chip behind a port, which goes with it when the cable is pulled out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, esp), daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        # Wakes the thread up, if it is still waiting.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(server: socket.socket, esp: FakeEsp) -> None:
    with suppress(OSError):
        connection, _ = server.accept()
        with connection:
            try:
                _talk(connection, esp)
            except UnpluggedError:
                server.close()


def _talk(connection: socket.socket, esp: FakeEsp) -> None:
    frames = _Frames()
    while data := connection.recv(1 << 16):
        for packet in frames.feed(data):
            for reply in esp.replies(packet):
                connection.sendall(_framed(reply))
