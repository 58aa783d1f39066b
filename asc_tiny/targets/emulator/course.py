"""The course of decisions over time, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny.targets.emulator.thinned import Scores, Waveform
from asc_tiny.targets.image.image import Decision
from asc_tiny.util.console_text import printable
from asc_tiny.util.figures import DARK, grid, saved, style

_MOST_NAMED = 8
"""Labels whose scores have a colour of their own."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a stream with one label, in seconds."""

    start: float
    end: float
    label: str


class Course:
    """What is kept of decisions: their stretches, and scores for a picture.

    Args:
        labels: all that can be reported, in order.

    Attributes:
        labels: those.
        segments: stretches with one label each.
        decisions: number of decisions.
        names: labels that have scores, in order.
        scores: scores after smoothing, thinned out.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.segments: list[Segment] = []
        self.decisions = 0
        self.names: tuple[str, ...] = ()
        self.scores = Scores()

    def add(self, decision: Decision) -> None:
        """Append a decision, which holds from the end of the one before until its own."""
        self.names = tuple(decision.scores)
        self.scores.add(decision.end, tuple(decision.smoothed.values()))
        self.decisions += 1
        begins = self.segments[-1].end if self.segments else decision.start
        if self.segments and self.segments[-1].label == decision.label:
            begins = self.segments.pop().start
        self.segments.append(Segment(begins, decision.end, decision.label))


def draw(course: Course, title: str, waveform: Waveform | None) -> bytes:
    """Draw waveform, scores and decisions over time as a PNG file.

    Args:
        course: the decisions.
        title: text above the picture.
        waveform: extremes of the samples; None to draw none.

    Raises:
        AscError: matplotlib is not installed.
    """
    with style():
        figure, panes = grid(3, 1, width=11.0, height=5.5 + 0.25 * len(course.labels))
        samples, scores, decisions = panes[:, 0]
        figure.suptitle(printable(title), x=0.01, ha="left")
        end = course.segments[-1].end if course.segments else 1.0
        for axes in (samples, scores, decisions):
            axes.set_xlim(0.0, end)
            axes.grid(axis="x", alpha=0.3)
        _draw_waveform(samples, waveform)
        _draw_scores(scores, course)
        _draw_decisions(decisions, course)
        return saved(figure, "png")


def _draw_waveform(axes: Any, waveform: Waveform | None) -> None:
    pieces = waveform.pieces if waveform else []
    axes.fill_between(
        [end for end, _, _ in pieces],
        [low for _, low, _ in pieces],
        [high for _, _, high in pieces],
        color=DARK,
        linewidth=0.4,
    )
    axes.set_ylabel("samples\n(share of full scale)")
    axes.set_title("waveform: least and greatest sample", loc="left")


def _draw_scores(axes: Any, course: Course) -> None:
    """Draw a line for each label, those of the highest scores with a colour of their own."""
    points = course.scores.points
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
            label=printable(course.names[label]) if is_named else None,
        )
    axes.set_ylabel("score")
    axes.set_title("scores after smoothing, at the end of each window", loc="left")
    if columns:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _draw_decisions(axes: Any, course: Course) -> None:
    for index, label in enumerate(course.labels):
        spans = [(s.start, s.end - s.start) for s in course.segments if s.label == label]
        axes.broken_barh(spans, (index - 0.4, 0.8))
    axes.set_yticks(range(len(course.labels)), list(map(printable, course.labels)))
    axes.set_ylim(len(course.labels) - 0.5, -0.5)
    axes.set_xlabel("time (s)")
    axes.set_title("decisions", loc="left")
