"""Where a page may be served, and who may ask for it."""

from __future__ import annotations

import pytest

from asc_tiny.monitor.web import address
from asc_tiny.monitor.web.address import Address
from asc_tiny.util.errors import AscError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("9000", "127.0.0.1", 9000),
        (":9000", "127.0.0.1", 9000),
        ("localhost", "127.0.0.1", 8765),
        ("127.0.0.9:0", "127.0.0.9", 0),
        ("[::1]:9000", "::1", 9000),
        ("LOCALHOST:1", "127.0.0.1", 1),
    ],
)
def test_addresses_of_this_computer(text: str, host: str, port: int) -> None:
    assert address.parse(text, exposed=False) == Address(host, port)


@pytest.mark.parametrize("text", ["0.0.0.0:80", "[::]:80", "board.lan", "192.168.1.2", "8.8.8.8:1"])
def test_others_only_if_it_is_said(text: str) -> None:
    with pytest.raises(AscError, match="other computers could reach it; --expose allows that"):
        address.parse(text, exposed=False)
    assert address.parse(text, exposed=True).exposed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x:y",
        "127.0.0.1:65536",
        "99999",
        "::1",
        "a/b",
        "a?b",
        "a@b:1",
        "[",
        "1:2:3",
        "http://a",
    ],
)
def test_what_is_no_address(text: str) -> None:
    for exposed in (False, True):
        with pytest.raises(AscError, match=r"^--web '.*' ?[^\n]*: allowed are HOST:PORT, HOST and"):
            address.parse(text, exposed=exposed)


OURS = ["127.0.0.1:8765", "localhost:8765", "LocalHost:9", "[::1]:8765", "127.0.0.1"]
FOREIGN = [None, "", "evil.example:8765", "192.168.1.2:8765", "127.0.0.1.evil.example", "[", "a b"]


def test_hosts() -> None:
    """Other ports are well: a tunnel may have them."""
    place = Address("127.0.0.1", 8765)
    assert all(map(place.accepts, OURS))
    assert not any(map(place.accepts, FOREIGN))


def test_hosts_where_others_may_ask() -> None:
    place = Address("board.lan", 8765, exposed=True)
    # A name may be led here by its owner, an IP address may not.
    assert all(map(place.accepts, [*OURS, "192.168.1.2:8765", "board.lan:8765", "[fe80::1]:8765"]))
    assert not any(map(place.accepts, [None, "", "evil.example:8765", "xboard.lan"]))


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://localhost:8765", True),
        ("http://evil.example", False),
        ("http://localhost:3000", False),
        ("https://localhost:8765", False),
        ("http://127.0.0.1:8765", False),
        ("null", False),
        ("", False),
    ],
)
def test_origins(origin: str, accepted: bool) -> None:
    assert Address("127.0.0.1", 8765).accepts("localhost:8765", origin) is accepted


def test_a_taken_address_is_one_clear_line() -> None:
    with Address("127.0.0.1", 0).listen() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AscError, match=rf"^--web 127.0.0.1:{port}: cannot be used \(Address"):
            Address("127.0.0.1", port).listen()
    with pytest.raises(AscError, match=r"^--web nowhere.invalid:1: cannot be used \([^\n]*\)$"):
        Address("nowhere.invalid", 1, exposed=True).listen()


def test_urls() -> None:
    assert address.url("0.0.0.0", 80) == "http://127.0.0.1:80/"
    assert address.url("::1", 80) == "http://[::1]:80/"
