"""The allocator on graphs made by hand: nothing that is live at one time shares a byte."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess
from asc_tiny.compiler.planner.arena_allocator import (
    ALIGNMENT,
    ArenaPlan,
    LiveRange,
    LiveRangeGroup,
    _overlapping,
    _Search,
    allocate,
    least_size,
    live_bytes,
)
from asc_tiny.compiler.planner.effort import MEDIUM
from asc_tiny.compiler.planner.scheduler import schedule
from support.hand_made import chain, stage


def assert_apart(plan: ArenaPlan, steps: int) -> None:
    """Fill the arena at every step with what is live, byte by byte."""
    for step in range(steps):
        owner = np.zeros(plan.size, bool)
        for live_range, offset in plan.placements:
            if any(first <= step <= last for first, last in live_range.periods):
                place = owner[offset : offset + live_range.size]
                assert len(place) == live_range.size, "beyond the arena"
                assert not place.any(), f"{live_range.name} at step {step}"
                place[:] = True


@pytest.mark.parametrize("heights", [(1,), (3,), (3, 3), (1, 5, 3), (3, 1, 7, 1, 3)])
@pytest.mark.parametrize("cuts", [(), (0,)])
def test_chains(heights: tuple[int, ...], cuts: tuple[int, ...]) -> None:
    lowered = chain(40, 24, *heights)
    steps = schedule(lowered, cuts)
    plan = allocate(lowered, steps)
    assert_apart(plan, len(steps.order))
    assert plan.size % ALIGNMENT == 0
    assert plan.size >= least_size(lowered, steps)


def test_a_tensor_moves_into_the_one_that_is_used_up() -> None:
    """A layer pixel by pixel: two whole tensors of 40 rows, hardly more than one in the arena."""
    lowered = chain(40, 24, 1)
    steps = schedule(lowered)
    one = 40 * 24
    assert one < allocate(lowered, steps).size <= one + 2 * 24 * 2 + ALIGNMENT


def test_scratch_memory_is_shared_by_layers_that_take_turns() -> None:
    views = [BufferView.of(Buffer(f"b{n}", 1, 16)) for n in range(3)]
    stages = [
        stage("first", [RowAccess(views[0])], views[1], scratch=100),
        stage("second", [RowAccess(views[1])], views[2], scratch=60),
    ]
    lowered = LoweredGraph("scratch", stages, (views[0],), (views[2],))
    steps = schedule(lowered)
    plan = allocate(lowered, steps)
    assert_apart(plan, 2)
    # Each tensor takes 16 bytes and 3 behind its row, rounded up; scratch 112 at first.
    assert plan.size == 32 + 32 + 112
    assert plan.scratch.keys() == {0, 1}


def brute_force(groups: list[LiveRangeGroup]) -> int:
    """Return the smallest end over all orders, each group at the lowest place that is free."""
    best = sum(group.size for group in groups)
    for order in itertools.permutations(groups):
        placed: list[tuple[LiveRange, int]] = []
        for group in order:
            (own,) = group.live_ranges
            offset = 0
            while any(
                own.meets(other) and offset < place + other.size and place < offset + own.size
                for other, place in placed
            ):
                offset += ALIGNMENT
            placed.append((own, offset))
        best = min(best, max(place + each.size for each, place in placed))
    return best


@pytest.mark.parametrize("seed", range(20))
def test_the_search_finds_what_all_orders_find(seed: int) -> None:
    random = np.random.default_rng(seed)
    groups = []
    for number in range(6):
        first = int(random.integers(0, 8))
        last = first + int(random.integers(0, 5))
        size = ALIGNMENT * int(random.integers(1, 6))
        groups.append(LiveRangeGroup([LiveRange(f"r{number}", size, [(first, last)])]))
    offsets = _Search(groups).smallest(0, MEDIUM)
    assert max(offsets[group] + group.size for group in groups) == brute_force(groups)


@pytest.mark.parametrize("seed", range(10))
def test_overlapping_spans_are_those_that_share_a_step(seed: int) -> None:
    random = np.random.default_rng(seed)
    begins = random.integers(0, 30, 12)
    spans = [(int(begin), int(begin + random.integers(0, 8))) for begin in begins]
    steps = [set(range(first, last + 1)) for first, last in spans]
    found = [frozenset(pair) for pair in _overlapping(spans)]
    every = itertools.combinations(range(len(spans)), 2)
    assert sorted(map(sorted, found)) == [list(p) for p in every if steps[p[0]] & steps[p[1]]]


def test_a_gap_that_the_first_order_leaves_is_closed() -> None:
    """By falling size the small ones lie above both large ones; 96 bytes are enough."""
    sizes = [(64, 0, 1), (48, 2, 3), (32, 1, 2), (48, 3, 4), (32, 0, 0)]
    groups = [
        LiveRangeGroup([LiveRange(f"r{n}", size, [(first, last)])])
        for n, (size, first, last) in enumerate(sizes)
    ]
    offsets = _Search(groups).smallest(0, MEDIUM)
    most = max(live_bytes([each for group in groups for each in group.live_ranges], 5))
    assert most == 96
    assert max(offsets[group] + group.size for group in groups) == most


def test_groups_keep_their_ranges_side_by_side() -> None:
    parts = [LiveRange("a", 16, [(0, 1)]), LiveRange("a", 32, [(1, 2)])]
    group = LiveRangeGroup(parts)
    assert group.size == 48
    assert [(placed.live_range, placed.offset) for placed in group.at(64)] == [
        (parts[0], 64),
        (parts[1], 80),
    ]


def random_periods(random: np.random.Generator) -> list[tuple[int, int]]:
    cuts = sorted(map(int, random.choice(24, size=2 * int(random.integers(0, 4)), replace=False)))
    return list(zip(cuts[::2], cuts[1::2], strict=True))


def steps_of(periods: list[tuple[int, int]]) -> set[int]:
    return {step for first, last in periods for step in range(first, last + 1)}


@pytest.mark.parametrize("seed", range(30))
def test_ranges_meet_where_their_steps_do(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(40):
        one, two = random_periods(random), random_periods(random)
        wanted = bool(steps_of(one) & steps_of(two))
        assert LiveRange("", 1, one).meets(LiveRange("", 1, two)) == wanted
        assert LiveRange("", 1, two).meets(LiveRange("", 1, one)) == wanted


def test_live_bytes_of_every_step() -> None:
    ranges = [
        LiveRange("a", 10, [(0, 2)]),
        LiveRange("b", 5, [(1, 1), (3, 4)]),
        LiveRange("c", 7, [(4, 9)]),
    ]
    assert live_bytes(ranges, 6) == [10, 15, 10, 5, 12, 7]
    assert ranges[1].first == 1 and ranges[1].last == 4
