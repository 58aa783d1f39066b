"""Timelines of decisions as files: a table, labels for Audacity, a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TextIO

from asc_tiny.targets.emulator.course import Course, Segment, draw
from asc_tiny.targets.emulator.thinned import Waveform
from asc_tiny.targets.image.image import Decision
from asc_tiny.util.files import replacing
from asc_tiny.util.interrupts import held


class Timeline(AbstractContextManager["Timeline"]):
    """Writes decisions to ``<stem>.csv``, ``<stem>.txt`` and ``<stem>.png``.

    The picture needs matplotlib and is left out without it. Rows are written as decisions come;
    of the past only the segments
    and what the picture needs are kept. The files appear when all is done.

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
        self._course = Course(labels)
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
            names = tuple(decision.scores)
            columns = [f"{kind}_{name}" for kind in ("score", "smoothed") for name in names]
            self._table.writerow(["start", "end", "label", *columns])
        values = [*decision.scores.values(), *decision.smoothed.values()]
        times = f"{decision.start:.6f}", f"{decision.end:.6f}"
        self._table.writerow([*times, decision.label, *(f"{value:.6f}" for value in values)])
        self._course.add(decision)

    @property
    def decisions(self) -> int:
        """Number of decisions so far."""
        return self._course.decisions

    @property
    def segments(self) -> Sequence[Segment]:
        """Stretches with one label each so far."""
        return self._course.segments

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
                picture = draw(self._course, self._title, self._waveform)
                files.enter_context(replacing(self._path("png"))).write_bytes(picture)
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
