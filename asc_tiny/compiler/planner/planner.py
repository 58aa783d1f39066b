"""Chooses a plan by memory against instructions: the transformations, the schedule, the arena.

Without a limit, the plan with the smallest arena is taken, to which a little is added where that
saves instructions, up to the arena of TensorFlow Lite Micro's interpreter; with ``--max-ram``, the
cheapest whose arena is within the limit. ``search`` and ``cascade_search`` find the candidates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.options import HIGH, MEDIUM, STREAMING, Options
from asc_tiny.compiler.passes.states_in_place import with_states_in_place
from asc_tiny.compiler.passes.streaming_input import with_streaming_input
from asc_tiny.compiler.planner import fusion_cuts
from asc_tiny.compiler.planner.arena_allocator import allocate, least_size, likely_size
from asc_tiny.compiler.planner.cascade_search import search_cascades
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.cost_model import instructions
from asc_tiny.compiler.planner.effort import EFFORTS
from asc_tiny.compiler.planner.scheduler import schedule_streaming
from asc_tiny.compiler.planner.search import candidate, cheapest, halved, narrowed, split
from asc_tiny.tflite.graph import Graph
from asc_tiny.tflm.arena import arena
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.util.errors import AscError

_Choice = TypeVar("_Choice")

_WORTH_A_BYTE = 2500
"""Instructions of an inference that saving a byte is worth, without a limit."""

_PART_FOR_SPEED, _MOST_FOR_SPEED = 16, 1024
"""Part of an arena that may be added without a limit to save instructions, and the most bytes."""


def plan(graph: Graph, initial: LoweredGraph, options: Options) -> Compiled:
    """Return the cheapest plan within the limit, and of equally cheap ones the smallest.

    Args:
        graph: the graph of the file, time-major if the schedule is streaming.
        initial: its stages; each run makes one row.
        options: the limit and the schedule.

    Raises:
        AscError: no plan is within the limit.
    """
    plans = _possible(lambda each: _finished(graph, initial, each), _tried(options))
    if options.max_ram is None:
        best = min(plans, key=lambda each: each.arena.size * _WORTH_A_BYTE + each.cost)
    else:
        best = min(plans, key=lambda each: (each.cost, each.arena.size))
    return replace(best, options=options)


def _possible(make: Callable[[_Choice], Compiled], choices: Sequence[_Choice]) -> list[Compiled]:
    """Return the plans of those choices that are within the limit.

    Raises:
        AscError: none is; it is what the last one raised.
    """
    plans: list[Compiled] = []
    for each in choices:
        try:
            plans.append(make(each))
        except AscError:
            if each is choices[-1] and not plans:
                raise
    return plans


def _tried(options: Options) -> Sequence[Options]:
    """Return the options that plans are made with.

    A longer search takes steps of its own, which can lead to a worse plan: with the highest effort
    the plan of the usual one is made as well.
    """
    return [options] if options.effort != HIGH else [replace(options, effort=MEDIUM), options]


def _finished(graph: Graph, initial: LoweredGraph, options: Options) -> Compiled:
    """Return a plan, with what saves instructions in the memory that is left."""
    found, limit = _with_limit(graph, initial, options)
    hoped = split(found, limit)
    best = halved(hoped, limit)
    if options.max_ram is None or best.cost <= hoped.cost:
        return best
    # What the plan spends its memory on leaves too little for widened weights.
    least, _ = _with_limit(graph, initial, replace(options, max_ram=None))
    if least.arena.size > limit:
        return best
    other = halved(split(least, limit), limit)
    return min(best, other, key=lambda each: (each.cost, each.arena.size))


def _with_limit(graph: Graph, initial: LoweredGraph, options: Options) -> tuple[Compiled, int]:
    """Return a plan before weights are widened, and the bytes that its arena may have then.

    Without a limit, no network needs more memory than TensorFlow Lite Micro's interpreter has for
    it, as far as the planner can help it: what saves instructions above that is left out, and a
    smallest plan above it is narrowed.
    """
    found = _plan(graph, initial, options)
    if options.max_ram is not None:
        return found, options.max_ram
    limit = _with_speed(found.arena.size)
    if options.schedule == STREAMING or limit <= (most := _interpreter_bytes(graph, limit)):
        return found, limit
    if found.arena.size <= most:
        return found, most
    try:
        return _plan(graph, initial, replace(options, max_ram=most)), most
    except AscError:
        return found, found.arena.size


def _interpreter_bytes(graph: Graph, unknown: int) -> int:
    """Return the bytes of the interpreter's arena with CMSIS-NN, or ``unknown``."""
    try:
        return arena([graph], Core.DSP).size
    except AscError:
        return unknown


