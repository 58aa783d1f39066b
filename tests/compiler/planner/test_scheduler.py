"""The scheduler on graphs made by hand: rows are there when they are read, and no longer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess
from asc_tiny.compiler.passes.streaming_input import with_streaming_input
from asc_tiny.compiler.planner.scheduler import Schedule, joined, schedule, schedule_streaming
from support.hand_made import chain, stage
from support.interpreted_schedule import RowLostError, interpret


def slots_of(lowered: LoweredGraph, steps: Schedule) -> list[int]:
    """Return the slots of each stage's output."""
    return [steps.rolling_buffers[each.output.buffer].slots for each in lowered.stages]


def test_one_layer_makes_its_rows_in_order() -> None:
    lowered = chain(4, 8, 1)
    steps = schedule(lowered)
    assert steps.order == (0, 0, 0, 0)
    buffer = steps.rolling_buffers[lowered.outputs[0].buffer]
    assert (buffer.slots, buffer.first, buffer.last) == (4, 0, 3)
    # Each row from its step on to the end, where the network's output is read.
    assert buffer.row_periods == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_window_of_three_rows_keeps_three() -> None:
    """Row y is made when rows y - 1, y and y + 1 are there; at the last row one is padding."""
    lowered = chain(5, 8, 1, 3)
    steps = schedule(lowered)
    assert steps.order == (0, 0, 1, 0, 1, 0, 1, 0, 1, 1)
    assert slots_of(lowered, steps) == [3, 5]
    interpret(lowered, steps)


@pytest.mark.parametrize("heights", [(1, 1), (3, 3), (1, 5, 3), (3, 1, 7, 1, 3)])
def test_a_chain_keeps_as_many_rows_as_windows_are_high(heights: tuple[int, ...]) -> None:
    lowered = chain(12, 8, *heights)
    steps = schedule(lowered)
    assert slots_of(lowered, steps) == [*heights[1:], 12]
    interpret(lowered, steps)


def test_a_slot_less_loses_a_row() -> None:
    """The interpreter of these tests sees it, for each rolling buffer of a chain."""
    lowered = chain(12, 8, 3, 5, 3)
    steps = schedule(lowered)
    for number in (0, 1):
        buffer = lowered.stages[number].output.buffer
        fewer = replace(
            steps.rolling_buffers[buffer], slots=steps.rolling_buffers[buffer].slots - 1
        )
        with pytest.raises(RowLostError):
            interpret(
                lowered, replace(steps, rolling_buffers={**steps.rolling_buffers, buffer: fewer})
            )


def test_a_stride_skips_no_row_that_others_read() -> None:
    source, middle, result = (
        BufferView.of(Buffer(name, rows, 4)) for name, rows in (("a", 9), ("b", 9), ("c", 4))
    )
    stages = [
        stage("first", [RowAccess(source)], middle),
        stage("strided", [RowAccess(middle, count=3, factor=2)], result),
    ]
    lowered = LoweredGraph("strided", stages, (source,), (result,))
    steps = schedule(lowered)
    # Three rows, a window, two rows, a window, ...
    assert steps.order == (0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1)
    assert slots_of(lowered, steps) == [3, 4]
    interpret(lowered, steps)


def test_a_cut_makes_a_tensor_whole_first() -> None:
    lowered = chain(6, 8, 1, 3, 3)
    steps = schedule(lowered, cuts=[1])
    assert steps.order == (0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1) + (2,) * 6
    assert slots_of(lowered, steps) == [3, 6, 6]
    interpret(lowered, steps)
    assert schedule(lowered, cuts=[0, 1, 2]).order == (0,) * 6 + (1,) * 6 + (2,) * 6


def diamond(rows: int, far: int) -> LoweredGraph:
    """Return a graph of which one branch has a window, and the sum reads both."""
    source, trunk, branch, result = (
        BufferView.of(Buffer(name, rows, 4)) for name in ("source", "trunk", "branch", "sum")
    )
    stages = [
        stage("trunk", [RowAccess(source)], trunk),
        stage("branch", [RowAccess(trunk, count=far, offset=-(far // 2))], branch),
        stage("sum", [RowAccess(trunk), RowAccess(branch)], result),
    ]
    return LoweredGraph("diamond", stages, (source,), (result,))


@pytest.mark.parametrize("far", [1, 3, 5, 9])
def test_a_branch_keeps_what_its_window_needs(far: int) -> None:
    """The trunk's row y is read last by the window of row y + far // 2."""
    lowered = diamond(10, far)
    steps = schedule(lowered)
    assert slots_of(lowered, steps) == [far, 1, 10]
    interpret(lowered, steps)


def test_what_does_not_reach_the_output_still_runs() -> None:
    lowered = diamond(4, 1)
    dead = BufferView.of(Buffer("dead", 4, 4))
    stages = [*lowered.stages, stage("dead", [RowAccess(lowered.inputs[0])], dead)]
    steps = schedule(replace(lowered, stages=stages))
    assert steps.order.count(3) == 4


def test_rows_that_are_added_up_are_one() -> None:
    """A mean: 6 rows into one sum, which is read when it is complete."""
    source, total, result = (
        BufferView.of(Buffer(name, rows, 4)) for name, rows in (("a", 6), ("b", 1), ("c", 1))
    )
    stages = [
        stage("sum", [RowAccess(source)], total, runs=6),
        stage("mean", [RowAccess(total)], result),
    ]
    lowered = LoweredGraph("mean", stages, (source,), (result,))
    steps = schedule(lowered)
    assert steps.order == (0,) * 6 + (1,)
    assert steps.rolling_buffers[total.buffer].slot_periods == [[(0, 6)]]


@pytest.mark.parametrize(
    ("periods", "wanted"),
    [
        ([], []),
        ([(3, 5), (0, 1)], [(0, 1), (3, 5)]),
        ([(0, 1), (2, 3)], [(0, 3)]),
        ([(0, 9), (2, 3), (11, 11)], [(0, 9), (11, 11)]),
    ],
)
def test_periods_that_touch_become_one(
    periods: list[tuple[int, int]], wanted: list[tuple[int, int]]
) -> None:
    assert joined(periods) == wanted


def test_a_streamed_row_allows_what_needs_no_later_one() -> None:
    """The front end is stage 2; row y of stage 0 needs rows up to y + 1, of stage 1 up to y + 2."""
    lowered = chain(4, 8, 3, 3)
    lowered.inputs[0].buffer.whole = False
    steps = schedule_streaming(with_streaming_input(lowered))
    assert steps.column_steps == [0, 1, 3, 6]
    assert steps.order == (2, 2, 0, 2, 0, 1, 2, 0, 1, 0, 1, 1)
    slots = {buffer.name: each.slots for buffer, each in steps.rolling_buffers.items()}
    assert sorted(slots.values()) == [1, 3, 3, 4]
