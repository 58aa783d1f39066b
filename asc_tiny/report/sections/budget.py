"""What the gate says."""

from __future__ import annotations

from asc_tiny.complexity.gate.limits_table import table
from asc_tiny.report.blocks import Block, Section
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Paragraph


def section(subject: Subject) -> Section:
    """Return every comparison with a limit."""
    verdict = subject.verdict
    if not verdict.checks:
        return Section("budget", "Budget", [Paragraph("No figure has a limit.")])
    blocks: list[Block] = [
        Paragraph(
            f"{subject.name} is {verdict.outcome}, by the convention {verdict.convention}."
            if verdict.outcome != "cannot be measured"
            else f"A figure of {subject.name} {verdict.outcome}.",
            is_bad=not verdict.passed,
        ),
        table(f"{subject.name}: limits", verdict.checks),
    ]
    return Section("budget", "Budget", blocks)
