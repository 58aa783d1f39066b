"""Less, more, or all: -q, -v and --debug, before and behind every command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asc_tiny.cli import boards, streams, verbosity
from asc_tiny.util import child_processes
from support.commands import asc_tiny
from support.paths import MODEL

PLACES = [lambda option: [option, "boards"], lambda option: ["boards", option]]


def starts_a_program(**options: object) -> None:
    child_processes.run(["sh", "-c", "exit 0"])


@pytest.mark.parametrize("arguments", PLACES)
@pytest.mark.parametrize("option", ["-v", "--verbose"])
def test_programs_are_told(
    arguments: object,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(boards.command, "callback", starts_a_program)
    assert asc_tiny(*arguments(option)) == 0  # type: ignore[operator]
    assert capsys.readouterr().err == "+ sh -c 'exit 0'\n"
    assert asc_tiny("boards") == 0
    assert capsys.readouterr().err == "", "the next call is asked anew"


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet_leaves_results_and_errors(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "firmware"
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", out) == 0
    told = capsys.readouterr()
    assert f"wrote {out}" in told.err
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", out, option) == 0
    quiet = capsys.readouterr()
    assert quiet.err == "" and quiet.out == told.out
    assert asc_tiny(option, "budget", tmp_path / "none.tflite") == 2
    assert "none.tflite" in capsys.readouterr().err


def test_quiet_draws_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbosity.chosen, "quiet", False)
    controller, terminal = os.openpty()
    try:
        messages = streams._Messages(terminal, "w", closefd=False)
        assert messages.isatty()
        monkeypatch.setattr(verbosity.chosen, "quiet", True)
        assert not messages.isatty()
    finally:
        os.close(controller)
        os.close(terminal)


@pytest.mark.parametrize("arguments", PLACES)
def test_debug_tells_where(
    arguments: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(**options: object) -> None:
        raise OSError(2, "No such file or directory", "lost")

    monkeypatch.setattr(boards.command, "callback", fails)
    assert asc_tiny("boards") == 2
    assert "Traceback" not in capsys.readouterr().err
    assert asc_tiny(*arguments("--debug")) == 2  # type: ignore[operator]
    error = capsys.readouterr().err
    assert "in fails" in error and error.splitlines()[-1].startswith("asc-tiny: lost: ")
