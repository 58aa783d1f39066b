"""The figures that most readers come for, of one model or of two side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asc_tiny.complexity.report import figures, total
from asc_tiny.report.sections import evaluation
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Table

_UNKNOWN = "not known"


def table(subjects: Sequence[Subject]) -> Table:
    """Return a row for each figure and a column for each model, the difference behind two.

    Args:
        subjects: one model or two.
    """
    head = ["figure", *(each.name for each in subjects)]
    rows = []
    for title, value in _FIGURES.items():
        values = [value(each) for each in subjects]
        if all(each is None for each in values):
            continue
        row = [title, *(_UNKNOWN if each is None else f"{each:,}" for each in values)]
        rows.append(row + ([_difference(*values)] if len(values) == 2 else []))
    for title, words in _WORDS.items():
        cells = [words(each) for each in subjects]
        if any(cells):
            rows.append([title, *cells, *([""] if len(cells) == 2 else [])])
    if len(subjects) == 2:
        head.append("difference")
    return Table("Summary", head, rows)


def _difference(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return ""
    share = f" ({(after - before) / before:+.1%})" if before else ""
    return f"{after - before:+,}{share}"


def _total(key: str) -> Callable[[Subject], int | None]:
    return lambda subject: figures(total(subject.verdict.models))[key]


def _bytes(name: str) -> Callable[[Subject], int | None]:
    def added(subject: Subject) -> int | None:
        values = [getattr(each.footprint, name) for each in subject.networks]
        return None if None in values else sum(values)

    return added


def _verdict(subject: Subject) -> str:
    return subject.verdict.outcome if subject.verdict.checks else ""


def _boards(subject: Subject) -> str:
    fitting = [
        board
        for board in subject.boards
        if board.name in subject.fits and subject.fits[board.name].fits(board)
    ]
    return f"{len(fitting)} of {len(subject.fits)}" if subject.fits else ""


def _accuracy(subject: Subject) -> str:
    found = evaluation.nearest_to_chip(subject)
    if found is None:
        return ""
    low, high = found["accuracy_interval"]
    return f"{found['accuracy']:.4f} ({low:.3f} to {high:.3f})"


def _instructions(subject: Subject) -> str:
    if subject.instructions is None:
        return ""
    errors = [each.estimate.error_released for each in subject.networks if each.estimate]
    return f"{subject.instructions:,} on {subject.cpu} (estimate, within {max(errors):.1%} of " + (
        "what was counted for the released networks)"
    )


_FIGURES: dict[str, Callable[[Subject], int | None]] = {
    "parameters": _total("params"),
    "multiply-accumulates (MACs) of an inference": _total("macs"),
    "bytes of weights": _total("weight_bytes"),
    "bytes of the model files": _bytes("model_bytes"),
    "bytes of the arena, compiled ahead of time": lambda subject: subject.arena_bytes,
}
_WORDS: dict[str, Callable[[Subject], str]] = {
    "instructions of an inference": _instructions,
    "budget": _verdict,
    "boards that it fits": _boards,
    "accuracy on the evaluated split": _accuracy,
}
