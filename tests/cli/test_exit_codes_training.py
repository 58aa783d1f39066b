"""As ``test_exit_codes.py``, for the commands that train or evaluate."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.cli import streams
from support.commands import asc_tiny
from support.exit_codes import FULL, TRAINING, all_commands, entries, refused
from support.recipes import RECIPE
from support.small_disks import full_disk, no_file_grows

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Places:
    """What the commands work on.

    Attributes:
        recipe: of a small network.
        data: a data set.
        run: of one epoch.
        model: what it gives, in int8.
    """

    recipe: Path
    data: Path
    run: Path
    model: Path


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, synthetic: Path) -> Places:
    from asc_tiny.train import loop, recipe

    folder = tmp_path_factory.mktemp("trained")
    path = folder / "small.toml"
    path.write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        run = loop.train(recipe.load(path), Dataset.load(synthetic), folder / "run", epochs=1)
        at = Places(path, synthetic, run.root, folder / "small.tflite")
        assert asc_tiny("quantize", *WRITING["quantize --out"][1](at, at.model)) == 0
    return at


@pytest.fixture(autouse=True)
def own_cache(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Features that were computed for the run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(places.run.with_name("cache")))


WRITING: dict[str, tuple[str, Callable[[Places, Path], Sequence[object]]]] = {
    "ensemble --out": (
        ".toml",
        lambda at, out: [at.model, at.model, "--data", at.data, "--out", out],
    ),
    "evaluate --html": (".html", lambda at, out: [at.model, "--data", at.data, "--html", out]),
    "prune --out": (
        "",
        lambda at, out: [
            *(at.run, "--data", at.data, "--out", out, "--rate", "0.3"),
            *("--steps", "1", "--epochs-per-step", "1", "--final-epochs", "1"),
        ],
    ),
    "quantize --out": (
        ".tflite",
        lambda at, out: [
            *(at.run, "--data", at.data, "--out", out),
            *("--calibration", "8", "--no-accuracy"),
        ],
    ),
    "quantize --report": (
        ".json",
        lambda at, out: [
            *(at.run, "--data", at.data, "--out", at.model.with_name("again.tflite")),
            *("--calibration", "8", "--no-accuracy", "--report", out),
        ],
    ),
    "train --out": (
        "",
        lambda at, out: [at.recipe, "--data", at.data, "--out", out, "--epochs", "1"],
    ),
}


def command(name: str, places: Places, out: Path) -> list[object]:
    return [name.split()[0], *WRITING[name][1](places, out)]


def test_the_table_is_complete() -> None:
    commands = all_commands()
    outputs = {
        f"{name} {option.opts[0]}"
        for name in TRAINING
        for option in commands[name].params
        if option.name in ("out", "html", "report", "plot")
    }
    assert outputs == WRITING.keys()


@pytest.mark.parametrize("name", [name for name in WRITING if name != "quantize --report"])
def test_a_full_standard_output_is_an_error(
    name: str,
    places: Places,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = command(name, places, tmp_path / f"x{WRITING[name][0]}")
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdout", streams.results("/dev/full"))
    assert asc_tiny(*arguments) == 2
    monkeypatch.undo()
    assert capsys.readouterr().err.splitlines(keepends=True)[-1] == FULL


@pytest.mark.parametrize("name", [name for name in WRITING if name != "quantize --report"])
def test_a_full_disk(
    name: str, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with full_disk(tmp_path / "disk") as folder:
        before = entries(folder)
        path = folder / "below" / f"x{WRITING[name][0]}"
        line = refused(command(name, places, path), capsys)
        assert str(folder) in line and line.endswith("No space left on device")
        assert entries(folder) == before


@pytest.mark.parametrize("name", ["ensemble --out", "prune --out", "train --out"])
def test_a_link_to_nothing(
    name: str, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / f"link{WRITING[name][0]}"
    link.symlink_to(tmp_path / "unmounted" / "x")
    before = entries(tmp_path)
    line = refused(command(name, places, link), capsys)
    assert f"{link}: is a link to {tmp_path}/unmounted/x, which does not exist" in line
    assert entries(tmp_path) == before


@pytest.mark.parametrize("name", ["evaluate --html", "train --out"])
def test_a_cache_that_cannot_be_written(
    name: str,
    places: Places,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with full_disk(tmp_path / "disk") as folder:
        before = entries(folder)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
        line = refused(command(name, places, tmp_path / "x.html"), capsys)
        assert str(folder) in line and line.endswith("No space left on device")
        assert entries(folder) == before
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize("name", ["ensemble --out", "evaluate --html", "train --out"])
def test_files_that_cannot_grow(
    name: str, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with no_file_grows():
        refused(command(name, places, tmp_path / f"x{WRITING[name][0]}"), capsys)
    assert entries(tmp_path).keys() == {str(tmp_path)}
