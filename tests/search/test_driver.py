"""The search without training: workers that know how good each recipe is."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path

import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.search import driver
from asc_tiny.search import space as spaces
from asc_tiny.search.driver import Search
from asc_tiny.search.figures import Figures
from asc_tiny.search.workers import Training
from asc_tiny.train import recipe as recipes
from asc_tiny.train.recipe import Recipe
from asc_tiny.util.errors import AscError

pytest.importorskip("optuna")
pytest.importorskip("tensorflow")

SPACE = """
recipe = "base.toml"
[halving]
epochs = [1, 2, 4]
keep_one_in = 2
[space]
"schedule.rate_max" = { low = 0.01, high = 1.0, log = true }
"augmentation.frequency_masks" = { low = 0, high = 9 }
"""
BASE = 'name = "base"\nseed = 5\n[schedule]\ncycles = [4]\n'
BEST_RATE = 0.1


class Killed(BaseException):
    """The process ends here."""


class Known:
    """Workers whose accuracy is best at a rate and grows with epochs; they note what they do."""

    def __init__(self, die_after: int | None = None) -> None:
        self.done: list[Training] = []
        self.die_after = die_after

    def submit(self, training: Training) -> Future[float]:
        if len(self.done) == self.die_after:
            raise Killed
        self.done.append(training)
        recipe = recipes.parse(training.recipe.encode(), folder=Path())
        distance = abs(recipe.schedule.rate_max / BEST_RATE - 1.0)
        future: Future[float] = Future()
        if recipe.schedule.rate_max > 0.9:
            future.set_exception(AscError("the loss is not finite"))
        else:
            seeds = 0.001 * (recipe.seed - 5)
            future.set_result(0.01 * training.epochs + 0.9 / (1.0 + distance) + seeds)
        return future


class Masks:
    """Costs as many instructions as there are masks; more than 6 are over the limit."""

    def of(self, recipe: Recipe) -> tuple[Figures, str | None]:
        masks = recipe.augmentation.frequency_masks
        figures = Figures(params=1, macs=1, arena_bytes=100, instructions=masks)
        return figures, "too many" if masks > 6 else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    (tmp_path / "space.toml").write_text(SPACE, encoding="utf-8")
    return tmp_path


def started(folder: Path, synthetic: Path, out: str = "out", measure: object = None) -> Search:
    (folder / out).mkdir(exist_ok=True)
    space = spaces.load(folder / "space.toml")
    return Search(space, Dataset.load(synthetic), folder / out, measure or Masks())  # type: ignore[arg-type]


def test_better_candidates_are_trained_further_and_no_other(folder: Path, synthetic: Path) -> None:
    search, workers = started(folder, synthetic), Known()
    search.run(workers, 24, 1)
    by_epochs = [sum(t.epochs == epochs for t in workers.done) for epochs in (1, 2, 4)]
    assert by_epochs[0] == 24 and by_epochs[0] > by_epochs[1] >= by_epochs[2] > 0
    masks = [recipes.parse(t.recipe.encode(), folder=Path()) for t in workers.done]
    assert all(recipe.augmentation.frequency_masks <= 6 for recipe in masks)
    assert search.rejected > 0
    best = search.front()[0]
    rates = [t.values["schedule.rate_max"] for t in search.trained()]
    assert abs(best.values["schedule.rate_max"] - BEST_RATE) == min(
        abs(rate - BEST_RATE) for rate in rates
    )


def test_a_search_goes_on_after_a_kill_as_if_nothing_had_been(
    folder: Path, synthetic: Path
) -> None:
    whole, workers = started(folder, synthetic, "whole"), Known()
    whole.run(workers, 9, 1)
    for kills in range(4, len(workers.done), 6):
        cut = f"cut{kills}"
        with pytest.raises(Killed):
            started(folder, synthetic, cut).run(Known(kills), 9, 1)
        again = started(folder, synthetic, cut)
        again.run(Known(), 9, 1)
        assert [(t.values, t.rungs) for t in again.trained()] == [
            (t.values, t.rungs) for t in whole.trained()
        ]


def test_seeds_of_the_front_are_averaged(folder: Path, synthetic: Path) -> None:
    search, workers = started(folder, synthetic), Known()
    search.run(workers, 6, 1)
    before = len(workers.done)
    search.train_seeds(workers, 3)
    again = len(workers.done)
    search.train_seeds(workers, 3)
    assert len(workers.done) == again > before, "what is trained is not trained again"
    seeds = {json.loads(json.dumps(t.recipe)).split("seed = ")[1][0] for t in workers.done[before:]}
    assert seeds == {"6", "7"}
    best = search.front()[0]
    assert [round(s - best.seeds[0], 6) for s in best.seeds] == [0.0, 0.001, 0.002]


def test_a_candidate_that_fails_ends_and_is_not_the_best(folder: Path, synthetic: Path) -> None:
    text = SPACE.replace("{ low = 0.01, high = 1.0, log = true }", "[0.95, 0.2]")
    (folder / "space.toml").write_text(text, encoding="utf-8")
    search = started(folder, synthetic)
    search.run(Known(), 8, 2)
    failed = [t for t in search.trained() if not t.rungs]
    assert failed and all(t.values["schedule.rate_max"] == 0.95 for t in failed)
    assert all(t.values["schedule.rate_max"] == 0.2 for t in search.front())


def test_what_makes_no_recipe_is_passed_over(folder: Path, synthetic: Path) -> None:
    text = SPACE.replace("[space]", '[space]\n"augmentation.crop_columns" = [0, 99]')
    (folder / "space.toml").write_text(text, encoding="utf-8")
    search = started(folder, synthetic)
    search.run(Known(), 8, 1)
    assert {t.values["augmentation.crop_columns"] for t in search.trained()} == {0}
    assert len(search.trained()) == 8


def test_a_space_without_a_candidate_within_the_limits_ends_with_a_line(
    folder: Path, synthetic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "MOST_REJECTED", 12)

    class Never:
        def of(self, recipe: Recipe) -> tuple[Figures, str | None]:
            return Figures(params=9, macs=9), "9 params, --max-params 8"

    with pytest.raises(AscError, match=r"12 candidates in a row.*--max-params 8"):
        started(folder, synthetic, measure=Never()).run(Known(), 1, 1)
