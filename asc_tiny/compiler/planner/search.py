"""Searches for plans of an input that exists as a whole: several rows in a run, or width splits.

Several rows in a run cost memory and save instructions: of all combinations within the limit the
cheapest is taken. Below the smallest arena without them, convolutions are split along the width,
which costs instructions and saves scratch memory.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.row_blocking import block_rows, possible_rows_per_run
from asc_tiny.compiler.passes.split_upsampled import can_split, last_stages, split_upsampled
from asc_tiny.compiler.passes.widen_weights import (
    CHANNELS,
    can_halve,
    can_widen,
    with_widened_weights,
)
from asc_tiny.compiler.passes.widen_weights import widened as with_weights
from asc_tiny.compiler.passes.width_split import (
    last_splits,
    split_stage,
    split_width,
    splittable_width,
)
from asc_tiny.compiler.planner.arena_allocator import allocate, least_size
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.cost_model import instructions
from asc_tiny.compiler.planner.effort import EFFORTS, shown
from asc_tiny.compiler.planner.fusion_cuts import Cuts
from asc_tiny.compiler.planner.scheduler import Schedule, schedule
from asc_tiny.tflite.graph import Graph

_DEFAULT = Options()
_UNBLOCKED: Mapping[int, int] = {}


def candidate(
    graph: Graph,
    initial: LoweredGraph,
    cuts: Cuts,
    rows_per_run: Mapping[int, int] = _UNBLOCKED,
    options: Options = _DEFAULT,
    enough: int = 0,
) -> Compiled:
    """Return the plan of some choices.

    Args:
        graph: the graph of the file.
        initial: stages that make a row in a run.
        cuts: numbers of the stages that make all of their rows first.
        rows_per_run: rows per run by the number of the stage.
        options: what the user asked for.
        enough: bytes of an arena at which a shorter search may end, 0 for the longer search.
    """
    lowered, steps = _scheduled(initial, cuts, rows_per_run)
    arena = allocate(lowered, steps, enough, EFFORTS[options.effort])
    return Compiled(graph, initial, cuts, lowered, steps, arena, rows_per_run, options=options)


def _scheduled(
    initial: LoweredGraph, cuts: Cuts, rows_per_run: Mapping[int, int]
) -> tuple[LoweredGraph, Schedule]:
    """Return the stages with so many rows per run, and the order of their runs."""
    lowered = block_rows(initial, rows_per_run)
    return lowered, schedule(lowered, cuts)


def narrowed(whole: Compiled, limit: int) -> Compiled:
    """Return the first plan within the limit whose convolutions are split along the width.

    The stage that needs most scratch memory has its tiles made smaller, then the next. If no plan
    is within the limit, the smallest is returned.
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
        found = candidate(whole.graph, lowered, cuts, options=whole.options, enough=limit)
        smallest = min(smallest, found, key=lambda each: each.arena.size)
        if smallest.arena.size <= limit:
            return smallest
    return smallest


def split(plan: Compiled, limit: int) -> Compiled:
    """Return a plan whose upsampled convolutions multiply each row once, if that is within limit.

    Of convolutions that are not all within the limit together, the first are left out first.
    """
    chosen = [number for number, stage in enumerate(plan.lowered.stages) if can_split(stage)]
    while chosen and not plan.schedule.column_steps:
        lowered = split_upsampled(plan.lowered, chosen)
        last = last_stages(plan.lowered, chosen)
        cuts = tuple(last[number] for number in plan.cuts)
        steps = schedule(lowered, cuts)
        if least_size(lowered, steps) <= limit:
            arena = allocate(lowered, steps, limit, plan.effort)
            if arena.size <= limit:
                return replace(plan, cuts=cuts, lowered=lowered, schedule=steps, arena=arena)
        chosen.pop(0)
    return plan


def widened(plan: Compiled, limit: int) -> Compiled:
    """Return a plan whose stages widen weights where the limit allows it.

    Of stages that are not all within the limit together, those that take most scratch memory widen
    weights of fewer channels first, and are left out then.
    """
    chosen = [
        (number, channels)
        for number, stage in enumerate(plan.lowered.stages)
        for channels in (CHANNELS if can_widen(stage) else ())
        if least_size(*_widened(plan, {number: channels})) <= limit
    ]
    chosen.sort(key=lambda each: with_weights(plan.lowered.stages[each[0]], each[1]).scratch)
    best, fitting, most = plan, 0, len(chosen)
    while fitting < most:
        # All of them at first, then half of those that are in doubt.
        count = most if most == len(chosen) else (fitting + most + 1) // 2
        found = _widened_within(plan, dict(chosen[:count]), limit)
        if found is None:
            most = count - 1
        else:
            best, fitting = found, count
    return replace(best, is_final=True)


