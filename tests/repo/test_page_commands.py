"""The commands of the pages, run in their order: ``tests/files/page_walks.toml`` says how."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.page_givens import Givens
from support.page_walk import Walk, begins, walked, walks
from support.paths import ROOT

pytestmark = pytest.mark.usefixtures("shared_plans")

WALKS = walks()
REASONS = ("hardware: ", "network: ", "cluster: ", "hours: ", "the reader's: ", "tests: ")
"""Why a command is not run: it needs a board, the network, hours, or a file of the reader."""


def cases() -> list[object]:
    """Each page, with a small network in CI and with the released ones in long runs."""
    quick = [pytest.param(walk, False, id=f"{walk.page}") for walk in WALKS if not walk.long]
    return quick + [
        pytest.param(walk, True, id=f"{walk.page}-released", marks=pytest.mark.exhaustive)
        for walk in WALKS
    ]


@pytest.mark.parametrize(("walk", "released"), cases())
def test_commands_of_a_page_work(
    walk: Walk, released: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in walk.needs:
        pytest.importorskip(module)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Givens(tmp_path, released=released).put(walk.given)
    walked(walk, tmp_path, monkeypatch, figures=released)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.page)
def test_what_is_not_run_has_a_reason(walk: Walk) -> None:
    commands = [*walk.commands()]
    for start, reason in {**walk.programs, **walk.left}.items():
        assert (ROOT / reason).is_file() or reason.startswith(REASONS), reason
        assert start in walk.programs or any(begins(each, start) for each in commands), start
