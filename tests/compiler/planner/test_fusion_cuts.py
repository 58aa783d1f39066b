"""Fusion cuts on graphs made by hand: what each schedule means, and what the best one saves."""

from __future__ import annotations

import itertools

import pytest

from asc_tiny.compiler.planner.arena_allocator import allocate
from asc_tiny.compiler.planner.fusion_cuts import cuts_of
from asc_tiny.compiler.planner.scheduler import schedule
from support.hand_made import chain


def size(heights: tuple[int, ...], cuts: tuple[int, ...]) -> int:
    lowered = chain(10, 40, *heights)
    return allocate(lowered, schedule(lowered, cuts)).size


@pytest.mark.parametrize("heights", [(1, 1, 1), (3, 3, 3), (1, 7, 1, 5)])
def test_no_choice_of_cuts_is_much_better_than_the_one_that_is_found(
    heights: tuple[int, ...],
) -> None:
    lowered = chain(10, 40, *heights)
    found = size(heights, cuts_of(None, lowered))
    every = range(len(heights))
    best = min(
        size(heights, cuts)
        for count in range(len(heights) + 1)
        for cuts in itertools.combinations(every, count)
    )
    assert best <= found <= best + 16
    assert found <= min(size(heights, ()), size(heights, tuple(every)))


def test_schedules_that_a_user_names() -> None:
    lowered = chain(10, 40, 3, 3)
    assert cuts_of("rows", lowered) == ()
    assert cuts_of("layers", lowered) == (0, 1)
