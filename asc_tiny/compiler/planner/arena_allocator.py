"""Where buffers and scratch memory lie in the arena.

What is live at the same time must not overlap: a buffer is live from the first step that writes it
to the last that reads it, scratch memory during the steps of its stage. Each group of rows of a
buffer that exists as a whole has a live range of its own: a tensor can move into the bytes of
another as that is used up. Where the input is streamed, most buffers are empty most of the time,
and buffers that take turns share their bytes.
"""

from __future__ import annotations

import itertools
import operator
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from asc_tiny.compiler.ir import Buffer, LoweredGraph
from asc_tiny.compiler.planner.effort import MEDIUM, Effort
from asc_tiny.compiler.planner.scheduler import RollingBuffer, Schedule, joined

ALIGNMENT = 16
_SCRATCH = "scratch memory"
_ANY = 0.02
"""Share of the groups that do not end with the arena which a search moves, of 1."""
_FEW = 64
"""Largest number of groups with which a short search tries all orders; with more it tries fewer."""
_NOWHERE = -1
_NONE_KEPT: Mapping[int, int] = {}
MOST_GROUPS = 32
"""Largest number of row groups of a buffer; more take longer to plan."""


@dataclass(frozen=True, eq=False)
class LiveRange:
    """Bytes that are live from one step to another, both included, once or several times.

    Attributes:
        name: the name of the buffer, for reports.
        size: number of bytes.
        periods: first and last step of each time, in ascending order.
    """

    name: str
    size: int
    periods: Sequence[tuple[int, int]]

    @property
    def first(self) -> int:
        """The first step of the first period."""
        return self.periods[0][0] if self.periods else 0

    @property
    def last(self) -> int:
        """The last step of the last period."""
        return self.periods[-1][1] if self.periods else 0

    def meets(self, other: LiveRange) -> bool:
        """Whether both are live during a step."""
        if len(self.periods) == len(other.periods) == 1:
            ((first, last),), ((begin, end),) = self.periods, other.periods
            return first <= end and begin <= last
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


class Placement(NamedTuple):
    """A live range and its byte offset in the arena."""

    live_range: LiveRange
    offset: int


@dataclass(frozen=True, eq=False)
class LiveRangeGroup:
    """Live ranges whose bytes follow each other, which are placed together."""

    live_ranges: Sequence[LiveRange]

    @cached_property
    def size(self) -> int:
        """Bytes of all live ranges."""
        return sum(live_range.size for live_range in self.live_ranges)

    @cached_property
    def once(self) -> Sequence[tuple[int, int, int, int]]:
        """First and last step, begin and end in bytes of each range; empty if one has gaps."""
        if any(len(live_range.periods) != 1 for live_range in self.live_ranges):
            return ()
        return [
            (live_range.first, live_range.last, offset, offset + live_range.size)
            for live_range, offset in self.at(0)
        ]

    def at(self, offset: int) -> Iterator[Placement]:
        """Yield the live ranges with their offsets, if the group lies at an offset."""
        for live_range in self.live_ranges:
            yield Placement(live_range, offset)
            offset += live_range.size


@dataclass(frozen=True, eq=False)
class ArenaPlan:
    """Where everything lies in the arena.

    Attributes:
        offsets: byte offset of each buffer.
        scratch: byte offset of the scratch memory of each stage that has any, by its number.
        size: bytes of the arena, a multiple of ``ALIGNMENT``.
        groups: the live ranges in groups, with the byte offset of each group.
        state_size: bytes at the begin of the arena that last from one inference to the next.
    """

    offsets: Mapping[Buffer, int]
    scratch: Mapping[int, int]
    size: int
    groups: Sequence[tuple[LiveRangeGroup, int]]
    state_size: int = 0

    @property
    def placements(self) -> Sequence[Placement]:
        """The live ranges of all groups, with their offsets."""
        return [placed for group, offset in self.groups for placed in group.at(offset)]


