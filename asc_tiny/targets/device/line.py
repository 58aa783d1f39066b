"""Lines to a device: a serial port, or the socket of an emulated board's UART."""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    pass

DEFAULT_BAUD = 115200
SIGNALS = ("both", "dtr", "rts", "none")
"""Which of the modem signals DTR and RTS are on while a serial port is open."""

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


@dataclass(frozen=True)
class Settings:
    """How a serial port is opened.

    Attributes:
        baud: speed in bits per second, at least 1.
        signals: which modem signals are on, one of ``SIGNALS``. Boards whose reset or boot pin
            hangs on one of them start only where it is off.
    """

    baud: int = DEFAULT_BAUD
    signals: str = "both"


_DEFAULT = Settings()


def open_line(port: str, settings: Settings = _DEFAULT) -> Line:
    """Open ``socket://HOST:PORT`` or a serial port such as ``/dev/ttyACM0`` or ``COM3``.

    Raises:
        AscError: it cannot be opened, or pyserial is missing for a serial port.
    """
    if port.startswith(_SOCKET):
        return SocketLine(port)
    return SerialLine(port, settings)


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
        with suppress(OSError):
            self._socket.close()


class SerialLine:
    """A serial port, by pyserial."""

    def __init__(self, port: str, settings: Settings = _DEFAULT) -> None:
        """Open the port, which no other program can open meanwhile.

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
        self._failures = (serial.SerialException, OSError, *_terminal_errors())
        self._serial = serial.Serial(baudrate=settings.baud, write_timeout=5.0, exclusive=True)
        self._serial.dtr = settings.signals in ("both", "dtr")
        self._serial.rts = settings.signals in ("both", "rts")
        self._serial.port = port
        try:
            self._serial.open()
        except (*self._failures, ValueError) as error:
            # What opens in part is given back.
            with suppress(*self._failures):
                self._serial.close()
            raise AscError(f"{port}: cannot be opened ({error}){_advice(port, error)}") from None

    def read(self, timeout_s: float) -> bytes:
        """See ``Line``."""
        try:
            self._serial.timeout = timeout_s
            first: bytes = self._serial.read(1)
            rest: bytes = self._serial.read(min(self._serial.in_waiting, _MOST)) if first else b""
        except self._failures as error:
            raise LineLostError(f"{self.name}: the line is lost ({error})") from None
        return first + rest

    def write(self, data: bytes) -> None:
        """See ``Line``."""
        try:
            self._serial.write(data)
        except self._failures as error:
            raise LineLostError(f"{self.name}: the line is lost ({error})") from None

    def close(self) -> None:
        """See ``Line``."""
        with suppress(*self._failures):
            self._serial.close()


def _terminal_errors() -> tuple[type[Exception], ...]:
    """Return what the system's terminal settings raise, which is no OSError."""
    try:
        import termios
    except ImportError:
        return ()
    return (termios.error,) if hasattr(termios, "error") else ()


def _advice(port: str, error: Exception) -> str:
    """Return what a user can do about a port that does not open, "" if that is not known."""
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return f"; {_permission(port)}"
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in str(error):
        return "; another program has it open: a terminal, an IDE's monitor, ModemManager?"
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return "; is the board connected by a cable that carries data, and its driver there?"
    return ""


def _permission(port: str) -> str:
    """Return how a user gets the right to open a port."""
    if not sys.platform.startswith("linux"):
        return "its permissions do not allow it"
    group = "dialout"
    with suppress(ImportError, KeyError, OSError):
        import grp

        group = grp.getgrgid(Path(port).stat().st_gid).gr_name
    user = os.environ.get("USER", "$USER")
    return f"sudo usermod -aG {group} {user}, then log in again"
