"""Figures and pictures of pages against the commands that make them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from counters import counters
from page_tables import page_of

from support.commands import asc_tiny
from support.paths import ROOT

NUMBER = re.compile(r"-?\d+\.?\d*")


def test_the_table_of_counters_is_made_of_counts() -> None:
    page = page_of("counters").read_text(encoding="utf-8")
    stated = page.split("<!-- counters -->")[1].split("<!-- end -->")[0].strip()
    assert stated == counters(), "python benchmarks/counters.py --write"


def test_the_picture_of_the_readme_is_what_its_command_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"`asc-tiny (generate \S+ --plan) plan.svg --out firmware`", readme)
    (shown,) = re.findall(r"\]\((docs/pictures/\S+\.svg)\)", readme)
    monkeypatch.chdir(ROOT)
    assert asc_tiny(*command.split(), tmp_path / "plan.svg", "--out", tmp_path / "firmware") == 0
    drawn, kept = (path.read_text("utf-8") for path in (tmp_path / "plan.svg", ROOT / shown))
    # Glyphs are those of another matplotlib, perhaps.
    assert texts(drawn) == texts(kept)
    for of in (rectangles, marks):
        made, known = (numbers(of(svg)) for svg in (drawn, kept))
        assert made == pytest.approx(known, abs=0.5)


def texts(svg: str) -> list[str]:
    """Return what is written: titles, units, legend."""
    return re.findall(r"<!-- (.*?) -->", svg)


def rectangles(svg: str) -> list[str]:
    """Return the outlines of what is drawn, blocks of memory above all."""
    return re.findall(r'<path d="([^"]*)" clip-path', svg)


def marks(svg: str) -> list[str]:
    """Return where marks are drawn, such as those of the axes."""
    return re.findall(r'<use [^>]*(x="[^"]*" y="[^"]*")', svg)


def numbers(parts: list[str]) -> list[float]:
    assert parts
    return [float(number) for part in parts for number in NUMBER.findall(part)]
