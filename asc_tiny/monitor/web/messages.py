"""What a page is sent: the state as JSON, and columns that it does not have yet."""

from __future__ import annotations

import base64
import json

from asc_tiny.monitor import rows
from asc_tiny.monitor.scale import Scale
from asc_tiny.monitor.state import Columns, Snapshot

MOST_COLUMNS = 1024
"""Columns that a page keeps."""

_MOST_ROWS = 60


def message(now: Snapshot, columns: Columns) -> str:
    """Return the state and new columns as a text of JSON.

    Every text in it is for people, on one line; the page must show it as text, not as HTML.
    """
    late = max(len(columns.shades) - MOST_COLUMNS, 0)
    found = {
        "heading": rows.heading(now),
        "lost": now.lost is not None,
        "warning": now.warning or "",
        "decision": rows.decision(now),
        "window": None if now.decided is None else now.decided.result.window,
        "scores": [
            [each.label, each.text, each.share, each.is_decided] for each in rows.scores(now)
        ],
        "history": rows.history(now)[:_MOST_ROWS],
        "totals": rows.totals(now),
        "losses": rows.losses(now)[:_MOST_ROWS],
        "costs": rows.costs(now),
        "scale": _scale(now.scale),
        "begun": columns.begun,
        "first": columns.first + late,
        "columns": [
            None if each is None else base64.b64encode(each).decode("ascii")
            for each in columns.shades[late:]
        ],
    }
    return json.dumps(found, allow_nan=False)


def _scale(scale: Scale | None) -> dict[str, object] | None:
    if scale is None:
        return None
    return {
        "bands": len(scale.levels),
        "step": scale.step_s,
        "hertz": [round(each, 1) for each in scale.centers_hz],
        "low": scale.low,
        "high": scale.high,
        "unit": scale.unit,
    }
