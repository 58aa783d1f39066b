"""Chooses the plan: order of the work and height of stripes, by memory against instructions.

The order that takes least memory is taken, see ``cuts``. Stages that make several rows in a run
cost memory and save instructions: the cheapest combination is taken whose arena is within the
limit, that of ``--max-ram`` or what is needed without it. Below that, convolutions make their rows
in parts, which costs instructions and saves working memory, one after the other until the arena is
within the limit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from asc_tiny.compiler.ir import Program, Stage
from asc_tiny.compiler.lower.lower_graph import build, consistent
from asc_tiny.compiler.passes.pack_dense import compact
from asc_tiny.compiler.passes.row_blocking import heights, striped
from asc_tiny.compiler.passes.streaming_input import listening
from asc_tiny.compiler.passes.time_major import turned
from asc_tiny.compiler.passes.width_split import in_columns, last_parts, most_columns, parts
from asc_tiny.compiler.planner import fusion_cuts as orders
from asc_tiny.compiler.planner.arena_allocator import Plan, least_size, likely_size, plan
from asc_tiny.compiler.planner.cascade_search import tilings
from asc_tiny.compiler.planner.scheduler import Schedule, schedule, schedule_hops
from asc_tiny.tflite.graph import Graph
from asc_tiny.util.errors import AscError

TIME = "time"
"""The order that computes while the columns of the input come."""


@dataclass(frozen=True)
class Options:
    """What a user can ask of the planner.

    Attributes:
        order: ``rows``, ``layers``, ``time``, None for what takes least memory of a whole input.
        max_ram: bytes that the arena may take, None for as few as possible.
        optimize: ``speed``, or ``size`` for the smallest flash.
    """

    order: str | None = None
    max_ram: int | None = None
    optimize: str = "speed"

    def __post_init__(self) -> None:
        if self.order not in (None, "rows", "layers", TIME):
            raise AscError(f"order = {self.order}, allowed: rows, layers, {TIME}")
        if self.optimize not in ("speed", "size"):
            raise AscError(f"optimize = {self.optimize}, allowed: speed, size")

    def to_dict(self) -> dict[str, Any]:
        """Return what a project's manifest keeps."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Compiled:
    """A network after all passes.

    Attributes:
        graph: of the file.
        built: stages that make a row in a run.
        cuts: stages that make all of their rows before what follows runs.
        heights: rows in a run of stages that make several, by the stage's number.
        program: with those stages.
        schedule, plan: of that program.
    """

    graph: Graph
    built: Program
    cuts: orders.Cuts
    program: Program
    schedule: Schedule
    plan: Plan
    heights: Mapping[int, int] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        """Instructions of all stages by the model: for comparing plans, on cores with DSP."""
        return sum(map(instructions, self.program.stages))

    @property
    def order(self) -> str:
        """The order of the work for people."""
        if self.schedule.hops:
            return "columns as they come"
        return orders.text(self.cuts, self.program)

    @property
    def input_offset(self) -> int:
        """Where the input lies in the arena."""
        return self.plan.offsets[self.program.input.storage]


def choose(graph: Graph, options: Options) -> Compiled:
    """Return the cheapest plan within the limit, and of equally cheap ones the smallest.

    Raises:
        AscError: the network cannot become stages, or no plan is within the limit.
    """
    if options.order == TIME:
        with consistent(graph):
            graph = turned(graph)
        return _along_time(graph, options)
    built = compact(build(graph)) if options.optimize == "size" else build(graph)
    least = _compiled(graph, built, orders.named(options.order, built), {})
    limit = least.plan.size if options.max_ram is None else options.max_ram
    if least.plan.size <= limit and not orders.is_searched(built):
        return least
    return _cheapest(least, limit) if least.plan.size <= limit else _narrowed(least, limit)


def _along_time(graph: Graph, options: Options) -> Compiled:
    """Return the smallest plan for columns that come one by one, or the cheapest within the limit.

    Raises:
        AscError: the network cannot become stages, or no plan is within the limit.
    """
    built = build(graph, whole_input=False)
    built = compact(built) if options.optimize == "size" else built
    plans = []
    most = _WORTH_A_BYTE if options.max_ram is None else math.inf
    for program in map(listening, tilings(built, _likely_costs, most)):
        steps = schedule_hops(program)
        short = plan(program, steps, enough=least_size(program, steps))
        plans.append(Compiled(graph, built, (), program, steps, short))
    plans.sort(key=lambda each: (each.plan.size, each.cost))
    longer = [replace(each, plan=plan(each.program, each.schedule)) for each in plans[:_BEST]]
    smallest = min(longer, key=lambda each: (each.plan.size, each.cost))
    if options.max_ram is None:
        return smallest
    within = [each for each in (*longer, *plans) if each.plan.size <= options.max_ram]
    if not within:
        raise _too_large(smallest, options.max_ram)
    return min(within, key=lambda each: (each.cost, each.plan.size))


_BEST = 4
"""Plans whose arena is searched for longer."""

