"""Texts of the views, from a board that is well and from one that says what it likes."""

from __future__ import annotations

import json

from asc_tiny.monitor import rows
from asc_tiny.monitor.state import State
from asc_tiny.monitor.web.messages import MOST_COLUMNS, message
from support.watched import connected, counted, decided, heard, hostile, state


def test_what_a_board_says() -> None:
    figures = {"hop_ticks": 1500, "network_ticks": 250_000, "network_hop_ticks": 9_000}
    now = state(
        [
            connected(),
            decided(0, (-128, 127)),
            counted(stack_bytes=1432, arena_bytes=21340, windows=1, **figures),
        ]
    ).snapshot()
    assert rows.decision(now) == "dog"
    assert rows.scores(now) == [
        rows.Score("rain", "0.000", 0.0, False),
        rows.Score("dog", "0.996", 255 / 256, True),
    ]
    assert rows.history(now) == [(rows.clock(now.runs[0].begin), "dog", "x1")]
    assert rows.costs(now) == [
        ("front end, hop", "1.50 ms"),
        ("network, column", "9.00 ms"),
        ("network, last", "0.00 ms"),
        ("network, window", "250 ms"),
        ("stack used", "1,432 B"),
        ("arena", "21,340 B"),
        ("windows", "1"),
    ]
    emulated = state([connected(tick_rate=0), counted(**figures)]).snapshot()
    assert rows.costs(emulated)[0] == ("front end, hop", "1,500 instr")
    assert rows.costs(emulated)[3] == ("network, window", "0.25 M instr")
    assert ("stack used", "not measured") in rows.costs(emulated)


def test_before_anything_was_said() -> None:
    now = State("COM3").snapshot()
    assert rows.heading(now) == "waiting for the board  COM3"
    assert not rows.scores(now) and not rows.costs(now) and rows.decision(now) == ""


def test_the_highest_scores_of_many_classes() -> None:
    labels = [f"c{number}" for number in range(200)]
    now = state([connected(labels), decided(0, range(-100, 100), labels)]).snapshot()
    assert [each.label for each in rows.scores(now, 2)] == ["c199", "c198"]


def test_names_are_short_lines_of_letters() -> None:
    watched = hostile()
    now = watched.snapshot()
    text = message(now, watched.columns(-1, 0))
    assert len(text) < 8_000
    found = json.loads(text)
    shown = [found["heading"], found["decision"], *(each[0] for each in found["scores"])]
    assert all(each.isprintable() and len(each) < 250 for each in shown)
    # Not a number, and no bar beyond its place.
    assert all(each[1] == "1.0e+48" or "e+" in each[1] for each in found["scores"])
    assert all(0.0 <= each[2] <= 1.0 for each in found["scores"])


def test_a_message_has_what_a_page_keeps() -> None:
    events = [connected(), *(heard(place // 4, place % 4) for place in range(MOST_COLUMNS + 5))]
    watched = state(events)
    found = json.loads(message(watched.snapshot(), watched.columns(-1, 0)))
    assert (found["first"], len(found["columns"])) == (5, MOST_COLUMNS)
    assert found["scale"]["bands"] == 16 and found["scale"]["hertz"] == []
