"""Timelines of decisions as files: a table, labels for Audacity, a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from asc_tiny.targets.emulator.thinned import Scores, Waveform
from asc_tiny.targets.image.image import Decision
from asc_tiny.util.console_text import printable
from asc_tiny.util.figures import DARK
from asc_tiny.util.files import replacing
from asc_tiny.util.interrupts import held

_MOST_NAMED = 8
"""Labels whose scores have a colour of their own."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a stream with one label, in seconds."""

    start: float
    end: float
    label: str


class Timeline(AbstractContextManager["Timeline"]):
    """Writes decisions to ``<stem>.csv``, ``<stem>.txt`` and ``<stem>.png``.

    The picture needs matplotlib and is left out without it. Rows are written as decisions come;
    of the past only the segments and
    what the picture needs are kept. The files appear when all is done.

    Args:
        stem: path of the files without their endings.
        labels: all that can be reported, in order.
        title: text above the picture; None for the name of the files.
        waveform: extremes of the samples, which are drawn above; None to draw none.
    """

    def __init__(
        self,
        stem: Path,
        labels: Sequence[str],
        title: str | None = None,
        waveform: Waveform | None = None,
    ) -> None:
        self.stem = stem
        self._title = stem.name if title is None else title
        self._waveform = waveform
        self._points = Scores()
        self.labels = tuple(labels)
        self.segments: list[Segment] = []
        self.decisions = 0
        self._scores: tuple[str, ...] = ()
        self._files = ExitStack()

    def __enter__(self) -> Timeline:
        table = self._files.enter_context(replacing(self._path("csv")))
        self._stream: TextIO = self._files.enter_context(
            table.open("w", encoding="utf-8", newline="")
        )
        self._table = csv.writer(self._stream, lineterminator="\n")
        return self

    def add(self, decision: Decision) -> None:
        """Append a decision, which holds from the end of the one before until its own."""
        if not self.decisions:
            self._scores = tuple(decision.scores)
            columns = [f"{kind}_{name}" for kind in ("score", "smoothed") for name in self._scores]
            self._table.writerow(["start", "end", "label", *columns])
        values = [*decision.scores.values(), *decision.smoothed.values()]
        times = f"{decision.start:.6f}", f"{decision.end:.6f}"
        self._table.writerow([*times, decision.label, *(f"{value:.6f}" for value in values)])
        self._points.add(decision.end, tuple(decision.smoothed.values()))
        self.decisions += 1
        begins = self.segments[-1].end if self.segments else decision.start
        if self.segments and self.segments[-1].label == decision.label:
            begins = self.segments.pop().start
        self.segments.append(Segment(begins, decision.end, decision.label))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._files.__exit__(kind, error, trace)
            return
        with self._files as files:
            self._write_labels(files.enter_context(replacing(self._path("txt"))))
            if find_spec("matplotlib") is not None:
                self._plot(files.enter_context(replacing(self._path("png"))))
            self._stream.flush()
            done = files.pop_all()
        # All take their names, or none.
        with held():
            done.close()

    def _path(self, ending: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}.{ending}")

    def _write_labels(self, path: Path) -> None:
        lines = [f"{s.start:.6f}\t{s.end:.6f}\t{s.label}\n" for s in self.segments]
        path.write_text("".join(lines), encoding="utf-8")

    def _plot(self, path: Path) -> None:
        from asc_tiny.util.figures import grid, saved, style

        with style():
            figure, panes = grid(3, 1, width=11.0, height=5.5 + 0.25 * len(self.labels))
            waveform, scores, decisions = panes[:, 0]
            figure.suptitle(printable(self._title), x=0.01, ha="left")
            end = self.segments[-1].end if self.segments else 1.0
            for axes in (waveform, scores, decisions):
                axes.set_xlim(0.0, end)
                axes.grid(axis="x", alpha=0.3)
            self._draw_waveform(waveform)
            self._draw_scores(scores)
            self._draw_decisions(decisions)
            path.write_bytes(saved(figure, "png"))

    def _draw_waveform(self, axes: Any) -> None:
        pieces = self._waveform.pieces if self._waveform else []
        axes.fill_between(
            [end for end, _, _ in pieces],
            [low for _, low, _ in pieces],
            [high for _, _, high in pieces],
            color=DARK,
            linewidth=0.4,
        )
        axes.set_ylabel("samples\n(share of full scale)")
        axes.set_title("waveform: least and greatest sample", loc="left")

    def _draw_scores(self, axes: Any) -> None:
        """Draw a line for each label, those of the highest scores with a colour of their own."""
        points = self._points.points
        times = [time for time, _ in points]
        columns = list(zip(*(scores for _, scores in points), strict=True))
        most = sorted(range(len(columns)), key=lambda label: -max(columns[label]))[:_MOST_NAMED]
        for label, column in enumerate(columns):
            is_named = label in most
            axes.plot(
                times,
                column,
                ".-",
                markersize=3,
                linewidth=1.0 if is_named else 0.6,
                color=None if is_named else "#bbbbbb",
                label=printable(self._scores[label]) if is_named else None,
            )
        axes.set_ylabel("score")
        axes.set_title("scores after smoothing, at the end of each window", loc="left")
        if columns:
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)

    def _draw_decisions(self, axes: Any) -> None:
        for index, label in enumerate(self.labels):
            spans = [(s.start, s.end - s.start) for s in self.segments if s.label == label]
            axes.broken_barh(spans, (index - 0.4, 0.8))
        axes.set_yticks(range(len(self.labels)), list(map(printable, self.labels)))
        axes.set_ylim(len(self.labels) - 0.5, -0.5)
        axes.set_xlabel("time (s)")
        axes.set_title("decisions", loc="left")
