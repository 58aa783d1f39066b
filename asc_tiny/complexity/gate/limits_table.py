"""What came of each comparison with a limit, as a table for pages and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asc_tiny.util.blocks import Table, text

if TYPE_CHECKING:
    from asc_tiny.complexity.gate.gate import Check


def table(caption: str, checks: Sequence[Check]) -> Table:
    """Return a row for each check; those that did not pass are marked."""
    rows = [
        [check.figure.name, text(check.subject), *_figures(check), _outcome(check)]
        for check in checks
    ]
    bad = [number for number, check in enumerate(checks) if not check.passed]
    head = ["figure", "of", "value", "limit", "share", "verdict"]
    return Table(caption, head, rows, left=(0, 1, 5), bad=bad)


def _figures(check: Check) -> tuple[str, str, str]:
    value, limit = check.value, check.limit
    if value is None:
        return "not measured", f"{limit:,}", "-"
    return f"{value:,}", f"{limit:,}", f"{value / limit:.0%}" if limit else "-"


def _outcome(check: Check) -> str:
    if check.value is None:
        return "unknown"
    return "within" if check.passed else "over"
