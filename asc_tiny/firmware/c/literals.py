"""Numbers as C text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_VALUES_PER_LINE = 16
_INT32_MIN = -(2**31)


def int_literal(value: int) -> str:
    """Return an integer as C text."""
    # C has no negative literals: -2147483648 would negate a number that does not fit an int.
    return "INT32_MIN" if value == _INT32_MIN else str(value)


def value_lines(values: NDArray[Any], suffix: str = "") -> list[str]:
    """Return the integers of an array as lines of a C initialiser, each with a C suffix."""
    texts = [
        int_literal(value) + (suffix if value != _INT32_MIN else "") for value in values.tolist()
    ]
    starts = range(0, len(texts), _VALUES_PER_LINE)
    return [", ".join(texts[start : start + _VALUES_PER_LINE]) + "," for start in starts]


def float_literal(value: float) -> str:
    """Return the shortest C literal that reads back as the same float32."""
    return np.format_float_scientific(np.float32(value), trim="0") + "f"


def hash_literal(sha256: str) -> str:
    """Return the first 32 bits of a hash as a C literal that every preprocessor can compare."""
    return f"0x{sha256[:8]}"
