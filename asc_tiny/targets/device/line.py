"""Lines to a device: a serial port, or the socket of an emulated board's UART."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    import serial

DEFAULT_BAUD = 115200
_SOCKET = "socket://"
_MOST = 4096


class LineLostError(AscError):
    """The other end is gone: unplugged, reset, or switched off."""


class Line(Protocol):
    """A stream of bytes to a device and back."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    def read(self, timeout_s: float) -> bytes:
        """Return bytes that have arrived, waiting for the first up to ``timeout_s``.

        Raises:
            LineLostError: the line is gone.
        """

    def write(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            LineLostError: the line is gone.
        """

    def close(self) -> None:
        """Give the line back."""


def open_line(port: str, *, baud: int = DEFAULT_BAUD) -> Line:
    """Open ``socket://HOST:PORT`` or a serial port such as ``/dev/ttyACM0`` or ``COM3``.

    Raises:
        AscError: it cannot be opened, or pyserial is missing for a serial port.
    """
    if port.startswith(_SOCKET):
        return SocketLine(port)
    return SerialLine(port, baud)


class SocketLine:
    """A line over TCP."""

    def __init__(self, url: str) -> None:
        """Connect to ``socket://HOST:PORT``.

        Raises:
            AscError: nobody listens there.
        """
        self.name = url
        try:
            parts = urlsplit(url)
            address = (parts.hostname or "", parts.port or 0)
            self._socket = socket.create_connection(address, timeout=5.0)
        except (OSError, ValueError) as error:
            raise AscError(f"{url}: cannot be opened ({error}); {_SOCKET}HOST:PORT") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, timeout_s: float) -> bytes:
        """See ``Line``."""
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return b""
        try:
            data = self._socket.recv(_MOST)
        except OSError as error:
            raise LineLostError(f"{self.name}: the line is lost ({error})") from None
        if not data:
            raise LineLostError(f"{self.name}: the line is closed")
        return data

    def write(self, data: bytes) -> None:
        """See ``Line``."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LineLostError(f"{self.name}: the line is lost ({error})") from None

    def close(self) -> None:
        """See ``Line``."""
        self._socket.close()


class SerialLine:
    """A serial port, by pyserial."""

    def __init__(self, port: str, baud: int) -> None:
        """Open the port.

        Raises:
            AscError: pyserial is missing, or the port cannot be opened.
        """
        try:
            import serial
        except ImportError:
            raise AscError(
                f"{port}: serial ports need pyserial; pip install 'asc-tiny[flash]'"
            ) from None
        self.name = port
        self._failure: type[Exception] = serial.SerialException
        try:
            self._serial: serial.Serial = serial.Serial(port, baud, write_timeout=5.0)
        except (serial.SerialException, ValueError) as error:
            raise AscError(f"{port}: cannot be opened ({error})") from None

    def read(self, timeout_s: float) -> bytes:
        """See ``Line``."""
        try:
            self._serial.timeout = timeout_s
            first: bytes = self._serial.read(1)
            rest: bytes = self._serial.read(min(self._serial.in_waiting, _MOST)) if first else b""
        except (self._failure, OSError) as error:
            raise LineLostError(f"{self.name}: the line is lost ({error})") from None
        return first + rest

    def write(self, data: bytes) -> None:
        """See ``Line``."""
        try:
            self._serial.write(data)
        except (self._failure, OSError) as error:
            raise LineLostError(f"{self.name}: the line is lost ({error})") from None

    def close(self) -> None:
        """See ``Line``."""
        self._serial.close()
