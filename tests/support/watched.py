"""Events of a watched board, as they come over its line, without a board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from asc_tiny.firmware.provenance import Provenance
from asc_tiny.monitor.state import State, Wanted
from asc_tiny.targets.device.messages import Column, Info, Result, Status
from asc_tiny.targets.device.monitor import Connected, Counted, Decided, Event, Heard, Lost

LABELS = ("rain", "dog")
SHA256 = "ab" * 32
COLUMNS, BANDS = 4, 16
TIME = 1_700_000_000.0

HOSTILE = (
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "<img src=x onerror=alert(1)>",
    "[bold]x[/] [@click=app.quit]y[/]",
    "\u202eright to left\nand a line",
    "x" * 60_000,
)
"""Names of classes that a terminal or a page must not take for what they look like."""

_INFO: dict[str, Any] = {
    "frame_bytes": 256,
    "provenance_bytes": 100,
    "bands": BANDS,
    "columns": COLUMNS,
    "channels": 1,
    "streams": 1,
    "labels": 2,
    "sample_bytes": 2,
    "tick_rate": 1_000_000,
    "sample_rate": 8000,
    "output_zero_point": -128,
    "output_scale": 1 / 256,
}


def connected(
    labels: Sequence[str] = LABELS, *, sha256: str = SHA256, restart: bool = False, **info: Any
) -> Connected:
    figures = Info(**{**_INFO, "labels": len(labels), **info})
    record = Provenance(sha256, "cd" * 32, "1", "aot", "asc", tuple(labels))
    return Connected(figures, record, restart, TIME)


def decided(
    window: int, codes: Sequence[int], labels: Sequence[str] = LABELS, *, missed: int = 0
) -> Decided:
    scores = np.array(codes, np.int8)
    best = int(scores.argmax())
    return Decided(Result(window, best, scores, scores), labels[best], missed, TIME + window)


def heard(window: int, number: int, *, bands: int = BANDS) -> Heard:
    codes = np.linspace(-128, 127, bands).astype(np.int8)
    return Heard(Column(window, number, codes))


def counted(time: float = TIME, **figures: int) -> Counted:
    zeros = dict.fromkeys(Status.__dataclass_fields__, 0)
    return Counted(Status(**{**zeros, **figures}), time)


def lost(reason: str = "the line is closed") -> Lost:
    return Lost(reason, TIME)


def state(events: Sequence[Event], *, port: str = "COM3", wanted: Wanted | None = None) -> State:
    """Return the state after events."""
    found = State(port, wanted)
    for event in events:
        found.take(event)
    return found


def hostile() -> State:
    """Return the state after a board that says what it likes."""
    codes = range(-128, -128 + len(HOSTILE))
    return state(
        [
            connected(HOSTILE, output_scale=3e38, output_zero_point=-(2**31), tick_rate=1),
            heard(2**32 - 1, 2**31),
            heard(0, 0),
            heard(0, 3, bands=5),
            decided(2**32 - 1, codes, HOSTILE, missed=2**32 - 1),
            counted(**dict.fromkeys(Status.__dataclass_fields__, 2**32 - 1)),
            lost("\x1b[2Jgone\n" + "y" * 10_000),
        ],
        port="\x1b]0;x\x07" + "z" * 5_000,
    )
