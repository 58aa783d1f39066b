"""Arrays of integers as wide as the firmware's, and what NumPy lacks for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]
UInt64Array = NDArray[np.uint64]


def floor_log2(values: UInt64Array) -> Int64Array:
    """Return the place of the highest bit of integers, 0 for 0."""
    exponent = np.zeros(values.shape, np.int64)
    for bits in (32, 16, 8, 4, 2, 1):
        large = (values >> np.uint64(bits)) > 0
        exponent += np.where(large, bits, 0)
        values = np.where(large, values >> np.uint64(bits), values)
    return exponent
