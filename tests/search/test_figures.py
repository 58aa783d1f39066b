"""Figures of untrained candidates are those of the trained network."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from asc_tiny import api
from asc_tiny.audio.dataset import Dataset
from asc_tiny.boards import catalog
from asc_tiny.costs.instructions import estimate
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model import model_file
from asc_tiny.search.candidates import candidate
from asc_tiny.search.figures import Limits, Measure
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from support.trained import RECIPE_FILE, RUN, copied


def no_cycles(path: Path) -> int:
    raise AssertionError("no limit asks for cycles")


def measure(classes: int = 3, count: object = no_cycles, **limits: object) -> Measure:
    return Measure(classes, "cortex-m4", Limits(**limits), count)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(synthetic, tmp_path_factory.mktemp("trained"))


def test_figures_are_those_of_the_trained_network(trained: Path, synthetic: Path) -> None:
    recipe = recipes.load(trained / RECIPE_FILE)
    figures, over = measure().of(recipe)
    api.quantize(trained / RUN, Dataset.load(synthetic), trained / "m.tflite")
    file = model_file.load(trained / "m.tflite")
    assert over is None
    assert figures.arena_bytes == compile_network(file).arena.size
    instructions = estimate(file, "cortex-m4").instructions
    assert figures.instructions == pytest.approx(instructions, rel=0.05)
    layers = api.measure(trained / RUN / "model.keras")[0].layers
    assert figures.params == sum(layer.params for layer in layers)
    assert figures.macs == sum(layer.macs for layer in layers)


def test_what_is_over_a_limit_is_said_before_what_is_dear_is_found_out(trained: Path) -> None:
    recipe = recipes.load(trained / RECIPE_FILE)
    figures, over = measure(params=10).of(recipe)
    assert over == f"{figures.params:,} params, --max-params 10"
    assert figures.arena_bytes is None, "nothing was converted"
    figures, over = measure(arena_bytes=100, cycles=1).of(recipe)
    assert over == f"{figures.arena_bytes:,} arena bytes, --max-ram 100"
    figures, over = measure(count=lambda path: 77, cycles=76).of(recipe)
    assert (figures.cycles, over) == (77, "77 cycles, --max-cycles 76")


def test_a_board_that_is_too_small_is_told(trained: Path, tmp_path: Path) -> None:
    recipe = recipes.load(trained / RECIPE_FILE)
    file = Path(catalog.__file__).with_name("board_files") / "nrf52840dk.toml"
    text = file.read_text(encoding="utf-8")
    small = tmp_path / "small.toml"
    small.write_text(text.replace("bytes = 0x40000", "bytes = 0x1000"), encoding="utf-8")
    over = measure(board=catalog.get(str(small))).of(recipe)[1]
    assert over and "RAM" in over
    assert measure(board=catalog.get("nrf52840dk")).of(recipe)[1] is None


def test_a_share_of_filters_leaves_what_must_stay(trained: Path) -> None:
    base = recipes.load(trained / RECIPE_FILE)
    half = candidate(base, {"filters.*": 0.5, "schedule.rate_max": 0.07}, 3)
    assert half.schedule.rate_max == 0.07
    assert half.filters["point1"] == 8 and "classify" not in half.filters
    some = candidate(base, {"filters.point*": 0.5}, 3)
    assert set(some.filters) == {"point1", "point2"}
    with pytest.raises(AscError, match="matches no layer of ds_cnn"):
        candidate(base, {"filters.none*": 0.5}, 3)
    with pytest.raises(AscError, match="a share above 0, up to 1"):
        candidate(base, {"filters.*": 1.5}, 3)
    with pytest.raises(AscError, match="unknown key"):
        candidate(base, {"schedule.speed": 1}, 3)
