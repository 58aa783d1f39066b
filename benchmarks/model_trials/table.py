"""Outcomes as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from model_trials.outcome import Outcome

_COLUMNS = (
    ("file", "---"),
    ("operators", "---"),
    ("parameters", "---:"),
    ("MACs", "---:"),
    ("arena", "---:"),
    ("TFLM's", "---:"),
    ("instructions", "---:"),
    ("verdict", "---"),
)


_MOST_ROWS = 40
"""Most rows of a table whose files are all named."""


def report(outcomes: Mapping[str, Outcome]) -> str:
    """Return a summary, and a table for each folder.

    A folder of very many files, such as single layers that a test wants, has rows for those alone
    of which something is to be said.

    Args:
        outcomes: outcome by the path of the file with slashes, in the order of the rows.
    """
    parts = [summary(list(outcomes.values()))]
    for folder, names in groupby(outcomes, key=_folder):
        each = {name.removeprefix(f"{folder}/"): outcomes[name] for name in names}
        parts += [f"### {folder}", summary(list(each.values()))] if folder else []
        if len(each) > _MOST_ROWS:
            each = {name: one for name, one in each.items() if kind(one) != "equal"}
        parts += [table(each)] if each else []
    return "\n\n".join(parts)


def _folder(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return a Markdown table, a row for each model.

    Args:
        outcomes: outcome by the name of the file, in the order of the rows.
    """
    head = [_row(name for name, _ in _COLUMNS), _row(line for _, line in _COLUMNS)]
    return "\n".join(head + [_row(_cells(*each)) for each in outcomes.items()])


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many models came how far, in one line."""
    counts = Counter(map(kind, outcomes))
    parts = [f"{counts[each]} {each}" for each in KINDS if counts[each]]
    files = "1 file" if len(outcomes) == 1 else f"{len(outcomes)} files"
    return f"{files}: {', '.join(parts) or 'none'}"


KINDS = (
    "equal",
    "not compared",
    "with --runtime tflm alone",
    "refused",
    "stopped",
    "DIFFERENT",
)
"""What can come of a model."""


def kind(outcome: Outcome) -> str:
    """Return which of ``KINDS`` an outcome is."""
    if outcome.differs:
        return "DIFFERENT"
    if outcome.stopped:
        return "stopped"
    if "aot" in outcome.refusals:
        refused = {"reference", "tflm"} & outcome.refusals.keys()
        return "refused" if refused else "with --runtime tflm alone"
    return "equal" if outcome.is_equal else "not compared"


def verdict(outcome: Outcome) -> str:
    """Return what came of a model, in words."""
    found = kind(outcome)
    parts = [found]
    if found == "equal":
        parts = [f"equal: {', '.join(outcome.equal)}"]
    elif found == "DIFFERENT":
        parts = [f"**DIFFERENT**: {outcome.differs}"]
    elif found == "stopped":
        parts = [f"stopped: {outcome.stopped}, {outcome.rung}"]
    rungs: dict[str, list[str]] = {}
    for rung, reason in sorted(outcome.refusals.items()):
        rungs.setdefault(reason, []).append(rung)
    parts += [f"{', '.join(names)}: {reason}" for reason, names in rungs.items()]
    return "; ".join(parts)


def _cells(name: str, outcome: Outcome) -> list[str]:
    operators = ", ".join(f"{op} {n}" for op, n in sorted(outcome.operators.items()))
    figures = (
        outcome.params,
        outcome.macs,
        outcome.arena_bytes,
        outcome.tflm_head_bytes,
        outcome.instructions,
    )
    numbers = ["-" if figure is None else f"{figure:,}" for figure in figures]
    return [f"`{name}`", operators or "-", *numbers, verdict(outcome)]


def _row(cells: Iterable[str]) -> str:
    # A bar would end the cell, and a line of several lines the table.
    plain = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(plain)} |"
