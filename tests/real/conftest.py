"""What the tests by real systems share: records of what they saw, written when one asks for it."""

from __future__ import annotations

import pytest

from support import build_records
from support.build_records import Record


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes ``tests/real/builds``."""
    parser.addoption(
        "--record-builds", action="store_true", help="write what became of builds to their records"
    )


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Return what keeps the record of a build, given a kind of project; nothing unasked."""
    if request.config.getoption("--record-builds", default=False):
        return build_records.add
    return lambda kind, build: None
