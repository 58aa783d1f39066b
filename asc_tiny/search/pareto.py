"""Which candidates no other one beats in everything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def front(gains: ArrayLike, costs: Sequence[ArrayLike]) -> list[int]:
    """Return the indices of the candidates on the Pareto front, by falling gain.

    A candidate is on it if no other one has at least its gain at no higher cost of any kind, and
    is better in one of these. Of equal candidates the first one is.

    Args:
        gains: what is to be high, one number for each candidate.
        costs: what is to be low: lists of one number for each candidate.
    """
    points = np.column_stack([-np.asarray(gains, float), *(np.asarray(c, float) for c in costs)])
    order = np.lexsort((np.arange(len(points)), *points.T[::-1]))
    kept: list[int] = []
    for index in order:
        if not any((points[other] <= points[index]).all() for other in kept):
            kept.append(int(index))
    return kept
