"""Where storages and working memory lie in the arena.

What exists at the same time must not overlap: a storage exists from the first step that writes it
to the last that reads it, working memory during the steps of its stage. Of a storage that is there
as a whole, each group of rows exists for its own time: one tensor can move into the place of
another as that is used up. Where the input comes row by row, most storages are empty most of the
time, and what takes turns lies in one place.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from asc_tiny.compiler.ir import Program, Storage
from asc_tiny.compiler.planner.scheduler import Extent, Schedule, joined

ALIGNMENT = 16
SEARCH_ROUNDS = 500
SHORT_SEARCH_ROUNDS = 50
_ANY = 0.02
"""Of items that do not end with the arena, the share that a search moves."""
MOST_GROUPS = 32
"""Of rows of a storage; more take longer to plan."""


@dataclass(frozen=True, eq=False)
class Block:
    """Memory that is needed from one step to another, both included, once or several times."""

    name: str
    size: int
    periods: Sequence[tuple[int, int]]

    @property
    def first(self) -> int:
        """The first step of all."""
        return self.periods[0][0] if self.periods else 0

    @property
    def last(self) -> int:
        """The last step of all."""
        return self.periods[-1][1] if self.periods else 0

    def meets(self, other: Block) -> bool:
        """Whether both exist during a step."""
        mine, others = iter(self.periods), iter(other.periods)
        one, two = next(mine, None), next(others, None)
        while one and two:
            if one[0] <= two[1] and two[0] <= one[1]:
                return True
            if one[1] < two[1]:
                one = next(mine, None)
            else:
                two = next(others, None)
        return False


@dataclass(frozen=True, eq=False)
class Item:
    """Blocks one behind the other, which are placed together."""

    blocks: Sequence[Block]

    @cached_property
    def size(self) -> int:
        """Bytes of all."""
        return sum(block.size for block in self.blocks)

    def at(self, offset: int) -> Iterator[tuple[Block, int]]:
        """Yield the blocks with their offsets."""
        for block in self.blocks:
            yield block, offset
            offset += block.size


@dataclass(frozen=True, eq=False)
class Plan:
    """The arena.

    Attributes:
        offsets: byte offset of each storage.
        scratch: byte offset of the working memory of each stage that has any, by its number.
        size: bytes of the arena, a multiple of ``ALIGNMENT``.
        items: what lies in it, with their offsets.
    """

    offsets: Mapping[Storage, int]
    scratch: Mapping[int, int]
    size: int
    items: Sequence[tuple[Item, int]]

    @property
    def blocks(self) -> Sequence[tuple[Block, int]]:
        """The items' blocks, with their offsets."""
        return [placed for item, offset in self.items for placed in item.at(offset)]


def plan(program: Program, schedule: Schedule, enough: int = 0) -> Plan:
    """Plan the arena of a program; a shorter search ends at what takes no more than enough.

    Items are placed one by one, each at the lowest offset that is free while it exists. The first
    order is by falling size ("greedy by size", Pisarchyk and Lee, "Efficient Memory Management for
    Deep Neural Net Inference", 2020); while the arena is larger than what exists at the same time,
    further orders are tried, the same ones on every run: any, then the best of them with an item
    that reaches the end placed earlier.
    """
    storages, scratch = _items(program, schedule)
    items = list(dict.fromkeys([*storages.values(), *scratch.values()]))
    offsets = _Search(items).smallest(enough)
    return Plan(
        {storage: offsets[item] for storage, item in storages.items()},
        {number: offsets[item] for number, item in scratch.items()},
        _align(max((offsets[item] + item.size for item in items), default=0)),
        [(item, offsets[item]) for item in items],
    )


def least_size(program: Program, schedule: Schedule) -> int:
    """Return the most bytes that exist at the same time: no plan is smaller."""
    storages, scratch = _items(program, schedule)
    items = dict.fromkeys([*storages.values(), *scratch.values()])
    blocks = [block for item in items for block in item.blocks]
    return max(live_bytes(blocks, len(schedule.order)), default=0)


def likely_size(program: Program, schedule: Schedule) -> int:
    """Return the most bytes of items that exist, in part or whole, at the same time.

    A plan can be smaller where an item's place is used while that part of it is empty.
    """
    storages, scratch = _items(program, schedule)
    items = dict.fromkeys([*storages.values(), *scratch.values()])
    periods = [
        joined(period for block in item.blocks for period in block.periods) for item in items
    ]
    blocks = [Block("", item.size, each) for item, each in zip(items, periods, strict=True)]
    return max(live_bytes(blocks, len(schedule.order)), default=0)


def live_bytes(blocks: Sequence[Block], steps: int) -> list[int]:
    """Return, per step, the bytes of all blocks that exist."""
    changes = [0] * (steps + 1)
    for block in blocks:
        for first, last in block.periods:
            changes[first] += block.size
            changes[min(last + 1, steps)] -= block.size
    live, total = [], 0
    for change in changes[:steps]:
        total += change
        live.append(total)
    return live


def _items(program: Program, schedule: Schedule) -> tuple[dict[Storage, Item], dict[int, Item]]:
    """Return what must be placed: storages, and working memory by the stage's number."""
    item, scratch = (_alternating, _alternating_scratch) if schedule.hops else (_item, _scratch)
    storages = {storage: item(storage, extent) for storage, extent in schedule.extents.items()}
    return storages, scratch(program, schedule)


# Kernels load whole words: up to three bytes behind a row.
_SLACK = 3


