"""The order of steps as loops: a network's rows repeat the same few steps again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST = 64
_MOST_TIMES = 2**16 - 1


@dataclass(frozen=True)
class Loop:
    """Stages that run one after the other, several times.

    Attributes:
        stages: numbers of the stages, in their order.
        times: number of times, 1 to 65,535.
    """

    stages: tuple[int, ...]
    times: int


def loops(order: Sequence[int]) -> list[Loop]:
    """Return loops that give an order, at each place the one that saves most steps.

    What repeats nothing becomes a loop that runs once.
    """
    found: list[Loop] = []
    single: list[int] = []
    place = 0
    while place < len(order):
        length, times = _best(order, place)
        if times == 1:
            single.append(order[place])
            place += 1
            continue
        if single:
            found.append(Loop(tuple(single), 1))
            single = []
        found.append(Loop(tuple(order[place : place + length]), times))
        place += length * times
    return [*found, Loop(tuple(single), 1)] if single else found


# A loop takes as many bytes as this many steps.
_LOOP_BYTES = 4


def _best(order: Sequence[int], place: int) -> tuple[int, int]:
    """Return length and times of the loop from a place on that saves most bytes."""
    best, saved = (1, 1), _LOOP_BYTES
    for length in range(1, min(_LONGEST, (len(order) - place) // 2) + 1):
        times = _times(order, place, length)
        if length * (times - 1) > saved:
            best, saved = (length, times), length * (times - 1)
    return best


def _times(order: Sequence[int], place: int, length: int) -> int:
    """Return the number of times that the next ``length`` steps follow each other."""
    end = place + length
    while end < len(order) and order[end] == order[end - length]:
        end += 1
    return min((end - place) // length, _MOST_TIMES)
