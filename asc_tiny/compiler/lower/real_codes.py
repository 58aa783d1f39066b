"""Codes that stand for the floating-point numbers which a DEQUANTIZE has made of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FROM_REAL = "from_real"
"""The option of a QUANTIZE whose codes stand for floating-point numbers that are quantised."""


def real_values(scale: float, zero_point: int) -> NDArray[np.float32]:
    """Return what DEQUANTIZE makes of the codes -128 to 127."""
    codes = np.arange(-128, 128, dtype=np.float64)
    return (np.float64(scale) * (codes - zero_point)).astype(np.float32)
