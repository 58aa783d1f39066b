"""What the gate says."""

from __future__ import annotations

from asc_tiny.report.blocks import Block, Paragraph, Section, Table, text
from asc_tiny.report.subject import Subject


def section(subject: Subject) -> Section:
    """Return every comparison with a limit."""
    verdict = subject.verdict
    if not verdict.checks:
        return Section("budget", "Budget", [Paragraph("No figure has a limit.")])
    rows, bad = [], []
    for number, check in enumerate(verdict.checks):
        value = "not measured" if check.value is None else f"{check.value:,}"
        share = (
            "-" if check.value is None or not check.limit else f"{check.value / check.limit:.0%}"
        )
        outcome = "within" if check.passed else "over" if check.value is not None else "unknown"
        if not check.passed:
            bad.append(number)
        subject_name = text(check.subject)
        rows.append([check.figure.name, subject_name, value, f"{check.limit:,}", share, outcome])
    blocks: list[Block] = [
        Paragraph(
            f"{subject.name} is {verdict.outcome}, by the convention {verdict.convention}."
            if verdict.outcome != "cannot be measured"
            else f"A figure of {subject.name} {verdict.outcome}.",
            is_bad=not verdict.passed,
        ),
        Table(
            f"{subject.name}: limits",
            ["figure", "of", "value", "limit", "share", "verdict"],
            rows,
            left=(0, 1, 5),
            bad=bad,
        ),
    ]
    return Section("budget", "Budget", blocks)