_WORTH_A_BYTE = 2500
"""Instructions of a clip; without a limit no more are spent to save a byte."""


def _likely_costs(tiled: Program) -> tuple[int, int]:
    program = listening(tiled)
    steps = schedule_hops(program)
    return likely_size(program, steps), sum(map(instructions, program.stages))


def _too_large(smallest: Compiled, limit: int) -> AscError:
    return AscError(
        f"{smallest.graph.source}: the network needs an arena of {smallest.plan.size:,} bytes at "
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
    pairs, single = divmod(stage.windows, 2)
    multiplying = stage.work * (pairs * _PAIR + single * _SINGLE) // (8 * max(stage.windows, 1))
    return stage.runs * _RUN + multiplying


def _compiled(
    graph: Graph, built: Program, cuts: orders.Cuts, chosen: Mapping[int, int], enough: int = 0
) -> Compiled:
    program = striped(built, chosen)
    steps = schedule(program, cuts)
    return Compiled(graph, built, cuts, program, steps, plan(program, steps, enough), chosen)


def _narrowed(whole: Compiled, limit: int) -> Compiled:
    """Return the first plan within the limit whose convolutions make their rows in parts.

    The stage that needs most working memory has its parts made smaller, then the next.

    Raises:
        AscError: there is none; the message names the smallest.
    """
    smallest = whole
    chosen: dict[int, int] = {}
    while (number := _largest(whole.built, chosen)) is not None:
        columns = chosen.get(number, most_columns(whole.built.stages[number]))
        chosen[number] = _half(columns)
        program = in_columns(whole.built, chosen)
        last = last_parts(whole.built, chosen)
        cuts = tuple(last[number] for number in whole.cuts)
        if least_size(program, schedule(program, cuts)) >= smallest.plan.size:
            continue
        found = _compiled(whole.graph, program, cuts, {}, enough=limit)
        smallest = min(smallest, found, key=lambda each: each.plan.size)
        if smallest.plan.size <= limit:
            return smallest
    raise _too_large(smallest, limit)


def _half(columns: int) -> int:
    """Return an even number of columns, as kernels take windows in pairs, half as many or more."""
    return (columns + 3) // 4 * 2


def _largest(program: Program, chosen: Mapping[int, int]) -> int | None:
    """Return the stage with most working memory of those whose parts can be made smaller."""
    scratch = {
        number: max(part.scratch for part in parts(stage, chosen.get(number, 0)))
        for number, stage in enumerate(program.stages)
        if chosen.get(number, most_columns(stage)) > 2
    }
    return max(scratch, key=lambda number: (scratch[number], -number), default=None)


def _cheapest(least: Compiled, limit: int) -> Compiled:
    """Return the cheapest combination of rows per run that is within the limit."""
    allowed = _allowed(least, limit)
    numbers = list(allowed)
    combinations = [
        {number: height for number, height in zip(numbers, chosen, strict=True) if height > 1}
        for chosen in itertools.product(*allowed.values())
    ]
    savings = {
        (number, height): _saving(least, number, height)
        for number in numbers
        for height in allowed[number]
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
    moves = [(n, height) for n, each in allowed.items() for height in each if height > 1]
    return [
        {one, other}
        for one, other in itertools.combinations(moves, 2)
        if one[0] != other[0] and _bound(least, dict([one, other])) > limit
    ]


def _bound(least: Compiled, chosen: Mapping[int, int]) -> int:
    """Return the most bytes that exist at the same time with a combination."""
    program = striped(least.built, chosen)
    return least_size(program, schedule(program, least.cuts))


def _allowed(least: Compiled, limit: int) -> dict[int, list[int]]:
    """Return rows per run that save instructions and, taken alone, are within the limit.

    Of too many stages to try all combinations, those that save most.
    """
    allowed: dict[int, list[int]] = {}
    for number in range(len(least.built.stages)):
        fitting = [
            height
            for height in heights(least.built, number)
            if _saving(least, number, height) > 0 and _bound(least, {number: height}) <= limit
        ]
        if fitting:
            allowed[number] = [1, *fitting]
    by_saving = sorted(
        allowed, key=lambda n: -max(_saving(least, n, height) for height in allowed[n])
    )
    while math.prod(len(allowed[number]) for number in by_saving) > _MOST_COMBINATIONS:
        by_saving.pop()
    return {number: allowed[number] for number in sorted(by_saving)}


def _saving(least: Compiled, number: int, height: int) -> int:
    """Return the estimated instructions that several rows per run save."""
    if height == 1:
        return 0
    taller = striped(least.built, {number: height}).stages[number]
    return instructions(least.built.stages[number]) - instructions(taller)


def _within(least: Compiled, chosen: Mapping[int, int], limit: int) -> Compiled | None:
    """Return the plan of a combination, None if it is beyond the limit."""
    if _bound(least, chosen) > limit:
        return None
    found = _compiled(least.graph, least.built, least.cuts, chosen, enough=limit)
    return found if found.plan.size <= limit else None
