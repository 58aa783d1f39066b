"""The terminal of ``asc-tiny monitor``: scores as bars, and the history of labels."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from asc_tiny.targets.device.monitor import Connected, Decided, Lost, Shown
from asc_tiny.util.console_text import printable

_HISTORY = 12


class Screen:
    """What is drawn, from the events so far."""

    def __init__(self) -> None:
        self._connected: Connected | None = None
        self._decided: Decided | None = None
        self._state = "waiting"
        self._warning: str | None = None
        self._missed = 0
        self._restarts = 0
        self._history: deque[str] = deque(maxlen=_HISTORY)

    def add(self, event: Shown, warning: Callable[[Connected], str | None]) -> None:
        """Take an event in; ``warning`` says what is wrong with a device that answers."""
        if isinstance(event, Connected):
            self._connected = event
            # Other firmware has other labels.
            self._decided = None
            self._warning = warning(event)
            self._state = f"model {event.provenance.model_sha256[:12]}"
            self._restarts += event.is_restart
        elif isinstance(event, Lost):
            self._state = f"line lost: {event.reason}"
        else:
            self._decided = event
            self._missed += event.missed
            self._history.append(event.label)

    def draw(self) -> RenderableType:
        """Return the screen."""
        parts: list[RenderableType] = [
            Text(f"{self._state}, {self._missed} decisions missed, {self._restarts} restarts")
        ]
        if self._warning:
            parts.append(Text(self._warning, style="bold red"))
        if self._connected and self._decided:
            parts.append(self._bars(self._connected, self._decided))
            parts.append(Text("latest: " + printable(" > ".join(self._history))))
        return Group(*parts)

    def _bars(self, connected: Connected, decided: Decided) -> Table:
        scores = connected.info.scores(decided.result.smoothed)
        table = Table("scene", "score", "", title=f"window {decided.result.window}")
        for label, score in zip(connected.provenance.labels, scores, strict=True):
            style = "bold green" if label == decided.label else ""
            bar = ProgressBar(total=1.0, completed=min(max(score, 0.0), 1.0), width=30)
            table.add_row(Text(printable(label), style=style), f"{score:.3f}", bar)
        return table
