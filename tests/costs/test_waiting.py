"""Samples that are lost while a network runs: by hand, and told by both commands alike."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.compiler.options import Options
from asc_tiny.costs.waiting import Waiting, waiting
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model import model_file
from asc_tiny.projects.audio_buffering import Pace
from support.commands import asc_tiny
from support.paths import MODEL


@pytest.mark.parametrize(
    ("busy_s", "told"),
    [(0.2, ""), (0.5, "may take up to 500 ms"), (math.inf, "may take longer")],
)
def test_a_gap_is_told_where_the_network_takes_longer(busy_s: float, told: str) -> None:
    gap = Waiting(kept_s=0.2, busy_s=busy_s).gap()
    assert told in gap and bool(gap) == bool(told)


@pytest.mark.parametrize(
    ("inference_s", "busy_s"),
    # 1.7 cycles an instruction; the bound by which the buffer is sized, where that is less.
    [(None, 0.4), (0.1, 0.17), (0.3, 0.4)],
)
def test_the_least_bound_counts(inference_s: float | None, busy_s: float) -> None:
    model = classifier(model_file.load(MODEL), runtime="aot")
    networks = [compile_network(model.model_file, Options())]
    found = waiting(model, catalog.get("rpi_pico"), Pace(10, 0.2, 0.4), networks, inference_s)
    assert found == Waiting(0.2, pytest.approx(busy_s))


def test_a_board_without_a_clock_waits_for_nothing() -> None:
    model = classifier(model_file.load(MODEL), runtime="aot")
    assert waiting(model, catalog.get("mps2-an386"), Pace(2, 0.0, 0.4)) is None


@pytest.mark.parametrize(
    ("board", "option"), [("rpi_pico", "--schedule streaming"), ("disco_l475_iot1", None)]
)
def test_both_commands_say_so(
    board: str, option: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["generate", MODEL, "--project", "sources", "--board", board, "--out"]
    assert asc_tiny(*command, tmp_path / "plain") == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "ms of samples" in line]
    assert asc_tiny("boards", board, "--model", MODEL) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if "ms of samples" in line]
    assert len(lines) == len(notes) == (option is not None)
    if option:
        assert option in lines[0] and option in notes[0]
        assert asc_tiny(*command, tmp_path / "helped", *option.split()) == 0
        assert "ms of samples" not in capsys.readouterr().err
