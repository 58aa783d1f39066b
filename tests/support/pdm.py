"""A sigma-delta modulator as in a PDM microphone, and what an ideal filter makes of its bits."""

from __future__ import annotations

import numpy as np
from scipy import signal


def modulated(values: np.ndarray) -> np.ndarray:
    """Return the bits of a modulator of second order (Candy, 1985), 0 or 1, one for each value.

    Args:
        values: from -1 to 1; a modulator of this order is stable up to about 0.7.
    """
    first = second = 0.0
    bits = np.zeros(len(values), np.uint8)
    for i, value in enumerate(values.tolist()):
        feedback = 1.0 if second >= 0.0 else -1.0
        bits[i] = feedback > 0.0
        first += value - feedback
        second += first - 2.0 * feedback
    return bits


def packed(bits: np.ndarray, msb_first: int = 0) -> np.ndarray:
    """Return the bits as bytes in the memory of a little-endian core."""
    if not msb_first:
        return np.packbits(bits, bitorder="little")
    return np.packbits(bits).reshape(-1, msb_first)[:, ::-1].ravel()


def ideal(bits: np.ndarray, decimation: int, delay: float) -> np.ndarray:
    """Return samples by one filter in float64, in units of int16, four times as steep.

    Args:
        bits: 0 or 1, shape (bits,).
        decimation: bits per sample.
        delay: samples by which they come later.
    """
    half = 128 * decimation
    shift = round(delay * decimation)
    filter_ = signal.firwin(2 * half + 1, 1.0 / decimation, window=("kaiser", 12.0))
    through = signal.oaconvolve(2.0 * bits - 1.0, filter_)[half:]
    times = decimation * (1 + np.arange(len(bits) // decimation)) - 1 - shift
    return 32768.0 * np.where(times >= 0, through[np.maximum(times, 0)], 0.0)
