"""The gate: which figures are held to which limits, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asc_tiny.complexity.gate.baseline import Baseline, Comparison, absolute
from asc_tiny.complexity.gate.limits import Figure, Limits, not_measured, over_limit
from asc_tiny.complexity.gate.limits_table import table
from asc_tiny.complexity.gate.settings import ModelLimits
from asc_tiny.complexity.report import ModelComplexity, figures, total
from asc_tiny.util.blocks import Paragraph, Table
from asc_tiny.util.displayed import Displayed

if TYPE_CHECKING:
    from fractions import Fraction

GROWTH = "max_growth"
"""The rule of a check against a baseline; those against limits have the limit's name."""

TOTAL = "total"


@dataclass(frozen=True)
class Subject:
    """What limits hold for: a model file, an ensemble with its members, or all models.

    Attributes:
        name: the file's path, or ``total``.
        models: what is added up.
    """

    name: str
    models: tuple[ModelComplexity, ...]

    def largest(self, figure: Figure) -> str:
        """Return the path of the model with the largest part of a figure, the first of equals.

        A model of which it is not measured comes first.
        """

        def size(model: ModelComplexity) -> float:
            value = figures(model)[figure.key]
            return math.inf if value is None else value

        return max(self.models, key=size).path


@dataclass(frozen=True)
class Check:
    """A figure that was compared with a limit.

    Attributes:
        rule: the limit's name, such as ``max_params``, or ``max_growth``.
        subject: the file that the figure is of, or ``total``.
        file: the file that a reader should look at.
        figure: what was compared.
        value: what was measured, None for what cannot be.
        limit: the largest value that passes.
        message: the comparison in words.
    """

    rule: str
    subject: str
    file: str
    figure: Figure
    value: int | None
    limit: int
    message: str

    @property
    def passed(self) -> bool:
        """Whether the value is within the limit; a value that equals it is.

        What was not measured must not pass.
        """
        return self.value is not None and self.value <= self.limit


@dataclass(frozen=True, repr=False)
class Verdict(Displayed):
    """All that a report tells.

    Attributes:
        convention: how parameters and MACs were counted.
        models: every model file, an ensemble's members one by one.
        limits: those of the total.
        checks: every comparison with a limit, passed or not.
        comparisons: differences of each model from the baseline's; empty without a baseline.
        ensembles: what the members of each share on a microcontroller, where it was asked for.
    """

    convention: str
    models: tuple[ModelComplexity, ...]
    limits: Limits
    checks: tuple[Check, ...]
    comparisons: tuple[Comparison, ...] = ()
    ensembles: tuple[Mapping[str, Any], ...] = ()

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def unmeasured(self) -> tuple[Check, ...]:
        """The checks of which the figure cannot be measured."""
        return tuple(check for check in self.checks if check.value is None)

    @property
    def outcome(self) -> str:
        """What came of it, for people."""
        if self.unmeasured:
            return "cannot be measured"
        return "within the limits" if self.passed else "over budget"

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return not self.failed

    @property
    def summary(self) -> str:
        """One line for people."""
        names = ", ".join(Path(model.path).name for model in self.models)
        return f"{self.outcome}: {len(self.checks)} checks, {len(self.failed)} failed ({names})"

    def shown_blocks(self) -> Iterator[Paragraph | Table]:
        """Return what came of it, and every check."""
        yield Paragraph(
            f"Budget: {self.outcome}, by the convention {self.convention}.",
            is_bad=not self.passed,
        )
        yield table("Limits", self.checks)


def judge(
    subjects: Sequence[Subject],
    limits: Limits,
    *,
    convention: str = "exact",
    model_limits: Sequence[ModelLimits] = (),
    baseline: Baseline | None = None,
    growth: Fraction | int = 0,
) -> Verdict:
    """Compare what was measured with all limits.

    Args:
        subjects: each MODEL, an ensemble with its members.
        limits: those of the total.
        convention: how parameters and MACs were counted.
        model_limits: limits of single models, ensembles and members of ensembles.
        baseline: figures on file.
        growth: the share by which figures may grow beyond the baseline's.

    Raises:
        AscError: what ``Baseline.compare`` raises.
    """
    models = tuple(model for subject in subjects for model in subject.models)
    comparisons = tuple(baseline.compare(models, growth)) if baseline else ()
    checks = check_limits(Subject(TOTAL, models), limits)
    for subject in _single(subjects):
        place = absolute(Path(subject.name))
        for each in model_limits:
            if place in each.files:
                checks += check_limits(subject, each.limits)
    checks += check_growth(comparisons)
    return Verdict(convention, models, limits, tuple(checks), comparisons)


def _single(subjects: Sequence[Subject]) -> list[Subject]:
    """Return what limits of single models may name: every MODEL, and the members of ensembles."""
    found = {}
    for subject in subjects:
        found[subject.name] = subject
        for model in subject.models:
            found.setdefault(model.path, Subject(model.path, (model,)))
    return list(found.values())


def check_limits(subject: Subject, limits: Limits) -> list[Check]:
    """Compare the figures of a subject with limits."""
    prefix = "" if subject.name == TOTAL else f"{subject.name}: "
    sums = total(subject.models)
    checks = []
    for figure, limit in limits.items():
        value = figures(sums)[figure.key]
        if value is None:
            message = not_measured(figure, sums.unmeasured[figure.key])
        elif value > limit:
            message = over_limit(figure, value, limit)
        else:
            message = f"{value:,} {figure.name}, within {figure.option} {limit:,}"
        file = subject.largest(figure) if subject.name == TOTAL else subject.name
        checks.append(
            Check(figure.limit, subject.name, file, figure, value, limit, prefix + message)
        )
    return checks


def check_growth(comparisons: Sequence[Comparison]) -> list[Check]:
    """Hold every figure of every model to what the baseline allows."""
    return [
        Check(
            GROWTH,
            comparison.path,
            comparison.path,
            figure,
            change.after,
            comparison.allowed(change.before),
            f"{comparison.path}: {change.after:,} {figure.name}, {change.words} the baseline's "
            f"{change.before:,}, allowed: {comparison.allowed(change.before):,}",
        )
        for comparison in comparisons
        for figure, change in comparison.figures.items()
    ]
