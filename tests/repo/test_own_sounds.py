"""The page docs/tutorial/own_sounds.md, walked as it stands there in an empty folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.cli.main import cli
from asc_tiny.train import recipe as recipes
from support.commands import asc_tiny
from support.paths import ROOT

PAGE = (ROOT / "docs" / "tutorial" / "own_sounds.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("asc-tiny "))
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("asc-tiny ") and line != "asc-tiny doctor"
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (recipe,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "machines.toml").write_text(recipe)
    return tmp_path


def test_there_are_eight() -> None:
    assert len(COMMANDS) == 9  # and one before them that makes recordings
    known = cli.list_commands(None)  # type: ignore[arg-type]
    assert {command[0] for command in COMMANDS} <= set(known)


def test_the_data_set_of_the_page(folder: Path) -> None:
    for command in COMMANDS[:3]:
        assert asc_tiny(*command) == 0, command
    data = Dataset.load(folder / "data")
    assert data.labels == ("fan", "idle", "pump", "valve")
    counts = [len(data.split(name)) for name in ("train", "evaluate", "test")]
    assert f"{counts[0]} clips to train on, {counts[1]} to look at and {counts[2]} to test" in (
        " ".join(PAGE.split())
    )
    assert COMMANDS[-1][-1].removeprefix("data/") in {c.filename for c in data.split("test")}
    halls = [{c.identifier for c in data.split(name)} for name in ("train", "evaluate", "test")]
    assert sum(map(len, halls)) == len(set.union(*halls)) == 6
    assert recipes.load(folder / "machines.toml").frontend.clip_samples == 16000


@pytest.mark.exhaustive
@pytest.mark.qemu
def test_all_of_the_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More than the other tests of each command: that they fit each other (70 s)."""
    pytest.importorskip("tensorflow")
    for command in COMMANDS:
        capsys.readouterr()
        assert asc_tiny(*command) == 0, command
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["pump"]
