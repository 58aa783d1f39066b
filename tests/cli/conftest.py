"""Commands share the plan of one network: no test here is about the planner."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def plans(shared_plans: None) -> None:
    """Use them in every module."""
