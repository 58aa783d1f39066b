"""The curve of an iterative pruning: accuracy and parameters against the pruning rate."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import replacing, write_text


@dataclass(frozen=True)
class Point:
    """A network on the way.

    Attributes:
        step: 0 for the network before pruning.
        rate: share of its filters removed since then.
        filters: number of filters left in all layers that are pruned.
        params, macs: parameters and multiply-accumulates of the Keras model, as
            docs/reference/counting.md defines them.
        accuracy: accuracy on the split ``evaluate`` after retraining, 0 to 1.
    """

    step: int
    rate: float
    filters: int
    params: int
    macs: int
    accuracy: float


def write_csv(points: Sequence[Point], path: Path) -> None:
    """Write a row per point."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Point)], lineterminator="\n")
    writer.writeheader()
    for point in points:
        row = {**asdict(point), "rate": f"{point.rate:.6f}", "accuracy": f"{point.accuracy:.6f}"}
        writer.writerow(row)
    write_text(path, text.getvalue())


def write_png(points: Sequence[Point], path: Path) -> None:
    """Draw accuracy and parameters over the rate (figure 3 of Bing et al., DCASE2023 Task 1).

    Raises:
        AscError: matplotlib is missing.
    """
    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    figure = Figure(figsize=(6.4, 5.6), dpi=120, layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    rates = [100.0 * point.rate for point in points]
    above.plot(rates, [100.0 * point.accuracy for point in points], "o-", color="tab:blue")
    above.set_ylabel("accuracy on split evaluate (%)")
    above.set_title(f"{printable(path.parent.name)}: accuracy and parameters while filters go")
    below.plot(rates, [point.params for point in points], "s-", color="tab:orange")
    below.set_ylim(bottom=0)
    below.set_ylabel("parameters")
    below.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    below.set_xlabel("filters removed (%)")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    with replacing(path) as temporary:
        # Matplotlib's version would be in the file.
        figure.savefig(temporary, metadata={"Software": None})


def require_matplotlib() -> None:
    """Raise AscError if matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise AscError("matplotlib is not installed: pip install 'asc-tiny[train]'")
