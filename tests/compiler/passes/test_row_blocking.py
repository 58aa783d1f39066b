"""Several rows in a run: which stages can, and what changes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asc_tiny.compiler import verify
from asc_tiny.compiler.kernel_params import ConvParams
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.passes.row_blocking import block_rows, possible_rows_per_run
from asc_tiny.compiler.planner.search import candidate
from support.hand_made import small_network


def test_only_pixel_by_pixel_stages_make_several_rows() -> None:
    lowered = lower_graph(small_network())
    assert [possible_rows_per_run(lowered, n) for n in range(5)] == [[], [], [2, 4], [], []]


@pytest.mark.parametrize("rows", [2, 4])
def test_rows_of_a_run_are_one_longer_row(rows: int) -> None:
    graph = small_network()
    lowered = lower_graph(graph)
    before, after = lowered.stages[2], block_rows(lowered, {2: rows}).stages[2]
    assert isinstance(before.params, ConvParams)
    longer = replace(
        before.params,
        input_width=rows * before.params.input_width,
        output_width=rows * before.params.output_width,
        columns=rows * before.params.columns,
    )
    assert after.params == longer
    assert (after.runs, after.output.rows) == (4 // rows, 4 // rows)
    assert after.output.row_bytes == rows * before.output.row_bytes
    assert after.macs == before.macs
    verify.check_plan(candidate(graph, lowered, (), {2: rows}))
