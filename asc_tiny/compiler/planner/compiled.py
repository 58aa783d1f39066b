"""A network after all passes of the compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner import fusion_cuts
from asc_tiny.compiler.planner.arena_allocator import ArenaPlan
from asc_tiny.compiler.planner.cost_model import final_instructions, instructions
from asc_tiny.compiler.planner.effort import EFFORTS, Effort
from asc_tiny.compiler.planner.scheduler import Schedule
from asc_tiny.tflite.graph import Graph


@dataclass(frozen=True, eq=False)
class Compiled:
    """A network after all passes.

    Attributes:
        graph: the graph of the file; its images are transposed if the schedule is streaming.
        initial: the lowered graph before the planner's choices; each run makes one row.
        cuts: numbers of the stages that make all of their rows before what follows runs.
        lowered: the lowered graph after the planner's choices.
        schedule: the order of the runs of ``lowered``.
        arena: the byte offsets of buffers and scratch memory of ``lowered``.
        rows_per_run: number of rows that a run makes, by the number of the stage in ``initial``;
            stages that are not named make one.
        folded: number and name of each operator of the file whose result is known, or which only
            such operators read: nothing of it is left.
        options: what the user asked for.
        is_final: whether weights are widened already where they will be.
    """

    graph: Graph
    initial: LoweredGraph
    cuts: fusion_cuts.Cuts
    lowered: LoweredGraph
    schedule: Schedule
    arena: ArenaPlan
    rows_per_run: Mapping[int, int] = field(default_factory=dict)
    folded: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    is_final: bool = False

    @property
    def io(self) -> str:
        """What the code takes and gives, as in ``Options``."""
        return self.options.io

    @property
    def effort(self) -> Effort:
        """How long plans are searched for."""
        return EFFORTS[self.options.effort]

    @property
    def cost(self) -> int:
        """Instructions of all stages by the planner's model, to compare plans."""
        estimate = final_instructions if self.is_final else instructions
        return sum(map(estimate, self.lowered.stages))

    @property
    def schedule_text(self) -> str:
        """The order of the runs, for people."""
        if self.schedule.column_steps:
            return "streamed columns"
        return fusion_cuts.text(self.cuts, self.lowered)

    @property
    def arena_bytes(self) -> int:
        """Bytes of the arena: activations, input, output and scratch memory."""
        return self.arena.size

    @property
    def input_offset(self) -> int:
        """Byte offset of the first input in the arena."""
        return self.arena.offsets[self.lowered.inputs[0].buffer]
