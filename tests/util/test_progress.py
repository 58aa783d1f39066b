"""Progress bars: on terminals alone, with the time that is left, and from one place."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import pytest

import asc_tiny
from asc_tiny.util import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, stays: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.bar(4, "work", "part", done=1, stays=stays) as bar:
        for _ in range(3):
            bar.update()
    assert list(progress.over("abc", "letters", "letter")) == ["a", "b", "c"]
    return stream.getvalue()


def test_a_terminal_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text = drawn(Terminal(), monkeypatch, stays=True)
    assert "work:  25%" in text and "1/4" in text
    assert "work: 100%" in text and "<" in text, "the time that is left"
    assert "letters" not in text, "that was done at once"


def test_what_takes_no_time_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(Terminal(), monkeypatch, stays=False).strip() == ""
    monkeypatch.setattr(progress, "_PATIENCE_S", 1e-9)
    # tqdm draws ten times a second at most.
    for _ in progress.over("abc", "letters", "letter"):
        time.sleep(0.15)
    assert "letters" in sys.stderr.getvalue()


def test_files_get_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    assert drawn(io.StringIO(), monkeypatch, stays=True) == ""


def test_bars_come_from_here_alone() -> None:
    root = Path(asc_tiny.__file__).parent
    others = [p for p in root.rglob("*.py") if "import tqdm" in p.read_text(encoding="utf-8")]
    assert others == [root / "util" / "progress.py"]
