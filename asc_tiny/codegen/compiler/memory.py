"""Where storages and working memory lie in the arena.

What exists at the same time must not overlap: a storage exists from the first step that writes it
to the last that reads it, working memory during the steps of its stage.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asc_tiny.codegen.compiler.program import Program, Storage
from asc_tiny.codegen.compiler.schedule import Extent, Schedule

ALIGNMENT = 16
SEARCH_ROUNDS = 500
SHORT_SEARCH_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class Block:
    """Memory that is needed from one step to another, both included."""

    name: str
    size: int
    first: int
    last: int

    def meets(self, other: Block) -> bool:
        """Whether both exist during a step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, eq=False)
class Plan:
    """The arena.

    Attributes:
        offsets: byte offset of each storage.
        scratch: byte offset of the working memory of each stage that has any, by its number.
        size: bytes of the arena, a multiple of ``ALIGNMENT``.
        blocks: what lies in it, with their offsets.
    """

    offsets: Mapping[Storage, int]
    scratch: Mapping[int, int]
    size: int
    blocks: Sequence[tuple[Block, int]]


def plan(program: Program, schedule: Schedule, enough: int = 0) -> Plan:
    """Plan the arena of a program; a shorter search ends at what takes no more than enough.

    Blocks are placed one by one, each at the lowest offset that is free while it exists. The first
    order is by falling size ("greedy by size", Pisarchyk and Lee, "Efficient Memory Management for
    Deep Neural Net Inference", 2020); while the arena is larger than what exists at the same time,
    further orders are tried, the same ones on every run, and the smallest arena is kept.
    """
    storages, scratch = _blocks(program, schedule)
    blocks = [*storages.values(), *scratch.values()]
    offsets = _smallest(blocks, enough)
    size = max((offsets[block] + block.size for block in blocks), default=0)
    return Plan(
        {storage: offsets[block] for storage, block in storages.items()},
        {number: offsets[block] for number, block in scratch.items()},
        _align(size),
        [(block, offsets[block]) for block in blocks],
    )


def least_size(program: Program, schedule: Schedule) -> int:
    """Return the most bytes that exist at the same time: no plan is smaller."""
    storages, scratch = _blocks(program, schedule)
    blocks = list(dict.fromkeys([*storages.values(), *scratch.values()]))
    return max(live_bytes(blocks, len(schedule.order)), default=0)


def live_bytes(blocks: Sequence[Block], steps: int) -> list[int]:
    """Return, per step, the bytes of all blocks that exist."""
    changes = [0] * (steps + 1)
    for block in blocks:
        changes[block.first] += block.size
        changes[min(block.last + 1, steps)] -= block.size
    live, total = [], 0
    for change in changes[:steps]:
        total += change
        live.append(total)
    return live


def _blocks(program: Program, schedule: Schedule) -> tuple[dict[Storage, Block], dict[int, Block]]:
    """Return what must be placed: storages, and working memory by the stage's number."""
    storages = {storage: _block(storage, extent) for storage, extent in schedule.extents.items()}
    return storages, _scratch(program, schedule)


# Kernels load whole words: up to three bytes behind a row.
_SLACK = 3


def _block(storage: Storage, extent: Extent) -> Block:
    size = extent.rows * storage.row_size + _SLACK
    return Block(storage.name, _align(size), extent.first, extent.last)


def _scratch(program: Program, schedule: Schedule) -> dict[int, Block]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for step, number in enumerate(schedule.order):
        first.setdefault(number, step)
        last[number] = step
    needing = [number for number, stage in enumerate(program.stages) if stage.scratch]
    blocks: dict[int, Block] = {}
    # Stages take turns: those that run in the same time share their working memory.
    sharing: list[int] = []
    for number in sorted(needing, key=lambda number: first[number]):
        if sharing and first[number] > max(last[each] for each in sharing):
            blocks |= _shared(program, sharing, first, last)
            sharing = []
        sharing.append(number)
    return blocks | _shared(program, sharing, first, last)


def _shared(
    program: Program, numbers: Sequence[int], first: Mapping[int, int], last: Mapping[int, int]
) -> dict[int, Block]:
    """Return the working memory of stages as one block."""
    if not numbers:
        return {}
    block = Block(
        "working memory",
        _align(max(program.stages[number].scratch for number in numbers)),
        min(first[number] for number in numbers),
        max(last[number] for number in numbers),
    )
    return dict.fromkeys(numbers, block)


def _smallest(blocks: Sequence[Block], enough: int) -> dict[Block, int]:
    order = sorted(dict.fromkeys(blocks), key=lambda block: (-block.size, block.first, block.name))
    best = _place_all(order)
    steps = max((block.last for block in blocks), default=0) + 1
    bound = max(enough, *live_bytes(order, steps))
    source = random.Random(0)
    for _ in range(SHORT_SEARCH_ROUNDS if enough else SEARCH_ROUNDS):
        if _end(best) <= bound:
            break
        # Sorting by random() rather than shuffle(), whose order Python does not promise to keep.
        order = sorted(order, key=lambda _: source.random())
        best = min(best, _place_all(order), key=_end)
    return best


def _place_all(order: Sequence[Block]) -> dict[Block, int]:
    placed: dict[Block, int] = {}
    for block in order:
        taken = sorted((placed[b], placed[b] + b.size) for b in placed if b.meets(block))
        offset = 0
        for begin, end in taken:
            if offset + block.size <= begin:
                break
            offset = max(offset, end)
        placed[block] = offset
    return placed


def _end(placed: Mapping[Block, int]) -> int:
    return max((offset + block.size for block, offset in placed.items()), default=0)


def _align(value: int) -> int:
    return -(-value // ALIGNMENT) * ALIGNMENT
