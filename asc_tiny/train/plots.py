"""Plots of evaluations: the same figures give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asc_tiny.errors import AscError
from asc_tiny.train.metrics import Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE = "#3b6ea5"
DARK = "#222222"
_STYLE: dict[str, Any] = {
    # Glyphs as paths: the page looks the same without any font. The salt makes ids repeatable.
    "svg.fonttype": "path",
    "svg.hashsalt": "asc-tiny",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def accuracy_bars(groups: Mapping[str, Figures], format: str = "svg") -> bytes:
    """Draw a bar with its interval for each group of clips.

    Args:
        groups: figures by name, from top to bottom.
        format: ``svg`` or ``png``.
    """
    with _style():
        figure, axes = _axes(width=6.4, height=0.5 + 0.27 * len(groups))
        places = range(len(groups))
        accuracies = [figures.accuracy for figures in groups.values()]
        axes.barh(places, accuracies, height=0.68, color=BLUE)
        for place, figures in enumerate(groups.values()):
            axes.plot(figures.accuracy_interval, (place, place), color=DARK, linewidth=1.2)
            axes.plot(figures.accuracy_interval, (place, place), "|", color=DARK, markersize=6)
            axes.text(1.02, place, f"{figures.accuracy:.3f}", va="center")
        axes.set_yticks(places, list(groups))
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.set_xlim(0.0, 1.0)
        axes.set_xlabel("accuracy")
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        return _saved(figure, format)


def confusion_matrix(
    counts: Sequence[Sequence[int]], labels: Sequence[str], format: str = "svg"
) -> bytes:
    """Draw clips by true scene (row) and decided scene (column), shaded by share of the row.

    Args:
        counts: shape (labels, labels).
        labels: in output order.
        format: ``svg`` or ``png``.
    """
    with _style():
        side = 1.6 + 0.36 * len(labels)
        figure, axes = _axes(width=side, height=side)
        shares = [[count / (sum(row) or 1) for count in row] for row in counts]
        ticks = range(len(labels))
        axes.pcolormesh(ticks, ticks, shares, cmap="Blues", vmin=0.0, vmax=1.0, shading="nearest")
        axes.invert_yaxis()
        axes.set_aspect("equal")
        for row, values in enumerate(counts):
            for column, count in enumerate(values):
                color = "white" if shares[row][column] > 0.6 else DARK
                if count:
                    axes.text(column, row, str(count), ha="center", va="center", color=color)
        axes.set_xticks(ticks, labels, rotation=90)
        axes.set_yticks(ticks, labels)
        axes.set_xlabel("decided")
        axes.set_ylabel("true")
        axes.tick_params(length=0)
        return _saved(figure, format)


def _style() -> Any:
    try:
        import matplotlib as mpl
    except ImportError as error:
        missing = "matplotlib is not installed: pip install 'asc-tiny[train]'"
        raise AscError(missing) from error
    style: Any = {**mpl.rcParamsDefault, **_STYLE}
    return mpl.rc_context(style)


def _axes(*, width: float, height: float) -> tuple[Figure, Axes]:
    # Not pyplot: it would choose a backend for windows and keep every figure.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _saved(figure: Figure, format: str) -> bytes:
    target = io.BytesIO()
    if format == "svg":
        figure.savefig(target, format="svg", metadata=_NO_METADATA)
    else:
        figure.savefig(target, format=format, dpi=120)
    return target.getvalue()
