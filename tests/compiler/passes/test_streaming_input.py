"""The stage that stands for the front end, and what lasts from column to column."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.streaming_input import with_streaming_input
from asc_tiny.compiler.passes.time_major import to_time_major
from asc_tiny.compiler.planner.scheduler import schedule_streaming
from asc_tiny.tflite.graph import Graph
from support.hand_convolutions import SHAPE, check, convolutions
from support.hand_made_stages import ROW_BYTES, chain
from support.interpreted_schedule import interpret


def test_the_last_stage_makes_the_rows_of_the_input() -> None:
    lowered = chain(6, 2, whole=False)
    streamed = with_streaming_input(lowered)
    front_end = streamed.stages[-1]
    assert (front_end.kernel, front_end.runs, front_end.output) == ("", 6, lowered.inputs[0])
    assert front_end.output.row_bytes == ROW_BYTES
    # The columns so far, and the runs of two stages, in 16 bits each
    assert streamed.progress is not None and streamed.progress.size == 2 * 3


def test_streaming_computes_as_rows_do(tmp_path: Path) -> None:
    compiled = check(convolutions((3, 3), (1, 3)), tmp_path, Options(schedule="time"))
    assert len(compiled.schedule.column_steps) == SHAPE[2], "a row of the input for each column"


def streamed(graph: Graph) -> LoweredGraph:
    return with_streaming_input(lower_graph(to_time_major(graph), whole_input=False))


def test_a_streamed_input_makes_what_its_columns_allow() -> None:
    """A window of three columns: with column y, what is centred on column y - 1."""
    lowered = streamed(convolutions((1, 3)))
    front_end = len(lowered.stages) - 1
    assert lowered.stages[front_end].output is lowered.inputs[0]
    steps = schedule_streaming(lowered)
    interpret(lowered, steps)
    # Stage 1 transposes the output back.
    assert steps.order == (front_end, front_end, 0, *(front_end, 0) * 10, 0, 1)
    assert list(steps.column_steps) == [0, 1, *range(3, 22, 2)]
    assert steps.rolling_buffers[lowered.inputs[0].buffer].slots == 3


@pytest.mark.parametrize("kernels", [((3, 3),), ((1, 5), (3, 3)), ((3, 3), (1, 1), (5, 3))])
def test_every_column_that_a_stream_reads_is_there(kernels: tuple[tuple[int, int], ...]) -> None:
    lowered = streamed(convolutions(*kernels))
    interpret(lowered, schedule_streaming(lowered))
