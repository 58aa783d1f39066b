"""Addresses to serve at, and the addresses that a request may name.

A page of somebody else, open in the same browser, must not read what the board hears. Its address
is in the header Origin of a WebSocket's request. A name of somebody else that leads to this
computer (DNS rebinding) is in the header Host.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError, reason

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765


@dataclass(frozen=True)
class Address:
    """Where a page is served.

    Attributes:
        host: name or IP address of an interface of this computer.
        port: TCP port, 0 for any free one.
        exposed: whether other computers may reach it.
    """

    host: str
    port: int
    exposed: bool = False

    def listen(self) -> socket.socket:
        """Return a socket that listens there.

        Raises:
            AscError: the address is taken, not one of this computer, or not allowed.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family)
        except OSError as error:
            where = f"--web {_joined(self.host, self.port)}"
            raise AscError(f"{where}: cannot be used ({reason(error)})") from None

    def accepts(self, host: str | None, origin: str | None = None) -> bool:
        """Return whether a request names this server, and comes from no other page.

        Args:
            host: its header Host, None if it has none.
            origin: its header Origin, None if there is none to check.
        """
        if host is None or (origin is not None and origin.lower() != f"http://{host.lower()}"):
            return False
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if _is_loopback(name):
            return True
        # An IP address cannot be led elsewhere, as a name can.
        return self.exposed and (_is_ip(name) or name in (self.host, socket.gethostname().lower()))


def parse(text: str, *, exposed: bool) -> Address:
    """Return the address that ``HOST:PORT`` or a part of it says.

    Raises:
        AscError: it is none, or other computers could reach it although ``exposed`` is not set.
    """
    where = f"--web {shown(text)}"
    try:
        parts = urlsplit(f"//:{text}" if text.isdecimal() else f"//{text}")
        is_whole = parts.netloc and not (parts.path or parts.query or parts.fragment)
        host = (parts.hostname or DEFAULT_HOST) if is_whole and not parts.username else ""
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        host, port = "", 0
    if not host:
        raise AscError(f"{where}: allowed are HOST:PORT, HOST and PORT, with ports 0 to 65535")
    if not exposed and not _is_loopback(host):
        raise AscError(
            f"{where}: other computers could reach it; --expose allows that, "
            f"{DEFAULT_HOST}:{port} is for this one alone"
        )
    return Address(DEFAULT_HOST if host == "localhost" else host, port, exposed)


def url(host: str, port: int) -> str:
    """Return the address of the page, for a browser on this computer if it listens everywhere."""
    shown_host = {"0.0.0.0": DEFAULT_HOST, "::": "::1"}.get(host, host)
    return f"http://{_joined(shown_host, port)}/"


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_ip(name) and ip_address(name).is_loopback)
