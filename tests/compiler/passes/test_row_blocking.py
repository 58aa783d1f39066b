"""Several rows in a run: which stages can, and what changes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asc_tiny.compiler import verify
from asc_tiny.compiler.kernel_params import ConvParams
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.row_blocking import block_rows, possible_rows_per_run
from asc_tiny.compiler.planner.scheduler import schedule
from asc_tiny.compiler.planner.search import candidate
from support.hand_convolutions import check, convolutions
from support.hand_made import small_network
from support.interpreted_schedule import interpret


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


def test_row_blocking_makes_several_rows_a_run(tmp_path: Path) -> None:
    compiled = check(convolutions((1, 1), (1, 1)), tmp_path, Options(max_ram=1 << 20))
    assert compiled.rows_per_run
    assert len(compiled.schedule.order) < sum(stage.runs for stage in compiled.initial.stages)
    (number, rows), *_ = compiled.rows_per_run.items()
    assert rows in possible_rows_per_run(compiled.initial, number)


def test_row_blocking_changes_no_byte_of_a_buffer() -> None:
    lowered = lower_graph(convolutions((1, 1), (3, 3)))
    assert possible_rows_per_run(lowered, 0) == [2, 4]
    assert possible_rows_per_run(lowered, 1) == [], "a window is no row"
    blocked = block_rows(lowered, {0: 4})
    first, second = blocked.stages
    assert (first.runs, first.output.rows, first.output.row_bytes) == (2, 2, 4 * 12 * 4)
    assert first.output.buffer.size == lowered.stages[0].output.buffer.size
    # The layer behind it reads the rows that it read before.
    assert (second.inputs[0].view.rows, second.inputs[0].view.row_bytes) == (8, 12 * 4)
    interpret(blocked, schedule(blocked))
