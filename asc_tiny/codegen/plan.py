"""The static memory plan: one arena offset for every activation of a network.

Tensors that are parts of others share their memory: a RESHAPE is its input under another name, a
contiguous slice is a view into its input, and the inputs of a contiguous concatenation are
written straight into its output. Such a family is a block, placed as a whole; yet each tensor
takes up its part of the block only while it exists, so that views cost no memory.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asc_tiny.codegen.slices import slices
from asc_tiny.complexity.graph import Graph, Operator
from asc_tiny.complexity.memory import Lifetime, lifetimes

ALIGNMENT = 16
SEARCH_ROUNDS = 500
RENAMES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
"""Operators whose output has the bytes of their first input."""


@dataclass(frozen=True)
class Plan:
    """Where every activation lives.

    Attributes:
        offsets: byte offset in the arena by tensor index.
        size: bytes of the arena, a multiple of ``ALIGNMENT``.
    """

    offsets: Mapping[int, int]
    size: int


@dataclass(frozen=True)
class _Piece:
    """A tensor in its block."""

    tensor: int
    offset: int
    size: int
    lifetime: Lifetime

    def moved(self, distance: int) -> _Piece:
        return _Piece(self.tensor, self.offset + distance, self.size, self.lifetime)

    def collides(self, other: _Piece) -> bool:
        apart = self.offset + self.size <= other.offset or other.offset + other.size <= self.offset
        return not apart and self.lifetime.overlaps(other.lifetime)


class _Blocks:
    """Blocks while they grow: a list of pieces each, with offsets from the block's start."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.members: dict[int, list[_Piece]] = {}
        self.block_of: dict[int, int] = {}
        for tensor, lifetime in lifetimes(graph).items():
            size = graph.tensor(tensor).byte_count
            self.members[tensor] = [_Piece(tensor, 0, size, lifetime)]
            self.block_of[tensor] = tensor

    def piece(self, tensor: int) -> _Piece:
        return next(p for p in self.members[self.block_of[tensor]] if p.tensor == tensor)

    def fills_its_block(self, tensor: int) -> bool:
        size = self.piece(tensor).size
        pieces = self.members[self.block_of[tensor]]
        return all(piece.offset >= 0 and piece.offset + piece.size <= size for piece in pieces)

    def put_inside(self, inner: int, outer: int, offset: int) -> None:
        """Move ``inner``'s block to ``offset`` inside ``outer``, if ``inner`` fills its block.

        Else, and for constants, nothing happens: the values have to be copied.
        """
        if inner not in self.block_of or outer not in self.block_of:
            return
        source, target = self.block_of[inner], self.block_of[outer]
        if source == target or not self.fills_its_block(inner):
            return
        distance = self.piece(outer).offset + offset - self.piece(inner).offset
        moved = [piece.moved(distance) for piece in self.members.pop(source)]
        self.members[target] += moved
        self.block_of.update((piece.tensor, target) for piece in moved)


def plan_memory(graph: Graph) -> Plan:
    """Plan the arena of a graph.

    Blocks are placed one by one, each at the lowest offset where no piece of it meets a piece
    that is already placed in both memory and time. The first order is by falling size ("greedy
    by size", Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
    2020); while the arena is larger than what exists at the same time, further orders are tried,
    the same ones on every run, and the smallest arena is kept.
    """
    blocks = _Blocks(graph)
    for operator in graph.operators:
        _share(blocks, operator)
    order = sorted(blocks.members.values(), key=_placing_order)
    best = _place_all(order)
    bound = _lower_bound(best, len(graph.operators))
    source = random.Random(0)
    for _ in range(SEARCH_ROUNDS):
        if _end(best) <= bound:
            break
        # Sorting by random() rather than shuffle(), whose order Python does not promise to keep.
        order = sorted(order, key=lambda _: source.random())
        best = min(best, _place_all(order), key=_end)
    return Plan({piece.tensor: piece.offset for piece in best}, _align(_end(best)))


def _share(blocks: _Blocks, operator: Operator) -> None:
    """Merge the blocks of the tensors that one operator lets share memory."""
    graph = blocks.graph
    if operator.name in RENAMES:
        blocks.put_inside(operator.outputs[0], operator.inputs[0], 0)
    elif operator.name == "CONCATENATION":
        output = graph.tensor(operator.outputs[0])
        axis = int(operator.options["axis"]) % len(output.shape)
        if math.prod(output.shape[:axis]) != 1:
            return
        offset = 0
        for index in operator.inputs:
            blocks.put_inside(index, output.index, offset)
            offset += graph.tensor(index).byte_count
    else:
        for part in slices(graph, operator):
            if part.start is not None:
                blocks.put_inside(part.output, part.input, part.start)


def _placing_order(pieces: list[_Piece]) -> tuple[int, int]:
    return (-sum(_extent(pieces)), min(piece.tensor for piece in pieces))


def _extent(pieces: list[_Piece]) -> tuple[int, int]:
    """Return how far a block reaches before and after its origin."""
    before = -min(piece.offset for piece in pieces)
    return before, max(piece.offset + piece.size for piece in pieces)


def _place_all(order: Sequence[list[_Piece]]) -> list[_Piece]:
    placed: list[_Piece] = []
    for pieces in order:
        placed += _place(pieces, placed)
    return placed


def _place(pieces: list[_Piece], placed: list[_Piece]) -> list[_Piece]:
    before, _ = _extent(pieces)
    # The lowest free offset is the arena's start or right behind a piece that is in the way.
    starts = {_align(before)}
    for piece in pieces:
        ends = (other.offset + other.size - piece.offset for other in placed)
        starts.update(_align(end) for end in ends if end >= before)
    for start in sorted(starts):
        moved = [piece.moved(start) for piece in pieces]
        if not any(piece.collides(other) for piece in moved for other in placed):
            return moved
    raise AssertionError("the end of the arena is always free")


def _end(placed: Sequence[_Piece]) -> int:
    return max((piece.offset + piece.size for piece in placed), default=0)


def _lower_bound(placed: Sequence[_Piece], steps: int) -> int:
    """Return the largest number of arena bytes in use at the same time; no plan can need less."""
    bound = 0
    for step in range(steps):
        live = (p for p in placed if p.lifetime.first <= step <= p.lifetime.last)
        end = used = 0
        for piece in sorted(live, key=lambda piece: piece.offset):
            used += max(0, piece.offset + piece.size - max(end, piece.offset))
            end = max(end, piece.offset + piece.size)
        bound = max(bound, used)
    return _align(bound)


def _align(value: int) -> int:
    return -(-value // ALIGNMENT) * ALIGNMENT
