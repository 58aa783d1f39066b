"""Finds the tiles of a network that computes while its columns come: memory against instructions.

At first every layer makes whole rows as soon as it can. A move joins two neighbours, or makes the
parts of a tile smaller; the one that saves most memory is taken as long as there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from asc_tiny.compiler.ir import Program
from asc_tiny.compiler.passes.cascade import Tile, can_be_tile, joints, tiled
from asc_tiny.compiler.passes.width_tiles import Sliding

_MOST_PARTS = 16
"""Of a row."""

_FEWEST_PIXELS = 4
"""Of a part."""

Tiles = tuple[Tile, ...]
Costs = tuple[int, int]
"""Bytes that are likely to be needed, and instructions."""


def tilings(
    program: Program, costs: Callable[[Program], Costs], most_per_byte: float
) -> Iterator[Program]:
    """Yield a program with better and better tiles, from whole rows to the least memory.

    Args:
        program: makes whole rows.
        costs: of a program.
        most_per_byte: instructions that a step may cost for each byte that it saves.
    """
    tiles: Tiles = ()
    size, instructions = costs(program)
    yield program
    while True:
        found = []
        for others in _moves(program, tiles):
            made = tiled(program, others)
            if made is not None:
                smaller, more = costs(made)
                if more - instructions < most_per_byte * (size - smaller) and smaller < size:
                    found.append(((smaller, more), others, made))
        if not found:
            return
        (size, instructions), tiles, made = min(found, key=lambda each: each[0])
        yield made


def _moves(program: Program, tiles: Tiles) -> Iterator[Tiles]:
    """Yield choices that differ in one tile: with twice the parts, or joined with its neighbour."""
    by_stage = {number: tile for tile in tiles for number in tile.stages}
    for number, stage in enumerate(program.stages):
        tile = by_stage.get(number, Tile((number,)))
        if tile.stages[-1] == number and can_be_tile(stage):
            yield from _with(program, tiles, replace(tile, parts=2 * tile.parts))
    for first, second in joints(program):
        one, two = by_stage.get(first, Tile((first,))), by_stage.get(second, Tile((second,)))
        if one.stages[-1] == first and two.stages[0] == second:
            for parts in sorted({one.parts, two.parts, 2 * max(one.parts, two.parts)}):
                yield from _with(program, tiles, Tile((*one.stages, *two.stages), parts))


def _with(program: Program, tiles: Tiles, tile: Tile) -> Iterator[Tiles]:
    """Yield the choice with a tile in place of those that share stages with it, if it can be."""
    width = Sliding.of(program.stages[tile.stages[-1]]).output_width
    if tile.parts == 1 or (tile.parts <= _MOST_PARTS and width >= tile.parts * _FEWEST_PIXELS):
        others = [each for each in tiles if not set(each.stages) & set(tile.stages)]
        yield tuple(sorted([*others, tile], key=lambda each: each.stages))
