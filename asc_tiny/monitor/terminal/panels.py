"""Tables of the screen as text; names in them are letters, never markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import set_cell_size
from rich.text import Text

from asc_tiny.monitor import rows
from asc_tiny.monitor.state import Snapshot

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FIGURE = 6
_LEAST_BAR = 6


def heading(now: Snapshot, *, paused: bool, url: str | None) -> Text:
    """Return the first line: the board, its line, and where else this is shown."""
    style = "bold" if now.lost is None else "bold red"
    text = Text(rows.heading(now), style, no_wrap=True, overflow="ellipsis")
    if paused:
        text = Text.assemble((" PAUSED ", "reverse"), " ", text, no_wrap=True, overflow="ellipsis")
    if url:
        text.append(f"  {url}", "dim")
    return text


def scores(now: Snapshot, width: int, height: int) -> Text:
    """Return the decision and a bar for each class, the highest ones if they are too many."""
    if now.decided is None:
        return Text("no decision yet", "dim")
    found = rows.scores(now, max(height - 1, 0))
    longest = max((len(each.label) for each in found), default=0)
    label = max(min(longest, width - _FIGURE - _LEAST_BAR - 2), 4)
    text = Text(no_wrap=True, overflow="crop")
    text.append(rows.decision(now), "bold reverse")
    text.append(f"  window {now.decided.result.window}", "dim")
    for each in found:
        style = "bold green" if each.is_decided else ""
        text.append("\n" + set_cell_size(each.label, label) + " ", style)
        text.append(f"{each.text:>{_FIGURE}} ", style)
        text.append(_bar(each.share, width - label - _FIGURE - 2), style or "blue")
    return text


def _bar(share: float, width: int) -> str:
    """Return a bar of at most ``width`` letters."""
    eighths = round(share * 8 * max(width, 0))
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def table(found: Sequence[tuple[str, ...]], width: int, *, empty: str = "") -> Text:
    """Return rows whose first column is dim and whose last one is at the right.

    Args:
        found: rows of two or three texts.
        width: letters in a line.
        empty: what stands in the place of no rows.
    """
    if not found:
        return Text(empty, "dim")
    text = Text(no_wrap=True, overflow="crop")
    for number, row in enumerate(found):
        *first, last = row
        room = max(width - len(last) - 1, 0)
        left = Text(first[0], "dim" if len(first) > 1 else "")
        if len(first) > 1:
            left.append(" " + first[1], "not dim")
        left.truncate(room, pad=True)
        text.append("\n" if number else "").append_text(left).append(f" {last}")
    return text
