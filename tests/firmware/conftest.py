"""Projects of one network share its plan: no test here is about the planner."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.kept_plans import kept_plans


@pytest.fixture(scope="module", autouse=True)
def plans() -> Iterator[None]:
    with kept_plans():
        yield
