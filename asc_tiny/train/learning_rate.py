"""Learning rate with warm restarts (Loshchilov and Hutter, SGDR, arXiv:1608.03983)."""

from __future__ import annotations

import math

from asc_tiny.train.recipe_tables import Schedule


def rate(schedule: Schedule, epoch: int, step: int, steps: int) -> float:
    """Return the learning rate of one step (SGDR equation 5, updated per batch).

    rate_min + (rate_max - rate_min) * (1 + cos(pi * t)) / 2, where t is the share of the current
    cycle that has passed.

    Args:
        schedule: cycles and their rates.
        epoch: 0 for the first; past the last cycle the last cycle repeats.
        step: 0 to ``steps`` - 1.
        steps: steps in an epoch.
    """
    start, length = cycle(schedule, epoch)
    passed = (epoch - start + step / steps) / length
    span = schedule.rate_max - schedule.rate_min
    return schedule.rate_min + span * (1.0 + math.cos(math.pi * passed)) / 2.0


def cycle(schedule: Schedule, epoch: int) -> tuple[int, int]:
    """Return the first epoch and the length of the cycle that ``epoch`` is in, counted from 0."""
    start = 0
    for length in schedule.cycles:
        if epoch < start + length:
            return start, length
        start += length
    last = schedule.cycles[-1]
    return start + (epoch - start) // last * last, last
