"""Convolutions split along the width: what each part reads and writes, and that plans of it run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler import verify
from asc_tiny.compiler.kernel_params import ConvParams
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.width_split import (
    last_splits,
    split_stage,
    split_width,
    splittable_width,
)
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.compiler.planner.scheduler import schedule
from asc_tiny.compiler.planner.search import candidate
from asc_tiny.util.errors import AscError
from support.hand_convolutions import check, convolutions
from support.hand_made import small_network
from support.interpreted_schedule import interpret


def test_only_convolutions_with_a_window_split() -> None:
    """Convolution of 6 pixels, pool, convolution of 3 pixels, two stages of the mean."""
    lowered = lower_graph(small_network())
    assert [splittable_width(stage) for stage in lowered.stages] == [6, 0, 3, 0, 0]


@pytest.mark.parametrize(("pixels", "widths"), [(2, [2, 2, 2]), (4, [4, 2])])
def test_tiles_fill_the_row(pixels: int, widths: list[int]) -> None:
    graph = small_network()
    lowered = lower_graph(graph)
    split = split_width(lowered, {0: pixels})
    verify.check_stages(split)
    tiles = split.stages[: len(widths)]
    params = [stage.params for stage in tiles if isinstance(stage.params, ConvParams)]
    assert [each.output_width for each in params] == widths
    # Three channels a pixel; the window reaches a pixel to the left, and that is padding at first.
    assert [stage.output.start for stage in tiles] == [
        3 * sum(widths[:n]) for n in range(len(tiles))
    ]
    assert [each.window.left for each in params] == [1] + [0] * (len(tiles) - 1)
    assert sum(stage.macs for stage in tiles) == lowered.stages[0].macs
    assert max(stage.scratch for stage in tiles) < lowered.stages[0].scratch
    last = last_splits(lowered, {0: pixels})
    assert last == [len(widths) - 1 + n for n in range(5)]
    for cuts in ((), (last[0],), tuple(last)):
        verify.check_plan(candidate(graph, split, cuts))


def test_a_tight_limit_splits_rows(tmp_path: Path) -> None:
    graph = convolutions((3, 3), filters=8)
    with pytest.raises(AscError, match="needs an arena of") as error:
        compile_graph(graph, Options(max_ram=16))
    found = re.search(r"arena of ([\d,]+) bytes", str(error.value))
    assert found
    least = int(found[1].replace(",", ""))
    compiled = check(graph, tmp_path, Options(max_ram=least))
    assert compiled.arena.size == least < compile_graph(graph, Options()).arena.size
    assert len(compiled.lowered.stages) > len(lower_graph(graph).stages)


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_width_split_covers_a_row_once(size: int) -> None:
    lowered = lower_graph(convolutions((3, 3)))
    assert splittable_width(lowered.stages[0]) == 12
    parts = split_stage(lowered.stages[0], size)
    row = np.zeros(12 * 4, int)
    for part in parts:
        row[part.output.start : part.output.start + part.output.row_bytes] += 1
    assert (row == 1).all()
    assert max(part.scratch for part in parts) <= lowered.stages[0].scratch
    split = split_width(lowered, {0: size})
    interpret(split, schedule(split))
