"""Chooses the plan: schedule and rows per run, by memory against instructions.

The order that takes least memory is taken, see ``cuts``. Stages that make several rows in a run
cost memory and save instructions: the cheapest combination is taken whose arena is within the
limit, that of ``--max-ram`` or what is needed without it. Below that, convolutions make their rows
in parts, which costs instructions and saves scratch memory, one after the other until the arena is
within the limit.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from asc_tiny.compiler.ir import LoweredGraph, Stage
from asc_tiny.compiler.lower.lower_graph import consistent, lower_graph
from asc_tiny.compiler.passes.pack_dense import pack_dense_layers
from asc_tiny.compiler.passes.row_blocking import block_rows, possible_rows_per_run
from asc_tiny.compiler.passes.streaming_input import with_streaming_input
from asc_tiny.compiler.passes.time_major import to_time_major
from asc_tiny.compiler.passes.width_split import (
    last_splits,
    split_stage,
    split_width,
    splittable_width,
)
from asc_tiny.compiler.planner import fusion_cuts as fusion_cuts
from asc_tiny.compiler.planner.arena_allocator import ArenaPlan, allocate, least_size, likely_size
from asc_tiny.compiler.planner.cascade_search import search_cascades
from asc_tiny.compiler.planner.scheduler import Schedule, schedule, schedule_streaming
from asc_tiny.tflite.graph import Graph
from asc_tiny.util.errors import AscError
from asc_tiny.util.fields import checked, key_of

STREAMING = "time"
"""The schedule that computes while the columns of the input come."""


@dataclass(frozen=True)
class Options:
    """What a user can ask of the planner.

    Attributes:
        schedule: the order of the runs: ``rows``, ``layers``, ``time`` (streaming), None for the
            one whose arena is smallest, of those that need the whole input.
        max_ram: largest arena that is allowed, in bytes; None for the smallest possible arena.
        optimize: ``speed``, or ``size`` for the smallest flash.
    """

    schedule: str | None = field(default=None, metadata={"key": "order"})
    max_ram: int | None = None
    optimize: str = "speed"

    def __post_init__(self) -> None:
        if self.schedule not in (None, "rows", "layers", STREAMING):
            raise AscError(f"schedule = {self.schedule}, allowed: rows, layers, {STREAMING}")
        if self.optimize not in ("speed", "size"):
            raise AscError(f"optimize = {self.optimize}, allowed: speed, size")

    def to_dict(self) -> dict[str, Any]:
        """Return what a project's manifest keeps."""
        return {key_of(each): getattr(self, each.name) for each in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Options:
        """Return the options that a project's manifest keeps, those that are absent by default.

        Raises:
            AscError: an unknown key, or a value of another type or range.
        """
        return cls(**checked(cls, values, prefix="plan."))


@dataclass(frozen=True, eq=False)
class Compiled:
    """A network after all passes.

    Attributes:
        graph: the graph of the file; its images are transposed if the schedule is streaming.
        initial: the lowered graph before the planner's choices; each run makes one row.
        cuts: numbers of the stages that make all of their rows before what follows runs.
        lowered: the lowered graph after the planner's choices.
        schedule: the order of the runs of ``lowered``.
        arena: where buffers and scratch memory of ``lowered`` lie.
        rows_per_run: number of rows that a run makes, by the number of the stage in ``initial``;
            stages that are not named make one.
    """

    graph: Graph
    initial: LoweredGraph
    cuts: fusion_cuts.Cuts
    lowered: LoweredGraph
    schedule: Schedule
    arena: ArenaPlan
    rows_per_run: Mapping[int, int] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        """Instructions of all stages by the model: for comparing plans, on cores with DSP."""
        return sum(map(instructions, self.lowered.stages))

    @property
    def schedule_text(self) -> str:
        """The order of the work for people."""
        if self.schedule.column_steps:
            return "columns as they come"
        return fusion_cuts.text(self.cuts, self.lowered)

    @property
    def arena_bytes(self) -> int:
        """Bytes of the arena: activations, input, output and scratch memory."""
        return self.arena.size

    @property
    def input_offset(self) -> int:
        """Where the input lies in the arena."""
        return self.arena.offsets[self.lowered.input.buffer]


def plan_network(graph: Graph, options: Options) -> Compiled:
    """Return the cheapest plan within the limit, and of equally cheap ones the smallest.

    Raises:
        AscError: the network cannot become stages, or no plan is within the limit.
    """
    if options.schedule == STREAMING:
        with consistent(graph):
            graph = to_time_major(graph)
        return _plan_streaming(graph, options)
    initial = (
        pack_dense_layers(lower_graph(graph)) if options.optimize == "size" else lower_graph(graph)
    )
    least = _compiled(graph, initial, fusion_cuts.cuts_of(options.schedule, initial), {})
    limit = least.arena.size if options.max_ram is None else options.max_ram
    if least.arena.size <= limit and not fusion_cuts.is_searched(initial):
        return least
    return _cheapest(least, limit) if least.arena.size <= limit else _narrowed(least, limit)


def _plan_streaming(graph: Graph, options: Options) -> Compiled:
    """Return the smallest plan for columns that come one by one, or the cheapest within the limit.

    Raises:
        AscError: the network cannot become stages, or no plan is within the limit.
    """
    initial = lower_graph(graph, whole_input=False)
    initial = pack_dense_layers(initial) if options.optimize == "size" else initial
    plans = []
    most = _WORTH_A_BYTE if options.max_ram is None else math.inf
    for lowered in map(with_streaming_input, search_cascades(initial, _likely_costs, most)):
        steps = schedule_streaming(lowered)
        short = allocate(lowered, steps, enough=least_size(lowered, steps))
        plans.append(Compiled(graph, initial, (), lowered, steps, short))
    plans.sort(key=lambda each: (each.arena.size, each.cost))
    longer = [replace(each, arena=allocate(each.lowered, each.schedule)) for each in plans[:_BEST]]
    smallest = min(longer, key=lambda each: (each.arena.size, each.cost))
    if options.max_ram is None:
        return smallest
    within = [each for each in (*longer, *plans) if each.arena.size <= options.max_ram]
    if not within:
        raise _too_large(smallest, options.max_ram)
    return min(within, key=lambda each: (each.cost, each.arena.size))


_BEST = 4
"""Plans whose arena is searched for longer."""

_WORTH_A_BYTE = 2500
"""Instructions of a clip; without a limit no more are spent to save a byte."""


def _likely_costs(with_cascades: LoweredGraph) -> tuple[int, int]:
    lowered = with_streaming_input(with_cascades)
    steps = schedule_streaming(lowered)
    return likely_size(lowered, steps), sum(map(instructions, lowered.stages))


def _too_large(smallest: Compiled, limit: int) -> AscError:
    return AscError(
        f"{smallest.graph.source}: the network needs an arena of {smallest.arena.size:,} bytes at "
        f"least, --max-ram allows {limit:,}"
    )


_MOST_COMBINATIONS = 100

# Of asc_stage_run and the prologue of a kernel, measured on a Cortex-M4
_RUN = 250
# Of the inner loop, which multiplies by 8 weights, with two windows and with one
_PAIR, _SINGLE = 17, 12


def instructions(stage: Stage) -> int:
    """Return an estimate of the instructions of a stage for calls and multiplications.

    What else a kernel does is the same in all plans.
    """
    windows = stage.params.windows
    pairs, single = divmod(windows, 2)
    multiplying = stage.macs * (pairs * _PAIR + single * _SINGLE) // (8 * max(windows, 1))
    return stage.runs * _RUN + multiplying


def _compiled(
    graph: Graph,
    initial: LoweredGraph,
    cuts: fusion_cuts.Cuts,
    chosen: Mapping[int, int],
    enough: int = 0,
) -> Compiled:
    lowered = block_rows(initial, chosen)
    steps = schedule(lowered, cuts)
    return Compiled(graph, initial, cuts, lowered, steps, allocate(lowered, steps, enough), chosen)


def _narrowed(whole: Compiled, limit: int) -> Compiled:
    """Return the first plan within the limit whose convolutions make their rows in parts.

    The stage that needs most scratch memory has its tiles made smaller, then the next.

    Raises:
        AscError: there is none; the message names the smallest.
    """
    smallest = whole
    chosen: dict[int, int] = {}
    while (number := _largest(whole.initial, chosen)) is not None:
        columns = chosen.get(number, splittable_width(whole.initial.stages[number]))
        chosen[number] = _half(columns)
        lowered = split_width(whole.initial, chosen)
        last = last_splits(whole.initial, chosen)
        cuts = tuple(last[number] for number in whole.cuts)
        if least_size(lowered, schedule(lowered, cuts)) >= smallest.arena.size:
            continue
        found = _compiled(whole.graph, lowered, cuts, {}, enough=limit)
        smallest = min(smallest, found, key=lambda each: each.arena.size)
        if smallest.arena.size <= limit:
            return smallest
    raise _too_large(smallest, limit)


def _half(columns: int) -> int:
    """Return an even number of columns, as kernels take windows in pairs, half as many or more."""
    return (columns + 3) // 4 * 2


def _largest(lowered: LoweredGraph, chosen: Mapping[int, int]) -> int | None:
    """Return the stage with most scratch memory of those whose tiles can be made smaller."""
    scratch = {
        number: max(part.scratch for part in split_stage(stage, chosen.get(number, 0)))
        for number, stage in enumerate(lowered.stages)
        if chosen.get(number, splittable_width(stage)) > 2
    }
    return max(scratch, key=lambda number: (scratch[number], -number), default=None)


def _cheapest(least: Compiled, limit: int) -> Compiled:
    """Return the cheapest combination of rows per run that is within the limit."""
    allowed = _allowed(least, limit)
    numbers = list(allowed)
    combinations = [
        {number: rows for number, rows in zip(numbers, chosen, strict=True) if rows > 1}
        for chosen in itertools.product(*allowed.values())
    ]
    savings = {
        (number, rows): _saving(least, number, rows)
        for number in numbers
        for rows in allowed[number]
    }
    apart = _apart(least, allowed, limit)
    combinations = [
        chosen for chosen in combinations if not any(p <= chosen.items() for p in apart)
    ]
    combinations.sort(
        key=lambda chosen: (-sum(map(savings.__getitem__, chosen.items())), len(chosen))
    )
    for chosen in combinations:
        found = _within(least, chosen, limit)
        if found is not None:
            return found
    return least


def _apart(
    least: Compiled, allowed: Mapping[int, Sequence[int]], limit: int
) -> list[set[tuple[int, int]]]:
    """Return pairs of choices that are not within the limit together."""
    moves = [(n, rows) for n, each in allowed.items() for rows in each if rows > 1]
    return [
        {one, other}
        for one, other in itertools.combinations(moves, 2)
        if one[0] != other[0] and _bound(least, dict([one, other])) > limit
    ]


def _bound(least: Compiled, chosen: Mapping[int, int]) -> int:
    """Return the most bytes that exist at the same time with a combination."""
    lowered = block_rows(least.initial, chosen)
    return least_size(lowered, schedule(lowered, least.cuts))


def _allowed(least: Compiled, limit: int) -> dict[int, list[int]]:
    """Return rows per run that save instructions and, taken alone, are within the limit.

    Of too many stages to try all combinations, those that save most.
    """
    allowed: dict[int, list[int]] = {}
    for number in range(len(least.initial.stages)):
        fitting = [
            rows
            for rows in possible_rows_per_run(least.initial, number)
            if _saving(least, number, rows) > 0 and _bound(least, {number: rows}) <= limit
        ]
        if fitting:
            allowed[number] = [1, *fitting]
    by_saving = sorted(allowed, key=lambda n: -max(_saving(least, n, rows) for rows in allowed[n]))
    while math.prod(len(allowed[number]) for number in by_saving) > _MOST_COMBINATIONS:
        by_saving.pop()
    return {number: allowed[number] for number in sorted(by_saving)}


def _saving(least: Compiled, number: int, rows: int) -> int:
    """Return the estimated instructions that several rows per run save."""
    if rows == 1:
        return 0
    taller = block_rows(least.initial, {number: rows}).stages[number]
    return instructions(least.initial.stages[number]) - instructions(taller)


def _within(least: Compiled, chosen: Mapping[int, int], limit: int) -> Compiled | None:
    """Return the plan of a combination, None if it is beyond the limit."""
    if _bound(least, chosen) > limit:
        return None
    found = _compiled(least.graph, least.initial, least.cuts, chosen, enough=limit)
    return found if found.arena.size <= limit else None