def _item(storage: Storage, extent: Extent) -> Item:
    if not extent.lives or storage.rows == 1:
        size = _align(extent.rows * storage.row_size + _SLACK)
        return Item([Block(storage.name, size, [(extent.first, extent.last)])])
    rows = -(-storage.rows // MOST_GROUPS)
    blocks = []
    for first in range(0, storage.rows, rows):
        lives = extent.lives[first : first + rows]
        size = len(lives) * storage.row_size
        if first + rows >= storage.rows:
            size = _align(first * storage.row_size + size + _SLACK) - first * storage.row_size
        life = min(lives)[0], max(last for _, last in lives)
        blocks.append(Block(storage.name, size, [life]))
    return Item(blocks)


def _alternating(storage: Storage, extent: Extent) -> Item:
    """Return a block for each row that exists at once, for the times in which one does."""
    sizes = [storage.row_size] * extent.rows
    sizes[-1] = _align(extent.rows * storage.row_size + _SLACK) - sum(sizes[:-1])
    return Item([Block(storage.name, *each) for each in zip(sizes, extent.places, strict=True)])


def _alternating_scratch(program: Program, schedule: Schedule) -> dict[int, Item]:
    """Return the working memory of each stage, which exists during its steps alone."""
    steps: dict[int, list[tuple[int, int]]] = {}
    for step, number in enumerate(schedule.order):
        if program.stages[number].scratch:
            steps.setdefault(number, []).append((step, step))
    return {
        number: Item([Block("working memory", _align(program.stages[number].scratch), periods)])
        for number, periods in steps.items()
    }


def _scratch(program: Program, schedule: Schedule) -> dict[int, Item]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for step, number in enumerate(schedule.order):
        first.setdefault(number, step)
        last[number] = step
    needing = [number for number, stage in enumerate(program.stages) if stage.scratch]
    items: dict[int, Item] = {}
    # Stages take turns: those that run in the same time share their working memory.
    sharing: list[int] = []
    for number in sorted(needing, key=lambda number: first[number]):
        if sharing and first[number] > max(last[each] for each in sharing):
            items |= _shared(program, sharing, first, last)
            sharing = []
        sharing.append(number)
    return items | _shared(program, sharing, first, last)


def _shared(
    program: Program, numbers: Sequence[int], first: Mapping[int, int], last: Mapping[int, int]
) -> dict[int, Item]:
    """Return the working memory of stages as one block."""
    if not numbers:
        return {}
    block = Block(
        "working memory",
        _align(max(program.stages[number].scratch for number in numbers)),
        [(min(first[number] for number in numbers), max(last[number] for number in numbers))],
    )
    return dict.fromkeys(numbers, Item([block]))


class _Search:
    """Tries orders in which items are placed."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = sorted(
            items, key=lambda item: (-item.size, item.blocks[0].first, item.blocks[0].name)
        )
        self.apart: dict[Item, list[tuple[Item, list[tuple[int, int]]]]] = {
            item: [] for item in self.items
        }
        for item, other in itertools.combinations(self.items, 2):
            distances = _apart(item, other)
            if distances:
                self.apart[item].append((other, distances))
                self.apart[other].append((item, [(-end, -begin) for begin, end in distances]))

    def smallest(self, enough: int) -> dict[Item, int]:
        """Return the offsets of the smallest arena that is found."""
        order = best_order = self.items
        best = self.placed(order)
        blocks = [block for item in order for block in item.blocks]
        steps = max((block.last for block in blocks), default=0) + 1
        bound = max(enough, *live_bytes(blocks, steps))
        source = random.Random(0)
        rounds = SHORT_SEARCH_ROUNDS if enough else SEARCH_ROUNDS
        for number in range(2 * rounds):
            if _end(best) <= bound:
                break
            if number < rounds:
                # Sorting by random(), not shuffle(), whose order Python does not promise to keep.
                order = sorted(order, key=lambda _: source.random())
            else:
                order = _changed(best_order, best, source)
            placed = self.placed(order)
            if _end(placed) < _end(best) or (number >= rounds and _end(placed) == _end(best)):
                best_order, best = order, placed
        return best

    def placed(self, order: Sequence[Item]) -> dict[Item, int]:
        """Return offsets after placing items in an order."""
        offsets: dict[Item, int] = {}
        for item in order:
            taken = sorted(
                (base + begin, base + end)
                for other, distances in self.apart[item]
                if (base := offsets.get(other)) is not None
                for begin, end in distances
            )
            offset = 0
            for begin, end in taken:
                if offset <= begin:
                    break
                offset = max(offset, _align(end))
            offsets[item] = offset
        return offsets


def _apart(item: Item, other: Item) -> list[tuple[int, int]]:
    """Return the distances between which an item may not begin behind another."""
    return _merged(
        (place - start - block.size, place + taken.size - start)
        for taken, place in other.at(0)
        for block, start in item.at(0)
        if taken.meets(block)
    )


def _changed(
    order: Sequence[Item], placed: Mapping[Item, int], source: random.Random
) -> list[Item]:
    """Return an order in which an item that ends with the arena, at times another, is earlier."""
    end = _end(placed)
    highest = [
        number
        for number, item in enumerate(order)
        if number and (placed[item] + item.size == end or source.random() < _ANY)
    ]
    number = highest[int(source.random() * len(highest))] if highest else 0
    earlier = int(source.random() * number)
    return [*order[:earlier], order[number], *order[earlier:number], *order[number + 1 :]]


def _merged(ranges: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return open ranges with those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(ranges):
        if merged and begin < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _end(placed: Mapping[Item, int]) -> int:
    return max((offset + item.size for item, offset in placed.items()), default=0)


def _align(value: int) -> int:
    return -(-value // ALIGNMENT) * ALIGNMENT
