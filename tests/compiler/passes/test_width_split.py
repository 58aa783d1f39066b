"""Convolutions split along the width: what each part reads and writes, and that plans of it run."""

from __future__ import annotations

import pytest

from asc_tiny.compiler import verify
from asc_tiny.compiler.kernel_params import ConvParams
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.passes.width_split import last_splits, split_width, splittable_width
from asc_tiny.compiler.planner.search import candidate
from support.hand_made import small_network


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