def halved(plan: Compiled, limit: int) -> Compiled:
    """Return the cheaper plan: with widened weights, or with halves of rows that widen them, too.

    Stages that cannot widen weights within the limit need less scratch memory for half a row.
    """
    best = widened(plan, limit)
    chosen = {
        number: _half(splittable_width(stage))
        for number, stage in enumerate(best.lowered.stages)
        if can_halve(stage)
    }
    if not chosen or plan.schedule.column_steps:
        return best
    lowered = split_width(plan.lowered, chosen)
    last = last_splits(plan.lowered, chosen)
    cuts = tuple(last[number] for number in plan.cuts)
    steps = schedule(lowered, cuts)
    if least_size(lowered, steps) > limit:
        return best
    arena = allocate(lowered, steps, limit, plan.effort)
    if arena.size > limit:
        return best
    found = replace(plan, cuts=cuts, lowered=lowered, schedule=steps, arena=arena)
    return min(best, widened(found, limit), key=lambda each: each.cost)


def _widened_within(plan: Compiled, chosen: Mapping[int, int], limit: int) -> Compiled | None:
    """Return a plan some of whose stages widen weights, None if it is beyond the limit."""
    lowered, steps = _widened(plan, chosen)
    if least_size(lowered, steps) > limit:
        return None
    arena = allocate(lowered, steps, limit, plan.effort)
    return replace(plan, lowered=lowered, arena=arena) if arena.size <= limit else None


def _widened(plan: Compiled, chosen: Mapping[int, int]) -> tuple[LoweredGraph, Schedule]:
    """Return a plan's graph with widened weights, and its schedule, which is the same."""
    return with_widened_weights(plan.lowered, chosen), plan.schedule


def _half(columns: int) -> int:
    """Return half as many columns or more, an even number, as kernels take windows in pairs."""
    return (columns + 3) // 4 * 2


def _largest(lowered: LoweredGraph, chosen: Mapping[int, int]) -> int | None:
    """Return the stage with most scratch memory of those whose tiles can be made smaller."""
    scratch = {
        number: max(tile.scratch for tile in split_stage(stage, chosen.get(number, 0)))
        for number, stage in enumerate(lowered.stages)
        if chosen.get(number, splittable_width(stage)) > 2
    }
    return max(scratch, key=lambda number: (scratch[number], -number), default=None)


def cheapest(least: Compiled, limit: int) -> Compiled:
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
    for chosen in shown(combinations, "rows per run"):
        found = _plan_within(least, chosen, limit)
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
    return least_size(*_scheduled(least.initial, least.cuts, chosen))


def _allowed(least: Compiled, limit: int) -> dict[int, list[int]]:
    """Return rows per run that save instructions and, taken alone, are within the limit.

    Of too many stages to try all combinations, those that save most. What is within the limit takes
    long to find, so that it is found of stages that may be among these alone.
    """
    possible = {
        number: [
            rows
            for rows in possible_rows_per_run(least.initial, number)
            if _saving(least, number, rows) > 0
        ]
        for number in range(len(least.initial.stages))
    }
    waiting = [_by_saving(least, number, rows) for number, rows in possible.items() if rows]
    heapq.heapify(waiting)
    fitting: dict[int, list[int]] = {}
    allowed: dict[int, list[int]] = {}
    while waiting:
        _, number = heapq.heappop(waiting)
        if number in fitting:
            allowed[number] = [1, *fitting[number]]
            if math.prod(map(len, allowed.values())) > least.effort.combinations:
                del allowed[number]
                break
        else:
            fitting[number] = [
                rows for rows in possible[number] if _bound(least, {number: rows}) <= limit
            ]
            if fitting[number]:
                heapq.heappush(waiting, _by_saving(least, number, fitting[number]))
    return dict(sorted(allowed.items()))


def _by_saving(least: Compiled, number: int, choices: Sequence[int]) -> tuple[int, int]:
    """Return what sorts stages by the most that one of their choices saves, largest first."""
    return -max(_saving(least, number, rows) for rows in choices), number


def _saving(least: Compiled, number: int, rows: int) -> int:
    """Return the estimated instructions that several rows per run save."""
    if rows == 1:
        return 0
    taller = block_rows(least.initial, {number: rows}).stages[number]
    return instructions(least.initial.stages[number]) - instructions(taller)


def _plan_within(least: Compiled, chosen: Mapping[int, int], limit: int) -> Compiled | None:
    """Return the plan of a combination, None if it is beyond the limit."""
    lowered, steps = _scheduled(least.initial, least.cuts, chosen)
    if least_size(lowered, steps) > limit:
        return None
    arena = allocate(lowered, steps, limit, least.effort)
    if arena.size > limit:
        return None
    return replace(least, lowered=lowered, schedule=steps, arena=arena, rows_per_run=chosen)
