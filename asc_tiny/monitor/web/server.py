"""Serves the page and, by WebSockets, the state to any number of browsers.

Each browser has a thread that takes from the state what its browser has not got yet, whenever that
is ready for more. So a slow one gets fewer messages, and nothing waits for it.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from asc_tiny.monitor.state import State
from asc_tiny.monitor.web import address, page
from asc_tiny.monitor.web.address import Address
from asc_tiny.monitor.web.messages import message
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import Server, ServerConnection

MOST_BROWSERS = 16
_PERIOD_S = 0.1
_END_S = 2.0
_MOST_BYTES = 1024
"""Most bytes of a message of a browser, which sends none."""


@contextmanager
def serving(state: State, where: str, *, exposed: bool = False) -> Iterator[str]:
    """Serve a state until the end of the block; give the address of the page.

    Args:
        state: what is shown.
        where: ``HOST:PORT``, or one of both.
        exposed: whether other computers may reach it.

    Raises:
        AscError: websockets is not installed, or it cannot be served there.
    """
    try:
        from websockets.sync.server import serve
    except ImportError:
        raise AscError("--web needs websockets: pip install 'asc-tiny[flash]'") from None
    place = address.parse(where, exposed=exposed)
    site = _Site(state, place)
    logger = logging.getLogger("asc_tiny.monitor.web")
    # What browsers do wrong is not for the terminal.
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    with place.listen() as listening:
        port = listening.getsockname()[1]
        server = serve(
            site.follow,
            sock=listening,
            process_request=site.answer,
            compression=None,
            server_header=None,
            max_size=_MOST_BYTES,
            logger=logger,
        )
        # Threads of a daemon are daemons: the program ends without them.
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield address.url(place.host, port)
        finally:
            site.close(server)


class _Site:
    """What is served.

    Args:
        state: what is shown.
        place: where it is served.
    """

    def __init__(self, state: State, place: Address) -> None:
        self._state, self._place = state, place
        self._lock = threading.Lock()
        self._browsers: set[ServerConnection] = set()

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request for the page, refuse what is none of ours, let WebSockets begin."""
        # A header that comes twice is an error, and refused as one.
        hosts, origins = (request.headers.get_all(name) for name in ("Host", "Origin"))
        is_live = request.path == page.LIVE
        # Browsers always say where a WebSocket's request comes from.
        is_known = len(hosts) == 1 and len(origins) == (1 if is_live else min(len(origins), 1))
        if not is_known or not self._place.accepts(hosts[0], *origins):
            return connection.respond(HTTPStatus.FORBIDDEN, "another site asks\n")
        if is_live:
            if len(self._browsers) >= MOST_BROWSERS:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many browsers\n")
            return None
        if request.path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "not here\n")
        response = connection.respond(HTTPStatus.OK, page.html())
        del response.headers["Content-Type"]
        response.headers.update(page.headers(hosts[0]))
        return response

    def follow(self, connection: ServerConnection) -> None:
        """Send a browser what changes, until it goes."""
        from websockets.exceptions import ConnectionClosed

        with self._lock:
            self._browsers.add(connection)
        try:
            with suppress(ConnectionClosed, OSError):
                self._send(connection)
        finally:
            with self._lock:
                self._browsers.discard(connection)

    def _send(self, connection: ServerConnection) -> None:
        sent, begun, end = -1, -1, 0
        while True:
            now = self._state.snapshot()
            if now.number != sent:
                columns = self._state.columns(begun, end)
                connection.send(message(now, columns))
                sent, begun, end = now.number, columns.begun, columns.end
            try:
                connection.recv(timeout=_PERIOD_S)
            except TimeoutError:
                continue
            # The page says nothing: this is something else.
            return

    def close(self, server: Server) -> None:
        """End with all browsers, of which some may not read what they are sent."""
        with self._lock:
            browsers = list(self._browsers)
        ending = threading.Thread(target=server.shutdown, daemon=True)
        ending.start()
        ending.join(_END_S / 2)
        for each in browsers:
            with suppress(OSError):
                each.socket.shutdown(socket.SHUT_RDWR)
        ending.join(_END_S / 2)
