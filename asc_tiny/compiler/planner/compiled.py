"""A network after all passes of the compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner import fusion_cuts, memory_map
from asc_tiny.compiler.planner.arena_allocator import ArenaPlan
from asc_tiny.compiler.planner.cost_model import final_instructions, instructions
from asc_tiny.compiler.planner.effort import EFFORTS, Effort
from asc_tiny.compiler.planner.scheduler import Schedule
from asc_tiny.tflite.graph import Graph
from asc_tiny.util.blocks import Drawing, Paragraph, Table, text
from asc_tiny.util.displayed import Displayed, pairs
from asc_tiny.util.memory_map import MemoryMap


@dataclass(frozen=True, eq=False, repr=False)
class Compiled(Displayed):
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

    @cached_property
    def memory_plan(self) -> MemoryMap:
        """Where everything lies in the arena, from which run to which."""
        return memory_map.memory_map(self)

    @property
    def summary(self) -> str:
        """One line for people."""
        name = text(Path(self.lowered.source).name)
        return f"{name}: arena of {self.arena_bytes:,} bytes, {len(self.lowered.stages)} stages"

    def shown_blocks(self) -> Iterator[Paragraph | Table | Drawing]:
        """Return figures and the memory plan."""
        yield pairs(
            f"{text(Path(self.lowered.source).name)}, compiled ahead of time",
            [
                ("arena (bytes)", self.arena_bytes),
                ("stages", len(self.lowered.stages)),
                ("runs of stages", len(self.schedule.order)),
                ("schedule", self.schedule_text),
                ("cost (instructions, by the planner's model)", self.cost),
            ],
        )
        yield from self.memory_plan.shown_blocks()
