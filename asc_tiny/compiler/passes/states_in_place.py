"""States in place: what a window keeps for the next inference lies in the window itself.

A streaming layer joins what it has kept to what is new, computes with the window, and keeps the
window's end. As three tensors that is a state, a copy of it at the begin of the window, and a copy
of the window's end to the state. In place, the window lasts from one inference to the next: its
end moves to its begin when nobody reads it any more, and the layer before writes behind that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import CopyParams

_MOST_MOVES = 128
"""Largest number of runs that move a window's end to its begin."""


@dataclass(frozen=True)
class _Window:
    """A state, and the window that it becomes.

    Attributes:
        state: the buffer that the window takes the place of.
        join: the stage that copies the state to the begin of the window.
        update: the stage that gives the state its next value.
        window: the buffer of the window.
        initial: what the begin of the window holds before the first inference.
        distance: bytes from the begin of the window to what it keeps.
    """

    state: Buffer
    join: Stage
    update: Stage
    window: Buffer
    initial: bytes
    distance: int

    @property
    def new(self) -> int:
        """Bytes of the window that each inference makes anew."""
        return self.window.size - len(self.initial)


def with_states_in_place(lowered: LoweredGraph, most_new: float = math.inf) -> LoweredGraph:
    """Return a graph whose windows keep their states; the same graph if there are none.

    Args:
        lowered: the stages.
        most_new: most bytes of a window that is put in place which are new in each inference, as a
            multiple of those that it keeps.
    """
    for state in lowered.states:
        window = _window(lowered, state)
        if window is not None and window.new <= most_new * len(window.initial):
            lowered = _in_place(lowered, window)
    return lowered


def _window(lowered: LoweredGraph, state: Buffer) -> _Window | None:
    """Return the window that a state is the begin of, None if it is none's."""
    readers = [s for s in lowered.stages if any(rows.view.buffer is state for rows in s.inputs)]
    updates = [s for s in lowered.stages if s.is_update and s.output.buffer is state]
    if len(readers) != 1 or len(updates) != 1 or state.initial is None:
        return None
    (join,), (update,) = readers, updates
    (kept,), window = update.inputs, join.output.buffer
    is_copy = join.kernel == "asc_copy" and _copies_in_order(join)
    own = [*lowered.inputs, *lowered.outputs]
    if (
        not is_copy
        or window.is_state
        or kept.view.buffer is not window
        or join.output.start != 0
        or not kept.view.is_contiguous
        or any(view.buffer is window for view in own)
    ):
        return None
    begin, size = join.inputs[0].view.start, join.output.rows * join.output.row_bytes
    distance = kept.view.start + begin
    if distance < 1 or size > _MOST_MOVES * math.gcd(size, distance):
        return None
    return _Window(state, join, update, window, state.initial[begin : begin + size], distance)


def _copies_in_order(stage: Stage) -> bool:
    """Whether a stage copies bytes that follow each other to bytes that follow each other."""
    (rows,) = stage.inputs
    params = stage.params
    is_plain = (rows.count, rows.factor, rows.offset, rows.divisor) == (1, 1, 0, 1)
    views = (rows.view, stage.output)
    return (
        is_plain
        and isinstance(params, CopyParams)
        and (params.rows, params.output_offset) == (1, 0)
        and all(view.is_contiguous for view in views)
        and params.size == rows.view.row_bytes == stage.output.row_bytes
    )


def _in_place(lowered: LoweredGraph, found: _Window) -> LoweredGraph:
    window = replace(found.window, whole=True, initial=found.initial)

    def moved(view: BufferView) -> BufferView:
        return replace(view, buffer=window) if view.buffer is found.window else view

    def changed(stage: Stage) -> Stage:
        if stage is found.update:
            return _move(stage, window, found.distance)
        inputs = [replace(each, view=moved(each.view)) for each in stage.inputs]
        return replace(stage, inputs=inputs, output=moved(stage.output))

    stages: Sequence[Stage] = [changed(each) for each in lowered.stages if each is not found.join]
    return replace(lowered, stages=stages)


def _move(update: Stage, window: Buffer, distance: int) -> Stage:
    """Return the stage that moves a window's end to its begin, so that no run reads its output."""
    assert window.initial is not None
    row_bytes = math.gcd(distance, len(window.initial))
    rows = len(window.initial) // row_bytes
    view = BufferView(window, 0, rows, row_bytes, row_bytes)
    params = CopyParams(rows=1, size=row_bytes, output_offset=0, output_stride=row_bytes)
    source = RowAccess(replace(view, start=distance))
    return replace(update, params=params, inputs=(source,), output=view, runs=rows)
