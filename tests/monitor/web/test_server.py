"""The server: what it gives, whom it refuses, and that nobody holds it up."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from asc_tiny.monitor.state import State
from asc_tiny.monitor.web import server
from support.patience import PATIENCE_S
from support.watched import connected, decided, heard, hostile, state


@contextmanager
def served(watched: State) -> Iterator[str]:
    """Give the HOST:PORT of a server."""
    with server.serving(watched, "127.0.0.1:0") as url:
        yield urlsplit(url).netloc


def asked(place: str, path: str = "/", **headers: str) -> HTTPResponse:
    connection = HTTPConnection(place, timeout=PATIENCE_S)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def live(place: str, origin: str | None = None) -> ClientConnection:
    return connect(f"ws://{place}/live", origin=origin or f"http://{place}", max_size=None)


def test_the_page_asks_for_nothing_else() -> None:
    with served(state([])) as place:
        answer = asked(place)
        page = answer.read().decode()
        assert answer.status == 200
        assert answer.headers.get_all("Content-Type") == ["text/html; charset=utf-8"]
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and f"ws://{place}" in policy
        assert not re.findall(r"https?://|src=|@import|url\(", page.replace('http-equiv="', ""))
        assert "This page needs JavaScript" in page
        assert asked(place, "/other").status == 404


def test_states_and_then_what_is_new() -> None:
    watched = state([connected(), heard(0, 0), heard(0, 2), decided(0, (0, 64))])
    with served(watched) as place, live(place) as browser, live(place) as other:
        for each in (browser, other):
            first = json.loads(each.recv(PATIENCE_S))
            assert first["decision"] == "dog" and first["scores"][1] == ["dog", "0.750", 0.75, True]
            assert [column is None for column in first["columns"]] == [False, True, False]
        watched.take(heard(0, 3))
        again = json.loads(browser.recv(PATIENCE_S))
        assert (again["begun"], again["first"], len(again["columns"])) == (first["begun"], 3, 1)


def test_what_a_board_says_is_text_of_json() -> None:
    with served(hostile()) as place, live(place) as browser:
        found = json.loads(browser.recv(PATIENCE_S), parse_constant=lambda name: pytest.fail(name))
    assert found["scores"][1][0] == "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", ""])
def test_a_name_that_was_led_here_gets_nothing(host: str) -> None:
    with served(state([])) as place:
        assert asked(place, Host=host).status == 403
        assert asked(place, Origin="http://evil.example").status == 403
        assert asked(place, Origin=f"http://{place}").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_another_site_gets_nothing(origin: str) -> None:
    with served(state([connected()])) as place:
        with pytest.raises(InvalidStatus) as refused, live(place, origin):
            pass
        assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://{place}/live"):
            pass
        assert refused.value.response.status_code == 403


def test_only_this_computer_can_connect() -> None:
    with served(state([])) as place:
        port = int(place.split(":")[1])
        # Another interface of this computer, as the net sees it.
        with socket.socket() as probe, pytest.raises(OSError):
            probe.settimeout(1.0)
            probe.connect(("127.0.0.2", port))


def test_a_browser_that_reads_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # Far more than sockets keep.
    monkeypatch.setattr(server, "message", lambda now, columns: f"{now.number:<4000000}")
    watched = state([connected()])
    with served(watched) as place:
        slow = socket.create_connection(place.split(":"))
        slow.sendall(
            f"GET /live HTTP/1.1\r\nHost: {place}\r\nOrigin: http://{place}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        with live(place) as browser:
            for number in range(1, 6):
                assert int(browser.recv(PATIENCE_S)) == number
                watched.take(heard(0, number))
    slow.close()


def test_a_browser_that_talks_is_shown_out() -> None:
    with served(state([connected()])) as place, live(place) as browser:
        browser.send("hello")
        with pytest.raises(ConnectionClosed):
            while True:
                browser.recv(PATIENCE_S)


def test_too_many_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_BROWSERS", 1)
    with served(state([connected()])) as place, live(place) as browser:
        browser.recv(PATIENCE_S)
        with pytest.raises(InvalidStatus) as refused, live(place):
            pass
        assert refused.value.response.status_code == 503


def test_no_thread_stays() -> None:
    before = threading.active_count()
    with served(state([connected()])) as place, live(place) as browser:
        browser.recv(PATIENCE_S)
    hang = time.monotonic() + PATIENCE_S
    while threading.active_count() > before:
        assert time.monotonic() < hang
        time.sleep(0.01)
