"""The stage that stands for the front end, and what lasts from column to column."""

from __future__ import annotations

from asc_tiny.compiler.passes.streaming_input import with_streaming_input
from support.hand_made_stages import ROW_BYTES, chain


def test_the_last_stage_makes_the_rows_of_the_input() -> None:
    lowered = chain(6, 2, whole=False)
    streamed = with_streaming_input(lowered)
    front_end = streamed.stages[-1]
    assert (front_end.kernel, front_end.runs, front_end.output) == ("", 6, lowered.input)
    assert front_end.output.row_bytes == ROW_BYTES
    # The columns so far, and the runs of two stages, in 16 bits each
    assert streamed.state is not None and streamed.state.size == 2 * 3
