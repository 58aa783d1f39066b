"""docs/reference/estimates.md against the files that its tables are made of."""

from __future__ import annotations

from support import cost_tables


def test_the_tables_are_made_of_the_files() -> None:
    stated = cost_tables.PAGE.read_text(encoding="utf-8")
    assert stated == cost_tables.page(), "tools/cost_tables prints it as it must be"