def allocate(
    lowered: LoweredGraph, schedule: Schedule, enough: int = 0, effort: Effort = MEDIUM
) -> ArenaPlan:
    """Place everything that a graph needs in an arena.

    Groups of live ranges are placed one by one, each at the lowest offset that is free while it is
    live. The first order is by falling size ("greedy by size", Pisarchyk and Lee, "Efficient Memory
    Management for Deep Neural Net Inference", 2020); while the arena is larger than what is live at
    the same time, further orders are tried, the same ones on every run: random ones, then the best
    of them with a group that reaches the end placed earlier. What lasts from one inference to the
    next lies at the begin of the arena, so that a board can keep that part alone.

    Args:
        lowered: the stages.
        schedule: the order of their runs.
        enough: bytes of an arena at which a shorter search may end, 0 for the longer search.
        effort: how long both searches are.
    """
    buffers, scratch = _live_range_groups(lowered, schedule)
    groups = list(dict.fromkeys([*buffers.values(), *scratch.values()]))
    states = [buffers[state] for state in lowered.states]
    others = [each for each in groups if each not in states]
    offsets = _above(_stacked(states), others, enough, effort)
    return ArenaPlan(
        {buffer: offsets[group] for buffer, group in buffers.items()},
        {number: offsets[group] for number, group in scratch.items()},
        _align(max((offsets[group] + group.size for group in groups), default=0)),
        [(group, offsets[group]) for group in groups],
        sum(state.size for state in states),
    )


def _stacked(groups: Sequence[LiveRangeGroup]) -> dict[LiveRangeGroup, int]:
    """Return offsets at which groups follow each other from the begin of the arena."""
    ends = itertools.accumulate((group.size for group in groups), initial=0)
    return dict(zip(groups, ends, strict=False))


def _above(
    states: Mapping[LiveRangeGroup, int],
    groups: Sequence[LiveRangeGroup],
    enough: int,
    effort: Effort,
) -> dict[LiveRangeGroup, int]:
    """Return offsets with all groups behind the states, which exist all the time."""
    base = sum(state.size for state in states)
    found = smallest_offsets(groups, max(enough - base, 1) if enough else 0, effort)
    return {**states, **{group: offset + base for group, offset in found.items()}}


def smallest_offsets(
    groups: Sequence[LiveRangeGroup], enough: int = 0, effort: Effort = MEDIUM
) -> dict[LiveRangeGroup, int]:
    """Return the byte offset of each group in the smallest arena that a search finds."""
    return _Search(groups).smallest(enough, effort)


def least_size(lowered: LoweredGraph, schedule: Schedule) -> int:
    """Return the most bytes that are live at the same time: no arena is smaller."""
    buffers, scratch = _live_range_groups(lowered, schedule)
    groups = dict.fromkeys([*buffers.values(), *scratch.values()])
    live_ranges = [live_range for group in groups for live_range in group.live_ranges]
    return max(live_bytes(live_ranges, len(schedule.order)), default=0)


def likely_size(lowered: LoweredGraph, schedule: Schedule) -> int:
    """Return the most bytes of groups of which anything is live at the same time.

    An arena can be smaller where bytes of a group are used while that part of it is empty.
    """
    buffers, scratch = _live_range_groups(lowered, schedule)
    groups = dict.fromkeys([*buffers.values(), *scratch.values()])
    periods = [
        joined(period for live_range in group.live_ranges for period in live_range.periods)
        for group in groups
    ]
    live_ranges = [
        LiveRange("", group.size, each) for group, each in zip(groups, periods, strict=True)
    ]
    return max(live_bytes(live_ranges, len(schedule.order)), default=0)


def live_bytes(live_ranges: Sequence[LiveRange], steps: int) -> list[int]:
    """Return, for each step, the bytes of all ranges that are live."""
    changes = [0] * (steps + 1)
    for live_range in live_ranges:
        for first, last in live_range.periods:
            changes[first] += live_range.size
            changes[min(last + 1, steps)] -= live_range.size
    live, total = [], 0
    for change in changes[:steps]:
        total += change
        live.append(total)
    return live


def _live_range_groups(
    lowered: LoweredGraph, schedule: Schedule
) -> tuple[dict[Buffer, LiveRangeGroup], dict[int, LiveRangeGroup]]:
    """Return what must be placed: buffers, and scratch memory by the number of the stage."""
    scratch = _scratch_by_step if schedule.column_steps else _scratch
    return _buffer_groups(schedule), scratch(lowered, schedule)


@lru_cache(maxsize=1)
def _buffer_groups(schedule: Schedule) -> dict[Buffer, LiveRangeGroup]:
    """Return the groups of buffers; plans that differ in scratch memory alone share them."""
    group = _group_by_slot if schedule.column_steps else _group
    return {
        buffer: group(buffer, rolling_buffer)
        for buffer, rolling_buffer in schedule.rolling_buffers.items()
    }


# Kernels load whole words: up to three bytes behind a row.
_SLACK = 3


