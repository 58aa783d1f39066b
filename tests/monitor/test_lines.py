"""Lines for people and for programs, byte for byte."""

from __future__ import annotations

import json

from asc_tiny.monitor import lines
from asc_tiny.monitor.rows import clock
from asc_tiny.monitor.state import Wanted
from support.watched import TIME, connected, decided, lost, state

EVENTS = [connected(), decided(3, (-128, 64), missed=2), lost("pulled"), connected(restart=True)]


def test_text() -> None:
    watched = state([])
    found = []
    for event in EVENTS:
        watched.take(event)
        found.append(lines.text(event, watched.snapshot()))
    at, later = clock(TIME), clock(TIME + 3)
    assert found == [
        f"{at}  connected: model abababababab, 2 labels",
        f"{later}       3  dog                  dog 0.750, rain 0.000 (2 missed)",
        f"{at}  lost: pulled",
        f"{at}  restarted: model abababababab, 2 labels",
    ]


def test_json() -> None:
    watched = state([], wanted=Wanted("m.tflite", "ef" * 32, None))
    found = []
    for event in EVENTS[:3]:
        watched.take(event)
        found.append(json.loads(lines.document(event, watched.snapshot(), compares=True)))
    common = {"schema": 1, "time": "2023-11-14T22:13:20.000+00:00"}
    assert found[0] == {
        **common,
        "event": "connected",
        "restarted": False,
        "model_sha256": "ab" * 32,
        "labels": ["rain", "dog"],
        "same_model": False,
    }
    scores = {"rain": 0.0, "dog": 0.75}
    assert found[1] == {
        "schema": 1,
        "time": "2023-11-14T22:13:23.000+00:00",
        "event": "decision",
        "window": 3,
        "label": "dog",
        "scores": scores,
        "smoothed": scores,
        "missed": 2,
    }
    assert found[2] == {**common, "event": "lost", "reason": "pulled"}
    assert "same_model" not in json.loads(
        lines.document(EVENTS[0], state(EVENTS[:1]).snapshot(), compares=False)
    )
