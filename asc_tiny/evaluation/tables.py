"""Evaluations as text: one system in detail, several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from asc_tiny.evaluation.evaluate import ARITHMETICS, Evaluation
from asc_tiny.evaluation.metrics import Figures, Metrics
from asc_tiny.evaluation.stream import StreamEvaluation
from asc_tiny.firmware.c.escape import markdown
from asc_tiny.util.console_text import printable

TITLES = {
    "float": "float",
    "int8": "int8",
    "int8_integer_frontend": "int8, integer features",
}
"""Short names of the arithmetics."""

MISSING = "-"

STREAM_ROWS = {
    "accuracy": "accuracy",
    "accuracy_interval": "  95 % interval",
    "accuracy_unmixed": "accuracy, one scene",
    "accuracy_known": "accuracy, known",
    "unknown": "share unknown",
    "changes_per_minute": "changes per minute",
    "found": "changes of scene found",
    "latency_median": "latency, median (s)",
    "latency_mean": "latency, mean (s)",
}
"""Titles of a stream's figures."""


def rows(result: Metrics) -> dict[str, Figures]:
    """Return the figures of all clips, classes, devices and cities under the names of rows."""
    return {
        "all clips": result.overall,
        "macro average": Figures(
            result.overall.clips,
            result.overall.recordings,
            result.macro_accuracy,
            result.macro_accuracy_interval,
            result.macro_log_loss,
            result.macro_log_loss_interval,
        ),
        **result.classes,
        **{f"device {name}": figures for name, figures in result.devices.items()},
        **{f"city {name}": figures for name, figures in result.cities.items()},
    }


def system_table(evaluation: Evaluation, split: str) -> str:
    """Return the figures of a system as lines of text, a group of columns per arithmetic.

    The column ``rec.`` counts the recordings that the clips come from.
    """
    tables = {name: rows(result) for name, result in evaluation.results.items()}
    names = list(next(iter(tables.values())))
    width = max(24, *(len(name) for name in names))
    titles = "".join(f"   {TITLES[name]:^32}" for name in tables)
    heads = f"   {'accuracy':>8}  {'95 % interval':^13}  {'log loss':>8}" * len(tables)
    lines = [
        f"{printable(str(evaluation.system.path))}, split {split}",
        f"  {'':{width}}{'':13}{titles}".rstrip(),
        f"  {'':{width}}{'clips':>7}{'rec.':>6}{heads}",
    ]
    for name in names:
        cells = [table[name] for table in tables.values()]
        counts = f"{cells[0].clips:7}{cells[0].recordings:6}"
        lines.append(f"  {printable(name):{width}}{counts}{''.join(map(_cell, cells))}")
    return "\n".join(lines)


def _cell(figures: Figures) -> str:
    low, high = figures.accuracy_interval
    return f"   {figures.accuracy:8.4f}  {low:.3f} - {high:.3f}  {figures.log_loss:8.4f}"


def systems_table(evaluations: Sequence[Evaluation]) -> str:
    """Return a Markdown table of systems: what they cost and how well they do."""
    head, alignments, *body = system_rows(evaluations)
    # The name of the system is the only cell that a user has named.
    rows = [head, alignments, *([markdown(row[0]), *row[1:]] for row in body)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def system_rows(evaluations: Sequence[Evaluation]) -> list[list[str]]:
    """Return the cells of ``systems_table``: heads, alignments, a row per system.

    Columns that no system has figures for are left out.
    """
    present = [a for a in ARITHMETICS if any(a in e.results for e in evaluations)]
    columns = ["system", "parameters", "before folding", "MACs"]
    columns += [f"accuracy, {TITLES[name]}" for name in present]
    columns += [f"log loss, {TITLES[name]}" for name in present]
    systems = [
        [name, *_system_cells(evaluation, present)]
        for name, evaluation in zip(names(evaluations), evaluations, strict=True)
    ]
    kept = [i for i in range(len(columns)) if any(row[i] != MISSING for row in systems)]
    table = [columns, ["---"] + ["---:"] * (len(columns) - 1), *systems]
    return [[row[i] for i in kept] for row in table]


def stream_table(evaluation: StreamEvaluation, split: str) -> str:
    """Return the figures of decisions about a stream as lines of text, a column a labelling."""
    values = [asdict(figures) for figures in evaluation.results.values()]
    lines = [
        f"{printable(str(evaluation.system.path))}, split {split} as a stream: "
        f"{evaluation.seconds:.0f} s, {evaluation.recordings} recordings, "
        f"{evaluation.scene_changes} changes of scene",
        f"  {evaluation.windows} windows, {evaluation.mixed} of them with several scenes",
        f"  {'':28}{''.join(f'{name:>16}' for name in evaluation.results)}",
    ]
    for key, title in STREAM_ROWS.items():
        cells = (_stream_cell(figures[key]) for figures in values)
        lines.append(f"  {title:28}{''.join(f'{cell:>16}' for cell in cells)}")
    return "\n".join(lines)


def _stream_cell(value: float | tuple[float, float] | None) -> str:
    if value is None:
        return MISSING
    return f"{value:.3f}" if isinstance(value, float) else f"{value[0]:.3f} - {value[1]:.3f}"


def names(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return a name for each system: its file's without suffix where that tells them apart."""
    paths = [evaluation.system.path for evaluation in evaluations]
    stems = [path.stem for path in paths]
    distinct = len(set(stems)) == len(stems)
    # The file of every float network has the same name: its run's folder is what tells.
    return [path.stem if distinct and path.suffix != ".keras" else str(path) for path in paths]


def _system_cells(evaluation: Evaluation, arithmetics: Sequence[str]) -> list[str]:
    system = evaluation.system
    found = [evaluation.results.get(name) for name in arithmetics]
    return [
        f"{system.complexity.params:,}" if system.has_int8 else MISSING,
        f"{system.unfolded_params:,}" if system.unfolded_params else MISSING,
        f"{system.complexity.macs:,}",
        *(_with_interval(result.overall) if result else MISSING for result in found),
        *(f"{result.overall.log_loss:.3f}" if result else MISSING for result in found),
    ]


def _with_interval(figures: Figures) -> str:
    low, high = figures.accuracy_interval
    return f"{figures.accuracy:.3f} ({low:.3f} to {high:.3f})"