def _group(buffer: Buffer, rolling_buffer: RollingBuffer) -> LiveRangeGroup:
    if not rolling_buffer.row_periods or buffer.rows == 1:
        size = _align(rolling_buffer.slots * buffer.row_bytes + _SLACK)
        return LiveRangeGroup(
            [LiveRange(buffer.name, size, [(rolling_buffer.first, rolling_buffer.last)])]
        )
    rows = -(-buffer.rows // MOST_GROUPS)
    live_ranges = []
    for first in range(0, buffer.rows, rows):
        row_periods = rolling_buffer.row_periods[first : first + rows]
        size = len(row_periods) * buffer.row_bytes
        if first + rows >= buffer.rows:
            size = _align(first * buffer.row_bytes + size + _SLACK) - first * buffer.row_bytes
        life = min(row_periods)[0], max(last for _, last in row_periods)
        live_ranges.append(LiveRange(buffer.name, size, [life]))
    return LiveRangeGroup(live_ranges)


def _group_by_slot(buffer: Buffer, rolling_buffer: RollingBuffer) -> LiveRangeGroup:
    """Return a live range for each slot, for the periods in which it holds a row."""
    sizes = [buffer.row_bytes] * rolling_buffer.slots
    sizes[-1] = _align(rolling_buffer.slots * buffer.row_bytes + _SLACK) - sum(sizes[:-1])
    return LiveRangeGroup(
        [
            LiveRange(buffer.name, *each)
            for each in zip(sizes, rolling_buffer.slot_periods, strict=True)
        ]
    )


def _scratch_by_step(lowered: LoweredGraph, schedule: Schedule) -> dict[int, LiveRangeGroup]:
    """Return the scratch memory of each stage, which is live during its steps alone."""
    sizes = [stage.scratch for stage in lowered.stages]
    steps: dict[int, list[tuple[int, int]]] = {}
    for step, number in enumerate(schedule.order):
        if sizes[number]:
            steps.setdefault(number, []).append((step, step))
    return {
        number: LiveRangeGroup([LiveRange(_SCRATCH, _align(sizes[number]), periods)])
        for number, periods in steps.items()
    }


def _scratch(lowered: LoweredGraph, schedule: Schedule) -> dict[int, LiveRangeGroup]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for step, number in enumerate(schedule.order):
        first.setdefault(number, step)
        last[number] = step
    needing = [number for number, stage in enumerate(lowered.stages) if stage.scratch]
    groups: dict[int, LiveRangeGroup] = {}
    # Stages take turns: those that run in the same time share their scratch memory.
    sharing: list[int] = []
    for number in sorted(needing, key=lambda number: first[number]):
        if sharing and first[number] > max(last[each] for each in sharing):
            groups |= _shared(lowered, sharing, first, last)
            sharing = []
        sharing.append(number)
    return groups | _shared(lowered, sharing, first, last)


def _shared(
    lowered: LoweredGraph, numbers: Sequence[int], first: Mapping[int, int], last: Mapping[int, int]
) -> dict[int, LiveRangeGroup]:
    """Return the scratch memory of stages as one live range."""
    if not numbers:
        return {}
    live_range = LiveRange(
        _SCRATCH,
        _align(max(lowered.stages[number].scratch for number in numbers)),
        [(min(first[number] for number in numbers), max(last[number] for number in numbers))],
    )
    return dict.fromkeys(numbers, LiveRangeGroup([live_range]))


class _Search:
    """Tries orders in which groups are placed.

    Attributes:
        groups: the groups in the first order; elsewhere they are named by their numbers here.
        apart: for each group the others that are live when it is, each with the two ends of an open
            range of distances at which the group may not begin behind it.
    """

    def __init__(self, groups: Sequence[LiveRangeGroup]) -> None:
        self.groups = sorted(groups, key=_rank)
        self.sizes = [group.size for group in self.groups]
        self.apart: list[list[tuple[int, int, int]]] = [[] for _ in self.groups]
        for one, other in _overlapping([_span(group) for group in self.groups]):
            for begin, end in _apart(self.groups[one], self.groups[other]):
                # Groups begin at multiples of the alignment.
                self.apart[one].append((other, begin, _align(end)))
                self.apart[other].append((one, -end, _align(-begin)))

    def smallest(self, enough: int, effort: Effort) -> dict[LiveRangeGroup, int]:
        """Return the offsets of the smallest arena that is found."""
        order = best_order = list(range(len(self.groups)))
        best = self.placed(order, sum(map(_align, self.sizes)))
        assert best is not None
        live_ranges = [live_range for group in self.groups for live_range in group.live_ranges]
        steps = max((live_range.last for live_range in live_ranges), default=0) + 1
        bound = max(enough, *live_bytes(live_ranges, steps))
        source = random.Random(0)
        short_rounds = effort.short_rounds * _FEW // max(len(self.groups), _FEW)
        rounds = short_rounds if enough else effort.rounds
        for number in range(2 * rounds):
            if self.end(best) <= bound:
                break
            kept = 0
            if number < rounds:
                # Sorting by random(), not shuffle(), whose order Python does not promise to keep.
                order = sorted(order, key=lambda _: source.random())
            else:
                order, kept = self.changed(best_order, best, source)
            # Of changed orders, one that is as good is taken, too: from there others are reached.
            most = self.end(best) if number >= rounds else self.end(best) - 1
            placed = self.placed(order, most, {group: best[group] for group in order[:kept]})
            if placed is not None:
                best_order, best = order, placed
        return dict(zip(self.groups, best, strict=True))

    def placed(
        self, order: Sequence[int], most: int, kept: Mapping[int, int] = _NONE_KEPT
    ) -> list[int] | None:
        """Return the byte offset of each group, placed in an order, None beyond ``most`` bytes.

        Args:
            order: the groups.
            most: bytes of the arena.
            kept: byte offsets of the first groups in the order, which are known.
        """
        offsets = [_NOWHERE] * len(self.groups)
        for group, offset in kept.items():
            offsets[group] = offset
        for group in order[len(kept) :]:
            taken = [
                (base + begin, base + end)
                for other, begin, end in self.apart[group]
                if (base := offsets[other]) != _NOWHERE
            ]
            taken.sort()
            offset = 0
            for begin, end in taken:
                if offset <= begin:
                    break
                if end > offset:
                    offset = end
            if offset + self.sizes[group] > most:
                return None
            offsets[group] = offset
        return offsets

    def end(self, placed: Sequence[int]) -> int:
        """Return the bytes up to the end of the last group."""
        return max(map(operator.add, placed, self.sizes), default=0)

    def changed(
        self, order: Sequence[int], placed: Sequence[int], source: random.Random
    ) -> tuple[list[int], int]:
        """Return an order where a group that ends with the arena, at times another, is earlier.

        With it comes the number of groups before that one, whose order is the same.
        """
        end = self.end(placed)
        highest = [
            number
            for number, group in enumerate(order)
            if number and (placed[group] + self.sizes[group] == end or source.random() < _ANY)
        ]
        number = highest[int(source.random() * len(highest))] if highest else 0
        earlier = int(source.random() * number)
        moved = [*order[:earlier], order[number], *order[earlier:number], *order[number + 1 :]]
        return moved, earlier


def _overlapping(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of spans, by their numbers, that have a step in common."""
    by_begin = sorted(range(len(spans)), key=spans.__getitem__)
    for place, one in enumerate(by_begin):
        for other in itertools.islice(by_begin, place + 1, None):
            if spans[other][0] > spans[one][1]:
                break
            yield one, other


def _span(group: LiveRangeGroup) -> tuple[int, int]:
    """Return the first and the last step at which anything of a group is live."""
    periods = [each for live_range in group.live_ranges for each in live_range.periods]
    return min((first for first, _ in periods), default=0), max(
        (last for _, last in periods), default=-1
    )


def _rank(group: LiveRangeGroup) -> tuple[int, int, bool, str]:
    """Return the key of the first order: by falling size, then by time, buffers before scratch."""
    first = group.live_ranges[0]
    return -group.size, first.first, first.name == _SCRATCH, first.name


def _apart(group: LiveRangeGroup, other: LiveRangeGroup) -> list[tuple[int, int]]:
    """Return the open ranges of distances at which a group may not begin behind another."""
    if group.once and other.once:
        return _merged(
            (begin - mine_end, end - mine_begin)
            for first, last, begin, end in other.once
            for mine_first, mine_last, mine_begin, mine_end in group.once
            if first <= mine_last and mine_first <= last
        )
    mine = [(placed.live_range, placed.offset) for placed in group.at(0)]
    return _merged(
        (place - start - live_range.size, place + taken.size - start)
        for taken, place in other.at(0)
        for live_range, start in mine
        if taken.meets(live_range)
    )


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return open ranges with those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(ranges):
        if merged and begin < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _align(value: int) -> int:
    return -(-value // ALIGNMENT) * ALIGNMENT
