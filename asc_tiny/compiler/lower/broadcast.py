"""Loops over the values of several operands, some of which are repeated along some axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

LOOPS = 2
"""Nested loops of a kernel over a row."""


def extended(rank: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with so many dimensions, the first ones of 1."""
    return (*(1,) * (rank - len(shape)), *shape)


def merged_loops(
    shape: Sequence[int], shapes: Sequence[Sequence[int]], axes: Sequence[int]
) -> list[list[int]]:
    """Return count and each operand's step of the loops over the axes of a row.

    Axes that both operands step through alike are one; a step of 0 repeats a value.
    """
    loops: list[list[int]] = []
    for axis in axes:
        if shape[axis] == 1:
            continue
        steps = [math.prod(each[axis + 1 :]) if each[axis] == shape[axis] else 0 for each in shapes]
        if loops and all(
            outer == inner * shape[axis] for outer, inner in zip(loops[-1][1:], steps, strict=True)
        ):
            loops[-1] = [loops[-1][0] * shape[axis], *steps]
        else:
            loops.append([shape[axis], *steps])
    return loops
