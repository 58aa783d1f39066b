"""Learning rate with warm restarts (Loshchilov and Hutter, SGDR, arXiv:1608.03983).

It may rise to its maximum linearly first (Goyal et al., "Accurate, Large Minibatch SGD",
arXiv:1706.02677, section 2.2).
"""

from __future__ import annotations

import math

from asc_tiny.train.recipe_tables import Schedule


def rate(schedule: Schedule, epoch: int, step: int, steps: int) -> float:
    """Return the learning rate of one step (SGDR equation 5, updated per batch).

    rate_min + (rate_max - rate_min) * (1 + cos(pi * t)) / 2, where t is the share of the current
    cycle that has passed. In the first ``warmup_epochs`` it is rate_max (k + 1) / n at step k of
    the n steps of these epochs, and the first cycle's cosine takes the rest of the cycle.

    Args:
        schedule: cycles and their rates.
        epoch: 0 for the first; past the last cycle the last cycle repeats.
        step: 0 to ``steps`` - 1.
        steps: steps in an epoch.
    """
    if epoch < schedule.warmup_epochs:
        return schedule.rate_max * (epoch * steps + step + 1) / (schedule.warmup_epochs * steps)
    start, length = cycle(schedule, epoch)
    if start == 0:
        start, length = schedule.warmup_epochs, length - schedule.warmup_epochs
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