def _with_speed(size: int) -> int:
    """Return the bytes that an arena may have to save instructions if there is no limit."""
    return size + min(size // _PART_FOR_SPEED, _MOST_FOR_SPEED)


def _plan(graph: Graph, initial: LoweredGraph, options: Options) -> Compiled:
    """Return a plan before weights are widened."""
    if options.schedule == STREAMING:
        return _plan_streaming(graph, initial, options)
    if not initial.states:
        return _plan_whole(graph, initial, options)
    in_place = [with_states_in_place(initial, most_new) for most_new in (0.0, 1.0, math.inf)]
    return _better(graph, in_place, options)


def _better(graph: Graph, graphs: Sequence[LoweredGraph], options: Options) -> Compiled:
    """Return the better plan of graphs that do the same."""
    plans = _possible(lambda each: _plan_whole(graph, each, options), list(dict.fromkeys(graphs)))
    if options.max_ram is not None:
        return min(plans, key=lambda each: (each.cost, each.arena.size))
    return min(plans, key=lambda each: (each.arena.size, each.cost))


def _plan_whole(graph: Graph, initial: LoweredGraph, options: Options) -> Compiled:
    """Return the best plan of an input that exists as a whole."""
    effort = EFFORTS[options.effort]
    cuts = fusion_cuts.cuts_of(options.schedule, initial, effort)
    least = candidate(graph, initial, cuts, options=options)
    limit = least.arena.size if options.max_ram is None else options.max_ram
    if least.arena.size > limit:
        return _within(narrowed(least, limit), limit)
    return cheapest(least, limit) if fusion_cuts.is_searched(initial, effort) else least


def _plan_streaming(graph: Graph, initial: LoweredGraph, options: Options) -> Compiled:
    """Return the smallest plan of a streamed input, or the cheapest within the limit."""
    plans, max_ram, effort = [], options.max_ram, EFFORTS[options.effort]
    most = _WORTH_A_BYTE if max_ram is None else math.inf
    for lowered in map(with_streaming_input, search_cascades(initial, _likely_costs, most)):
        steps = schedule_streaming(lowered)
        short = allocate(lowered, steps, least_size(lowered, steps), effort)
        plans.append(Compiled(graph, initial, (), lowered, steps, short, options=options))
    plans.sort(key=lambda each: (each.arena.size, each.cost))
    longer = [
        replace(each, arena=allocate(each.lowered, each.schedule, effort=effort))
        for each in plans[: effort.streaming_plans]
    ]
    smallest = min(longer, key=lambda each: (each.arena.size, each.cost))
    if max_ram is None:
        return smallest
    within = [each for each in (*longer, *plans) if each.arena.size <= max_ram]
    return min(within, key=lambda each: (each.cost, each.arena.size), default=None) or _within(
        smallest, max_ram
    )


def _likely_costs(cascaded: LoweredGraph) -> tuple[int, int]:
    """Return the bytes that are likely to be needed, and the instructions."""
    lowered = with_streaming_input(cascaded)
    steps = schedule_streaming(lowered)
    return likely_size(lowered, steps), sum(map(instructions, lowered.stages))


def _within(smallest: Compiled, limit: int) -> Compiled:
    """Return a plan if it is within the limit.

    Raises:
        AscError: it is not; the message names its size.
    """
    if smallest.arena.size <= limit:
        return smallest
    raise AscError(
        f"{smallest.graph.source}: the network needs an arena of {smallest.arena.size:,} bytes at "
        f"least, --max-ram allows {limit:,}"
    )
