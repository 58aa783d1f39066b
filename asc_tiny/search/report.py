"""What a search found: a table of all candidates, a picture of accuracy against cost, a page."""

from __future__ import annotations

import base64
import csv
import io
import json
import statistics
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import jinja2

from asc_tiny.search.driver import Trained
from asc_tiny.search.figures import Figures
from asc_tiny.util import figures as drawing
from asc_tiny.util.files import write_bytes, write_text

_TEMPLATE = "search.html.j2"


def write(root: Path, trained: Sequence[Trained], front: Sequence[Trained], title: str) -> None:
    """Write ``candidates.csv``, ``pareto.png`` and ``report.html`` into a search's folder.

    Args:
        root: folder of the search.
        trained: candidates that were trained.
        front: those of them that no other one beats.
        title: text above picture and page, such as the names of space and dataset.

    Raises:
        AscError: matplotlib is missing, or a file cannot be written.
    """
    rows = table(trained, front)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(root / "candidates.csv", text.getvalue())
    picture = plot(trained, front, title)
    write_bytes(root / "pareto.png", picture)
    image = "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
    head, *body = rows
    page = _environment().get_template(_TEMPLATE)
    write_text(root / "report.html", page.render(title=title, image=image, head=head, body=body))


def table(trained: Sequence[Trained], front: Sequence[Trained]) -> list[list[str]]:
    """Return a row of names, then one for each candidate, those of the front first."""
    keys = sorted({key for each in trained for key in each.values})
    costs = [field.name for field in fields(Figures)]
    head = ["candidate", "front", "accuracy", "spread", "seeds", "rungs", *costs, *keys]
    numbers = {each.number for each in front}
    rest = sorted(
        (each for each in trained if each.number not in numbers),
        key=lambda each: (-len(each.rungs), -max(each.rungs, default=0.0), each.number),
    )
    return [head, *(_row(each, each.number in numbers, costs, keys) for each in [*front, *rest])]


def _row(each: Trained, is_best: bool, costs: Sequence[str], keys: Sequence[str]) -> list[str]:
    accuracy, spread = _accuracy(each)
    values = [getattr(each.figures, name) for name in costs]
    return [
        str(each.number),
        "yes" if is_best else "",
        "" if accuracy is None else f"{accuracy:.4f}",
        "" if spread is None else f"{spread:.4f}",
        str(len(each.seeds)) if each.seeds else "",
        str(len(each.rungs)),
        *("" if value is None else str(value) for value in values),
        *(_text(each.values.get(key)) for key in keys),
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _accuracy(each: Trained) -> tuple[float | None, float | None]:
    """Return the mean accuracy and its standard deviation over seeds, None where not known."""
    values = each.seeds or each.rungs[-1:]
    if not values:
        return None, None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def plot(trained: Sequence[Trained], front: Sequence[Trained], title: str) -> bytes:
    """Return a PNG file: accuracy against instructions or cycles, the arena as color.

    Raises:
        AscError: matplotlib is missing.
    """
    with drawing.style():
        figure, axes = drawing.grid(1, 1, width=7.0, height=4.5)
        ax = axes[0, 0]
        name = "cycles" if any(each.figures.cycles for each in front) else "instructions"
        whole = [each for each in trained if each.seeds]
        dots = ax.scatter(
            [_millions(each, name) for each in whole],
            [_accuracy(each)[0] for each in whole],
            c=[(each.figures.arena_bytes or 0) / 1024 for each in whole],
            cmap="viridis",
            label="trained to the end",
        )
        figure.colorbar(dots, ax=ax, label="arena (KiB)")
        best = sorted(front, key=lambda each: _millions(each, name))
        places = [(_millions(each, name), _accuracy(each)[0]) for each in best]
        ax.errorbar(
            [x for x, _ in places],
            [y for _, y in places],
            yerr=[_accuracy(each)[1] or 0.0 for each in best],
            color=drawing.DARK,
            capsize=3,
            linewidth=1,
            label="Pareto front, standard deviation of seeds",
        )
        for each, place in zip(best, places, strict=True):
            ax.annotate(str(each.number), place, xytext=(4, 4), textcoords="offset points")
        ax.set_xlabel(f"{name} of an inference (millions)")
        ax.set_ylabel("accuracy on split evaluate")
        ax.set_title(title)
        ax.legend(loc="lower right")
        return drawing.saved(figure, "png")


def _millions(each: Trained, name: str) -> float:
    return (getattr(each.figures, name) or 0) / 1e6


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
