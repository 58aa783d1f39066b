"""Tests of this room share the plan of one network: none is about the planner."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def plans(shared_plans: None) -> None:
    """Use them in every module."""
