"""Cascades of pooling stages: which pairs there are, and that plans of any tiles run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asc_tiny.compiler import verify
from asc_tiny.compiler.ir import LoweredGraph, Stage
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.passes.cascade import Cascade, can_cascade, cascadable_pairs, with_cascades
from asc_tiny.compiler.passes.streaming_input import with_streaming_input
from asc_tiny.compiler.passes.width_tiles import SlidingWindow, pixel_ranges
from asc_tiny.compiler.planner.arena_allocator import allocate
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.scheduler import schedule_streaming
from asc_tiny.tflite.graph import Operator
from support.hand_convolutions import convolutions
from support.hand_made import small_network
from support.hand_made_stages import CHANNELS, WIDTH, chain


def planned(lowered: LoweredGraph) -> Compiled:
    streamed = with_streaming_input(lowered)
    steps = schedule_streaming(streamed)
    arena = allocate(streamed, steps, enough=1)
    return Compiled(small_network(), lowered, (), streamed, steps, arena)


def test_neighbours_whose_buffer_no_other_reads_are_pairs() -> None:
    lowered = chain(6, 3, whole=False)
    assert cascadable_pairs(lowered) == [(0, 1), (1, 2)]
    assert all(map(can_cascade, lowered.stages))
    lowered.stages[1].output.buffer.whole = True
    assert cascadable_pairs(lowered) == [(0, 1)]


@pytest.mark.parametrize(
    ("width", "count", "sizes"), [(8, 2, [4, 4]), (7, 2, [4, 3]), (9, 4, [4, 4, 1])]
)
def test_tiles_have_even_sizes(width: int, count: int, sizes: list[int]) -> None:
    assert [each.count for each in pixel_ranges(width, count)] == sizes


@pytest.mark.parametrize("stages", [(0,), (0, 1), (1, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("tiles", [1, 2, 4])
def test_any_cascade_runs(stages: tuple[int, ...], tiles: int) -> None:
    lowered = chain(6, 3, whole=False)
    cascaded = with_cascades(lowered, [Cascade(stages, tiles)])
    assert cascaded is not None
    verify.check_stages(cascaded)
    verify.check_plan(planned(cascaded))


def test_rows_between_layers_hold_a_tile() -> None:
    """With tiles of 4 pixels, the first stage makes 5: the window reaches beyond each by one."""
    cascaded = with_cascades(chain(6, 2, whole=False), [Cascade((0, 1), 2)])
    assert cascaded is not None
    inner = {stage.output.buffer for stage in cascaded.stages if stage.on_demand}
    assert {(each.by_tile, each.row_bytes) for each in inner} == {(True, 5 * CHANNELS)}
    assert WIDTH == 8


def tiles_cover(stage: Stage, row_bytes: int, channels: int) -> bool:
    row = np.zeros(row_bytes, int)
    for tile in stage.tiles:
        width = SlidingWindow.of(tile.params).output_width
        row[tile.output : tile.output + width * channels] += 1
    return bool((row == 1).all())


@pytest.mark.parametrize("tiles", [2, 3])
def test_a_cascade_makes_tiles_on_demand(tiles: int) -> None:
    lowered = lower_graph(convolutions((1, 1), (3, 3)), whole_input=False)
    assert cascadable_pairs(lowered) == [(0, 1)]
    made = with_cascades(lowered, [Cascade((0, 1), tiles)])
    assert made is not None
    *before, last = made.stages
    # The pointwise layer is there three times: above, beside and below row y.
    assert len(before) == 3 and all(stage.on_demand for stage in before)
    assert not last.on_demand and len(last.tiles) == tiles
    assert tiles_cover(last, 12 * 4, 4)
    assert all(stage.output.buffer.by_tile for stage in before)
    # Pixels between two tiles are made twice, and rows three times.
    assert sum(stage.macs for stage in before) > lowered.stages[0].macs
    assert last.macs == lowered.stages[1].macs


def test_layers_whose_output_others_read_are_no_cascade() -> None:
    graph = convolutions((1, 1), (3, 3))
    assert cascadable_pairs(lower_graph(graph)) == [(0, 1)]
    first, second = (operator.outputs[0] for operator in graph.operators)
    total = replace(graph.tensors[second], index=len(graph.tensors))
    options = {"fused_activation_function": "NONE"}
    joined = replace(
        graph,
        operators=(*graph.operators, Operator(2, "ADD", (first, second), (total.index,), options)),
        tensors=(*graph.tensors, total),
        outputs=(total.index,),
    )
    assert cascadable_pairs(lower_graph(joined)) == []
