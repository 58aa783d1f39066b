"""Timelines of decisions as files: a table, labels for Audacity, a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TextIO

from asc_tiny.targets.image.image import Decision
from asc_tiny.util.files import replacing
from asc_tiny.util.interrupts import held

_DPI = 100


@dataclass(frozen=True)
class Segment:
    """A stretch of a stream with one label, in seconds."""

    start: float
    end: float
    label: str


class Timeline(AbstractContextManager["Timeline"]):
    """Writes decisions to ``<stem>.csv``, ``<stem>.txt`` and ``<stem>.png``.

    The picture needs matplotlib and is left out without it. Rows are written as decisions come;
    of the past only the segments are kept. The files appear when all is done.

    Args:
        stem: path of the files without their endings.
        labels: all that can be reported, in order.
    """

    def __init__(self, stem: Path, labels: Sequence[str]) -> None:
        self.stem = stem
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
        from matplotlib import rc_context

        # Names are no formulas, whatever dollar signs are in them.
        with rc_context({"text.parse_math": False}):
            self._draw(path)

    def _draw(self, path: Path) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 1.2 + 0.25 * len(self.labels)), dpi=_DPI)
        axes = figure.subplots()
        for index, label in enumerate(self.labels):
            spans = [(s.start, s.end - s.start) for s in self.segments if s.label == label]
            axes.broken_barh(spans, (index - 0.4, 0.8))
        axes.set_yticks(range(len(self.labels)), self.labels)
        axes.set_ylim(len(self.labels) - 0.5, -0.5)
        axes.set_xlim(0.0, self.segments[-1].end if self.segments else 1.0)
        axes.set_xlabel("time (s)")
        axes.set_title(self.stem.name)
        axes.grid(axis="x", alpha=0.3)
        figure.tight_layout()
        figure.savefig(path, metadata={"Software": None})
