"""The folder to begin with: its recipe trains, its limits hold, its commands exist."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from asc_tiny.train import recipe as recipe_files
from support.command_lines import parsed
from support.commands import asc_tiny


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert asc_tiny("init", "sounds") == 0
    monkeypatch.chdir(tmp_path / "sounds")
    return tmp_path / "sounds"


def test_the_recipe_has_the_limits_of_its_data(begun: Path) -> None:
    recipe = recipe_files.load(begun / "recipe.toml")
    assert (recipe.frontend.sample_rate, recipe.frontend.clip_samples) == (16000, 16000)


def test_the_limits_are_checked(begun: Path) -> None:
    # No model is there yet: nothing that was checked would be taken for a pass.
    assert asc_tiny("budget") == 2
    assert asc_tiny("models", "mobilenet_esc10", "--out", ".") == 0
    assert asc_tiny("budget") == 0
    settings = begun / "asc-budget.toml"
    settings.write_text(settings.read_text().replace("128K", "1K"))
    assert asc_tiny("budget") == 1


def test_the_commands_of_the_files_exist(begun: Path) -> None:
    readme = (begun / "README.md").read_text()
    lines = [line for line in readme.splitlines() if line.startswith("asc-tiny ")]
    assert len(lines) == 9
    workflow = yaml.safe_load((begun / ".github/workflows/budget.yml").read_text())
    steps = workflow["jobs"]["budget"]["steps"]
    lines += [step["run"] for step in steps if step.get("run", "").startswith("asc-tiny ")]
    for line in lines:
        parsed(line)


def test_files_of_the_user_stay(begun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asc_tiny("init") == 0, "the same files may be written again"
    (begun / "recipe.toml").write_text("mine")
    (begun / "README.md").unlink()
    assert asc_tiny("init") == 2
    assert "recipe.toml: is there already" in capsys.readouterr().err
    assert not (begun / "README.md").exists()
