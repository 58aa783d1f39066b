"""Finds the cascades of a network whose input is streamed: memory against instructions.

At first every layer makes whole rows as soon as it can. A move joins two neighbours to a cascade,
or makes the tiles of a cascade smaller; the one that saves most memory is taken as long as there is
one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.passes.cascade import Cascade, can_cascade, cascadable_pairs, with_cascades
from asc_tiny.compiler.passes.width_tiles import SlidingWindow
from asc_tiny.compiler.planner.effort import shown

_MOST_TILES = 16
"""Largest number of tiles of a row."""

_FEWEST_PIXELS = 4
"""Smallest number of pixels of a tile."""

Cascades = tuple[Cascade, ...]
Costs = tuple[int, int]
"""Bytes that are likely to be needed, and instructions."""


def search_cascades(
    lowered: LoweredGraph, costs: Callable[[LoweredGraph], Costs], most_per_byte: float
) -> Iterator[LoweredGraph]:
    """Yield a graph with better and better cascades, from whole rows to the least memory.

    Args:
        lowered: a graph whose stages make whole rows.
        costs: the function that returns the costs of a graph.
        most_per_byte: instructions that a move may cost for each byte that it saves.
    """
    cascades: Cascades = ()
    size, instructions = costs(lowered)
    yield lowered
    while True:
        found = []
        for others in shown(list(_moves(lowered, cascades)), "cascades"):
            made = with_cascades(lowered, others)
            if made is not None:
                smaller, more = costs(made)
                if more - instructions < most_per_byte * (size - smaller) and smaller < size:
                    found.append(((smaller, more), others, made))
        if not found:
            return
        (size, instructions), cascades, made = min(found, key=lambda each: each[0])
        yield made


def _moves(lowered: LoweredGraph, cascades: Cascades) -> Iterator[Cascades]:
    """Yield choices that differ in one cascade: with twice the tiles, or with its neighbour."""
    by_stage = {number: cascade for cascade in cascades for number in cascade.stages}
    for number, stage in enumerate(lowered.stages):
        cascade = by_stage.get(number, Cascade((number,)))
        if cascade.stages[-1] == number and can_cascade(stage):
            yield from _with(lowered, cascades, replace(cascade, tiles=2 * cascade.tiles))
    for first, second in cascadable_pairs(lowered):
        one, two = by_stage.get(first, Cascade((first,))), by_stage.get(second, Cascade((second,)))
        if one.stages[-1] == first and two.stages[0] == second:
            for tiles in sorted({one.tiles, two.tiles, 2 * max(one.tiles, two.tiles)}):
                yield from _with(lowered, cascades, Cascade((*one.stages, *two.stages), tiles))


def _with(lowered: LoweredGraph, cascades: Cascades, cascade: Cascade) -> Iterator[Cascades]:
    """Yield the choice with a cascade in place of those that share stages with it, if possible."""
    width = SlidingWindow.of(lowered.stages[cascade.stages[-1]].params).output_width
    if cascade.tiles == 1 or (
        cascade.tiles <= _MOST_TILES and width >= cascade.tiles * _FEWEST_PIXELS
    ):
        others = [each for each in cascades if not set(each.stages) & set(cascade.stages)]
        yield tuple(sorted([*others, cascade], key=lambda each: each.stages))
