"""The evaluation as one HTML file that needs nothing else: tables, plots and provenance."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asc_tiny import __version__
from asc_tiny.evaluation import bootstrap, plots, tables
from asc_tiny.evaluation.evaluate import Evaluation
from asc_tiny.evaluation.metrics import Figures, Metrics
from asc_tiny.util.console_text import printable
from asc_tiny.util.html_templates import environment

_TEMPLATE = "evaluation.html.j2"


def render(evaluations: Sequence[Evaluation], split: str) -> str:
    """Return the page; the same evaluations give the same text.

    Args:
        evaluations: evaluations to report, at least one.
        split: name of the split of the data set that was evaluated.

    Raises:
        AscError: matplotlib is missing.
    """
    names = tables.names(evaluations)
    overall = {
        name: _plotted(evaluation)[1].overall
        for name, evaluation in zip(names, evaluations, strict=True)
    }
    head, _, *body = tables.system_rows(evaluations)
    return (
        environment(Path(__file__).parent / "templates")
        .get_template(_TEMPLATE)
        .render(
            split=split,
            overall=next(iter(overall.values())),
            draws=bootstrap.DRAWS,
            head=head,
            body=body,
            systems_plot=_systems_plot(overall, split) if len(overall) > 1 else None,
            systems=[_section(evaluation, split) for evaluation in evaluations],
            version=__version__,
        )
    )


def _systems_plot(overall: Mapping[str, Figures], split: str) -> str:
    return _data_uri(plots.accuracy_bars(overall, f"accuracy of {len(overall)} systems, {split}"))


def _section(evaluation: Evaluation, split: str) -> dict[str, Any]:
    arithmetic, result = _plotted(evaluation)
    system = evaluation.system
    groups = {f"device {name}": figures for name, figures in result.devices.items()}
    groups |= {f"city {name}": figures for name, figures in result.cities.items()}
    what = f"{printable(system.path.name)}, split {split}, {tables.TITLES[arithmetic]}"
    drawn = {
        "Accuracy per class": plots.accuracy_bars(result.classes, f"accuracy per class\n{what}"),
        "Clips by true and decided class": plots.confusion_matrix(
            result.confusion, system.labels, f"clips by true and decided class\n{what}"
        ),
        "Accuracy per device and city": plots.accuracy_bars(
            groups, f"accuracy per device and city\n{what}"
        ),
    }
    return {
        "name": str(system.path),
        "arithmetics": [tables.TITLES[name] for name in evaluation.results],
        "rows": _rows([tables.rows(each) for each in evaluation.results.values()]),
        "plotted": tables.TITLES[arithmetic],
        "plots": {title: _data_uri(data) for title, data in drawn.items()},
        "files": [
            {**file, "provenance": json.dumps(file["provenance"], indent=2, sort_keys=True)}
            for file in system.files()
        ],
    }


def _plotted(evaluation: Evaluation) -> tuple[str, Metrics]:
    """Return the arithmetic nearest to the chip's and its metrics."""
    return list(evaluation.results.items())[-1]


def _rows(columns: Sequence[Mapping[str, Figures]]) -> list[tuple[str, list[Figures]]]:
    return [(name, [column[name] for column in columns]) for name in columns[0]]


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
