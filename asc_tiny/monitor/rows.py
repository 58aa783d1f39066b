"""What a screen and a web page write of the state: lines and tables of short texts.

Names come from boards and files. Here they become one line of letters that are shown, and are cut;
a page must escape them all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from asc_tiny.monitor.state import BLOCKS_LOST, REQUESTS_DAMAGED, Snapshot
from asc_tiny.util.console_text import cut, printable

MOST_CLASSES = 64
_MOST_LETTERS = 40
_MOST_REASON = 200


@dataclass(frozen=True)
class Score:
    """The smoothed score of a class.

    Attributes:
        label: name of the class.
        text: the score as a number.
        share: length of its bar, 0 to 1.
        is_decided: whether the board decided for it.
    """

    label: str
    text: str
    share: float
    is_decided: bool


def clock(seconds: float) -> str:
    """Return what a clock here shows at a time in seconds since 1970."""
    return datetime.fromtimestamp(seconds).strftime("%H:%M:%S")


def name(text: str) -> str:
    """Return a name as it is shown."""
    return cut(printable(text), _MOST_LETTERS)


def heading(now: Snapshot) -> str:
    """Return a line about the board and its line."""
    if now.connected is None:
        return f"waiting for the board  {name(now.port)}"
    if now.lost is not None:
        reason = cut(printable(now.lost), _MOST_REASON)
        return f"lost since {clock(now.since)}, trying again: {reason}"
    model = now.connected.provenance.model_sha256[:12]
    return f"connected since {clock(now.since)}  {name(now.port)}  model {model}"


def decision(now: Snapshot) -> str:
    """Return the label of the latest decision, "" if there is none."""
    return "" if now.decided is None else name(now.decided.label)


def scores(now: Snapshot, most: int = MOST_CLASSES) -> list[Score]:
    """Return the scores in the order of the classes, or the highest ones if they are too many.

    Args:
        now: the state.
        most: the largest number of scores.
    """
    if now.decided is None or now.connected is None:
        return []
    values = now.connected.info.scores(now.decided.result.smoothed)
    found = list(zip(now.connected.provenance.labels, values, strict=False))
    if len(found) > most:
        found = sorted(found, key=lambda each: -each[1])[:most]
    return [
        Score(name(label), _figure(value), min(max(value, 0.0), 1.0), label == now.decided.label)
        for label, value in found
    ]


def _figure(value: float) -> str:
    """Return a score as text; a device may claim any scale."""
    return f"{value:.3f}" if abs(value) < 1000.0 else f"{value:.1e}"


def history(now: Snapshot) -> list[tuple[str, str, str]]:
    """Return time, label and number of the decisions, the latest first."""
    return [(clock(run.begin), name(run.label), f"x{run.count}") for run in reversed(now.runs)]


def losses(now: Snapshot) -> list[tuple[str, str, str]]:
    """Return time, kind and number of what got lost, the latest first."""
    return [(clock(loss.begin), loss.what, f"x{loss.count:,}") for loss in reversed(now.losses)]


def totals(now: Snapshot) -> list[tuple[str, str]]:
    """Return how much got lost in all, by kind."""
    status = now.status
    return [
        ("decisions missed", f"{now.missed:,}"),
        (BLOCKS_LOST, f"{status.overruns:,}" if status else "-"),
        ("columns missing", f"{now.columns_missed:,}"),
        (REQUESTS_DAMAGED, f"{status.damaged:,}" if status else "-"),
        ("restarts", f"{now.restarts:,}"),
    ]


def costs(now: Snapshot) -> list[tuple[str, str]]:
    """Return what the board counts of its work: time and memory."""
    status, connected = now.status, now.connected
    if status is None or connected is None:
        return []
    rate = connected.info.tick_rate
    parts = [("front end, hop", status.hop_ticks)]
    if connected.info.streams:
        parts += [
            ("network, column", status.network_hop_ticks),
            ("network, last", status.network_last_ticks),
        ]
    parts += [("network, window", status.network_ticks)]
    stack = f"{status.stack_bytes:,} B" if status.stack_bytes else "not measured"
    return [
        *((what, _ticks(count, rate)) for what, count in parts),
        ("stack used", stack),
        ("arena", f"{status.arena_bytes:,} B"),
        ("windows", f"{status.windows:,}"),
    ]


def _ticks(count: int, rate: int) -> str:
    """Return instructions, or the time of ticks that come ``rate`` times a second."""
    if rate == 0:
        return f"{count:,} instr" if count < 100_000 else f"{count / 1e6:,.2f} M instr"
    milliseconds = 1000.0 * count / rate
    return f"{milliseconds:,.2f} ms" if milliseconds < 100.0 else f"{milliseconds:,.0f} ms"
