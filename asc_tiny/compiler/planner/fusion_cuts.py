"""Fusion cuts: the stages whose output is made as a whole before what follows runs.

By rows no tensor exists as a whole, but rolling buffers of all layers exist until the end. Where a
tensor is made as a whole first, what was needed for it is free for the layers behind; the tensor
itself moves into the bytes of the input as that is used up. No cut costs instructions.
"""

from __future__ import annotations

import itertools

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.planner.arena_allocator import allocate, least_size
from asc_tiny.compiler.planner.effort import MEDIUM, Effort, shown
from asc_tiny.compiler.planner.scheduler import Scheduler

Cuts = tuple[int, ...]
"""Stages that make all of their rows before what follows runs, by their numbers."""


def cuts_of(name: str | None, lowered: LoweredGraph, effort: Effort = MEDIUM) -> Cuts:
    """Return the cuts of a schedule: none by ``rows``, all by ``layers``, the best without a name.

    For a graph that is too large to try many schedules, the better of these two.
    """
    everywhere = tuple(range(len(lowered.stages)))
    if name is not None:
        return everywhere if name == "layers" else ()
    sizes = _Sizes(lowered, effort)
    cuts, size = _improved(sizes) if is_searched(lowered, effort) else ((), sizes.of(()))
    return everywhere if sizes.of(everywhere, size) < size else cuts


def is_searched(lowered: LoweredGraph, effort: Effort) -> bool:
    """Whether schedules of a graph are tried; finding one takes long if it has many rows."""
    runs = sum(stage.runs for stage in lowered.stages)
    return runs * len(lowered.stages) <= effort.searched


class _Sizes:
    """Arenas of a graph by its cuts.

    Args:
        lowered: the stages.
        effort: how long the arena of each choice is searched for.
    """

    def __init__(self, lowered: LoweredGraph, effort: Effort) -> None:
        self.lowered, self._effort = lowered, effort
        self._scheduler = Scheduler(lowered)

    def of(self, cuts: Cuts, limit: int | None = None) -> int:
        """Return the bytes of the arena; the most that are live at a time if they reach a limit."""
        steps = self._scheduler.schedule(cuts)
        least = least_size(self.lowered, steps)
        if limit is not None and least >= limit:
            return least
        return allocate(self.lowered, steps, least, self._effort).size


def _improved(sizes: _Sizes) -> tuple[Cuts, int]:
    """Return cuts and bytes of the arena after adding and removing cuts while that saves memory."""
    stages = sizes.lowered.stages
    cuts: Cuts = ()
    size = sizes.of(cuts)
    unchanged = 0
    for number in itertools.cycle(shown(range(len(stages)), "fusion cuts")):
        if unchanged == len(stages):
            break
        unchanged += 1
        output = stages[number].output
        # What is one row is whole anyway; what is larger than the arena does not fit into it.
        if output.rows == 1 or output.rows * output.row_bytes >= size:
            continue
        changed = tuple(sorted({*cuts} ^ {number}))
        smaller = sizes.of(changed, size)
        if smaller < size:
            # A stage whose change saved memory is not changed back.
            cuts, size, unchanged = changed, smaller, 1
    return cuts, size


def text(cuts: Cuts, lowered: LoweredGraph) -> str:
    """Return the words for a schedule."""
    if not cuts:
        return "rows"
    if len(cuts) == len(lowered.stages):
        return "layers"
    return "rows up to whole outputs of stages " + ", ".join(map(str, cuts))
