from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.search import space as spaces
from asc_tiny.search.space import Choice, Range
from asc_tiny.util.errors import AscError

SPACE = """
recipe = "base.toml"
[halving]
epochs = [1, 3]
keep_one_in = 2
[space]
"schedule.rate_max" = { low = 0.01, high = 0.1, log = true }
"frontend.n_mels" = [32, 64]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text('name = "base"\n', encoding="utf-8")
    return tmp_path


def load(folder: Path, text: str) -> spaces.Space:
    path = folder / "space.toml"
    path.write_text(text, encoding="utf-8")
    return spaces.load(path)


def test_ranges_and_choices(folder: Path) -> None:
    space = load(folder, SPACE)
    assert space.recipe == folder / "base.toml"
    assert space.halving.epochs == (1, 3) and space.halving.keep_one_in == 2
    assert space.parameters == {
        "frontend.n_mels": Choice((32, 64)),
        "schedule.rate_max": Range(low=0.01, high=0.1, log=True),
    }


def test_a_range_of_whole_numbers_is_told_from_one_of_any(folder: Path) -> None:
    assert Range(low=1, high=9, step=2).is_whole
    assert not Range(low=1, high=9, step=0.5).is_whole
    assert not Range(low=0.5, high=9).is_whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('recipe = "base.toml"', 'recipe = "gone.toml"'), "is neither in"),
        (('recipe = "base.toml"', ""), "must name the recipe"),
        (("[halving]", "[halfing]"), "unknown key halfing, allowed: halving, recipe, space"),
        (("epochs = [1, 3]", "epochs = [3, 1]"), "rising numbers from 1 on"),
        (("epochs = [1, 3]", "epochs = [0, 3]"), "rising numbers from 1 on"),
        (("keep_one_in = 2", "keep_one_in = 1"), "allowed: 2 to 100"),
        (("[32, 64]", "[32, 32]"), "1 to 1000 different values"),
        (("[32, 64]", "[]"), "1 to 1000 different values"),
        (("[32, 64]", "32"), "allowed: a list of values, or a table"),
        (("low = 0.01", "low = 0.2"), "must be below high"),
        (("low = 0.01", "low = -1"), "needs low above 0"),
        (("low = 0.01", "low = inf"), "must be a number"),
        (("low = 0.01", "low = true"), "must be a number"),
        (("log = true", "step = 1.0"), "above 0, up to high - low"),
        (("log = true", "logs = true"), "unknown key"),
        (('"frontend.n_mels"', '"seed"'), "the search chooses it itself"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    change: tuple[str, str], message: str, folder: Path
) -> None:
    with pytest.raises(AscError) as error:
        load(folder, SPACE.replace(*change))
    line = str(error.value)
    assert message in line and "space.toml" in line and "\n" not in line


def test_a_space_without_parameters_is_refused(folder: Path) -> None:
    with pytest.raises(AscError, match="at least one key of the recipe"):
        load(folder, 'recipe = "base.toml"\n')
