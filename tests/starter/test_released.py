"""Models and recipes that come with the package: each works where it is copied to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asc_tiny.model.ensemble import load_model
from asc_tiny.starter import released
from asc_tiny.train import recipe as recipe_files
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.paths import MODELS


def test_all_models_are_there() -> None:
    names = {each.name for each in released.models()}
    assert names == {path.stem for path in MODELS.glob("*.md")}
    assert all(
        each.summary.endswith(".") and "](" not in each.summary for each in released.models()
    )


@pytest.mark.parametrize("name", [each.name for each in released.models()])
def test_a_copied_model_is_whole(name: str, tmp_path: Path) -> None:
    copies = released.copy(released.find(name, released.models()), tmp_path / "a" / "b")
    assert copies[0].parent == tmp_path / "a" / "b"
    assert load_model(copies[0]).sha256 == load_model(MODELS / copies[0].name).sha256
    assert copies[-1].suffix == ".md"


@pytest.mark.parametrize("name", [each.name for each in released.recipes()])
def test_a_copied_recipe_is_whole(name: str, tmp_path: Path) -> None:
    copies = released.copy(released.find(name, released.recipes()), tmp_path)
    assert recipe_files.load(copies[0]).name == name
    named = re.findall(
        r"--(?:keep|recipe) (?:# )?(\w+\.toml)", copies[0].read_text().replace("\n", " ")
    )
    assert {*named} <= {path.name for path in copies}, "what its comment names comes with it"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    chosen = released.find("ensemble1_esc10", released.models())
    (tmp_path / "mini_segnet_esc10.tflite").write_text("mine")
    with pytest.raises(AscError, match=r"mini_segnet_esc10\.tflite: is there already"):
        released.copy(chosen, tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_what_goes_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (["models", "mobilenet_esc10"], "NAME and --out go together"),
        (["recipes", "--out", tmp_path], "NAME and --out go together"),
        (
            ["models", "x", "--out", tmp_path],
            "'x': is not among those that come with asc-tiny: ens",
        ),
    ):
        assert asc_tiny(*arguments) == 2
        assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
