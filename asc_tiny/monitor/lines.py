"""What happens to a board as lines: text for people, JSON for programs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from asc_tiny.monitor.rows import clock
from asc_tiny.monitor.state import Snapshot
from asc_tiny.targets.device.monitor import Connected, Lost, Shown


def text(event: Shown, now: Snapshot) -> str:
    """Return an event as a line of text.

    Args:
        event: what happened.
        now: the state after it.
    """
    if isinstance(event, Connected):
        what = "restarted" if event.is_restart else "connected"
        model, labels = event.provenance.model_sha256[:12], event.provenance.labels
        return f"{clock(event.time)}  {what}: model {model}, {len(labels)} labels"
    if isinstance(event, Lost):
        return f"{clock(event.time)}  lost: {event.reason}"
    scores = zip(_scores(event.result.smoothed, now), _labels(now), strict=True)
    texts = ", ".join(f"{label} {score:.3f}" for score, label in islice(sorted(scores)[::-1], 3))
    missed = f" ({event.missed} missed)" if event.missed else ""
    return f"{clock(event.time)} {event.result.window:>7}  {event.label:<20} {texts}{missed}"


def document(event: Shown, now: Snapshot, *, compares: bool) -> str:
    """Return an event as a line of JSON.

    Args:
        event: what happened.
        now: the state after it.
        compares: whether the board is to run a certain model.
    """
    if isinstance(event, Connected):
        row: dict[str, object] = {
            "event": "connected",
            "restarted": event.is_restart,
            "model_sha256": event.provenance.model_sha256,
            "labels": list(event.provenance.labels),
        }
        if compares:
            row["same_model"] = now.warning is None
    elif isinstance(event, Lost):
        row = {"event": "lost", "reason": event.reason}
    else:
        row = {
            "event": "decision",
            "window": event.result.window,
            "label": event.label,
            "scores": dict(zip(_labels(now), _scores(event.result.scores, now), strict=True)),
            "smoothed": dict(zip(_labels(now), _scores(event.result.smoothed, now), strict=True)),
            "missed": event.missed,
        }
    return json.dumps({"schema": 1, "time": _utc(event.time), **row})


def _labels(now: Snapshot) -> tuple[str, ...]:
    assert now.connected is not None
    return now.connected.provenance.labels


def _scores(codes: NDArray[np.int8], now: Snapshot) -> list[float]:
    assert now.connected is not None
    return now.connected.info.scores(codes)


def _utc(seconds: float) -> str:
    """Return a time as ISO 8601 writes it, in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
