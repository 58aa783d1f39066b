"""Folders are named as people like: built in, or refused with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.util.files import write_text
from support.commands import asc_tiny
from support.hostile_models import FRONTEND, MODEL


def generate(out: Path, project: str = "cmake", *more: str) -> int:
    labels = out.parent / "labels.txt"
    write_text(labels, "a\nb\nc\n")
    options = ["--frontend", FRONTEND, "--labels", labels, "--project", project, *more]
    return asc_tiny("generate", MODEL, "--out", out, *options)


def test_names_that_are_built_in(tmp_path: Path) -> None:
    out = tmp_path / "it's a #1 $x ${y} @z@ (50 %), & é!" / "host"
    assert generate(out, "cmake", "--board", "host") == 0
    assert asc_tiny("build", out) == 0
    assert (out / "build" / "firmware").is_file()


@pytest.mark.parametrize("character", [";", '"', "[", "]", "|", "\\", "\n", "\t"])
@pytest.mark.parametrize("project", ["cmake", "zephyr"])
def test_names_that_are_refused(
    character: str, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"a{character}b" / "c"
    assert generate(out, project) == 2
    error = capsys.readouterr().err
    assert f"CMake cannot build in a folder with {character!r} in its path" in error
    assert "choose another folder" in error and error.count("\n") == 1
    assert not out.exists()
    # The sources alone go anywhere.
    assert generate(out, "sources") == 0


def test_a_project_that_was_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "good"
    assert generate(out, "cmake", "--board", "host") == 0
    moved = out.rename(tmp_path / "a;b")
    assert asc_tiny("build", moved) == 2
    assert "CMake cannot build in a folder with ';'" in capsys.readouterr().err
    assert not (moved / "build").exists()
