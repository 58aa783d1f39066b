"""What runs read, write and wait for, by hand."""

from __future__ import annotations

import pytest

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess
from asc_tiny.compiler.planner.run_table import RunTable
from support.hand_made import chain, stage


def rows_of(table: RunTable, buffer: Buffer, numbers: list[list[int]]) -> list[list[int]]:
    """Return the rows of a buffer among the numbers of each run."""
    rows = table.rows[buffer]
    return [[number - rows.start for number in each if number in rows] for each in numbers]


def test_a_window_of_three_rows() -> None:
    """Run y reads rows y - 1 to y + 1, as far as they are there, and waits for the last of them."""
    lowered = chain(4, 8, 1, 3)
    table = RunTable(lowered)
    first, second = (each.output.buffer for each in lowered.stages)
    assert table.before == [[[]] * 4, [[(0, 1)], [(0, 2)], [(0, 3)], [(0, 3)]]]
    assert rows_of(table, first, table.reads[1]) == [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3]]
    assert rows_of(table, second, table.writes[1]) == [[0], [1], [2], [3]]


def test_rows_of_buffers_have_numbers_of_their_own() -> None:
    lowered = chain(5, 8, 1, 3, 1)
    table = RunTable(lowered)
    numbers = [number for rows in table.rows.values() for number in rows]
    assert sorted(numbers) == list(range(table.row_count))
    assert table.row_count == 4 * 5


def test_runs_of_other_stages_stay_in_the_order_of_the_rows() -> None:
    """Two stages that make a row each of what is read in turn: one, then the other, then one."""
    source, halves, result = (
        Buffer(name, rows, 4) for name, rows in (("s", 2), ("h", 4), ("r", 1))
    )
    view = BufferView.of(halves)
    even = BufferView(halves, 0, 2, 4, 8)
    odd = BufferView(halves, 4, 2, 4, 8)
    stages = [
        stage("even", [RowAccess(BufferView.of(source))], even),
        stage("odd", [RowAccess(BufferView.of(source))], odd),
        stage("all", [RowAccess(view, count=4)], BufferView.of(result)),
    ]
    views = (BufferView.of(source),), (BufferView.of(result),)
    table = RunTable(LoweredGraph("turns", stages, *views))
    assert table.before[2] == [[(0, 0), (1, 0), (0, 1), (1, 1)]]
    assert table.writers[halves] == [0, 1]


def test_a_row_behind_its_buffer_is_a_fault() -> None:
    buffer = Buffer("short", 2, 4)
    view = BufferView(buffer, 0, 3, 4, 4)
    stages = [stage("reads", [RowAccess(view)], BufferView.of(Buffer("out", 3, 4)))]
    with pytest.raises(AssertionError, match="behind its buffer"):
        RunTable(LoweredGraph("fault", stages, (view,), (stages[0].output,)))
