"""Figures as files: the same figure gives the same bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DARK = "#222222"
_STYLE: dict[str, Any] = {
    # Glyphs as paths: the page looks the same without any font. The salt makes ids repeatable.
    "svg.fonttype": "path",
    "svg.hashsalt": "asc-tiny",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    # Names of classes and files are no formulas, whatever dollar signs are in them.
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def style() -> Any:
    """Return the context within which figures are made and saved.

    Raises:
        AscError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        missing = "matplotlib is not installed: pip install 'asc-tiny[train]'"
        raise AscError(missing) from error
    values: Any = {**mpl.rcParamsDefault, **_STYLE}
    return mpl.rc_context(values)


def grid(rows: int, columns: int, *, width: float, height: float) -> tuple[Figure, Any]:
    """Return a figure of so many inches and its axes, an array of shape (rows, columns)."""
    # Not pyplot: it would choose a backend for windows and keep every figure.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def saved(figure: Figure, format: str) -> bytes:
    """Return a figure as a file, ``svg`` or ``png``."""
    target = io.BytesIO()
    if format == "svg":
        figure.savefig(target, format="svg", metadata=_NO_METADATA)
    else:
        figure.savefig(target, format=format, dpi=120)
    return target.getvalue()
