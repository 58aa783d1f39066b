"""The page: sections of one model, or of two side by side, in one HTML file that needs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from asc_tiny import __version__
from asc_tiny.report import charts
from asc_tiny.report.blocks import Chart, Section
from asc_tiny.report.sections import (
    boards,
    budget,
    evaluation,
    firmware,
    front_end,
    graph,
    layers,
    memory,
    provenance,
    quantization,
    summary,
)
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Paragraph
from asc_tiny.util.html_templates import environment

_TEMPLATE = "report.html.j2"
_SECTIONS: Sequence[Callable[[Subject], Section | None]] = (
    budget.section,
    graph.section,
    layers.section,
    memory.section,
    boards.section,
    front_end.section,
    evaluation.section,
    quantization.section,
    firmware.section,
    provenance.section,
)


def render(subjects: Sequence[Subject]) -> str:
    """Return the page; the same files give the same text.

    Args:
        subjects: one model, or two that stand side by side.

    Raises:
        AscError: the library that draws charts is not installed.
    """
    columns = [[make(subject) for subject in subjects] for make in _SECTIONS]
    shown = [_complete(column) for column in columns if any(column)]
    names = " and ".join(subject.name for subject in subjects)
    page = environment(Path(__file__).parent / "templates").get_template(_TEMPLATE)
    return page.render(
        names=names,
        subjects=subjects,
        summary=summary.table(subjects),
        columns=shown,
        drawn=_Drawn(),
        script=Markup(charts.script()),
        version=__version__,
    )


def _complete(column: Sequence[Section | None]) -> list[Section]:
    """Return the same section of both models, where one of them has none with a line about that."""
    found = next(each for each in column if each is not None)
    nothing = Section(found.name, found.title, [Paragraph("Nothing is known of this model.")])
    return [each or nothing for each in column]


class _Drawn:
    """Gives each chart of the page a name of its own, and its two forms."""

    def __init__(self) -> None:
        self._names = self._count()

    def _count(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"chart{number}"

    def __call__(self, chart: Chart) -> dict[str, Any]:
        name = next(self._names)
        return {
            "name": name,
            "svg": Markup(charts.svg(chart.spec, name, is_half=chart.is_half)),
            "spec": Markup(charts.as_json(charts.specification(chart.spec))),
        }
