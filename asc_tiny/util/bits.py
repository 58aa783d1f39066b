"""Arrays compared bit by bit: what is no number equals itself, and 0 is not -0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def same(expected: NDArray[Any], found: NDArray[Any]) -> bool:
    """Return whether all bits are the same."""
    return expected.tobytes() == found.tobytes()


def differing(expected: NDArray[Any], found: NDArray[Any]) -> NDArray[Any]:
    """Return the positions of elements whose bits differ, shape (elements, dimensions)."""
    size = expected.dtype.itemsize
    bits = [np.ascontiguousarray(each).reshape(-1).view(np.uint8) for each in (expected, found)]
    places = (bits[0].reshape(-1, size) != bits[1].reshape(-1, size)).any(axis=1)
    return np.argwhere(places.reshape(expected.shape))
