"""Integer model of the decimator: the bits of ``asc_pdm.c``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asc_tiny.pdm.design import (
    CIC_ORDER,
    COEFFICIENT_BITS,
    CORRECTION_BITS,
    FIRST_COEFFICIENTS,
    FULL_SCALE_BITS,
    SECOND_COEFFICIENTS,
    Decimator,
    Int32Array,
)

RESULT_SHIFT = CORRECTION_BITS + FULL_SCALE_BITS - 15

_SAMPLES_AT_ONCE = 1 << 12

BitArray = NDArray[np.uint8]
Int16Array = NDArray[np.int16]
Int64Array = NDArray[np.int64]


def decimate(bits: BitArray, decimator: Decimator) -> Int16Array:
    """Return the samples of a stream of bits.

    Args:
        bits: 0 or 1 from the stream's start, shape (bits,); silence comes before, in which ones
            and zeros alternate and the last is a 0.
        decimator: decimator of the stream.

    Returns:
        int16, shape (bits // decimator.bits,).
    """
    count = len(bits) // decimator.bits
    values = _cic(bits[: count * decimator.bits], decimator)
    for coefficients in (FIRST_COEFFICIENTS, SECOND_COEFFICIENTS):
        values = _halved(values, coefficients)
    outer, inner, middle = decimator.correction.astype(np.int64)
    sums = _filtered(values, np.array([outer, inner, middle, inner, outer]))
    return np.asarray(np.clip(_rounded(sums, RESULT_SHIFT), -32768, 32767), np.int16)


def _cic(bits: BitArray, decimator: Decimator) -> Int64Array:
    """Return the samples of the CIC filter, shape (4 * samples,)."""
    boxes = np.ones(1, np.int64)
    for _ in range(CIC_ORDER):
        boxes = np.convolve(boxes, np.ones(decimator.cic_bits, np.int64))
    silence = np.tile(np.array([1, 0], np.uint8), len(boxes))
    stream = np.concatenate([silence, bits])
    # Each sample is a sum over the bits up to its own: no integrators here.
    ends = len(silence) + decimator.cic_bits * (1 + np.arange(len(bits) // decimator.cic_bits))
    windows = np.lib.stride_tricks.sliding_window_view(stream, len(boxes))
    parts = [
        (2 * windows[ends[start : start + _SAMPLES_AT_ONCE] - len(boxes)].astype(np.int64) - 1)
        @ boxes
        for start in range(0, len(ends), _SAMPLES_AT_ONCE)
    ]
    sums = np.concatenate([np.zeros(0, np.int64), *parts])
    shift = decimator.cic_shift
    return sums << shift if shift >= 0 else _rounded(sums, -shift)


def _halved(values: Int64Array, coefficients: Int32Array) -> Int64Array:
    """Return what a half-band filter leaves of the values, every second one."""
    taps = np.zeros(4 * len(coefficients) - 1, np.int64)
    taps[: 2 * len(coefficients) : 2] = coefficients
    taps[2 * len(coefficients) :: 2] = coefficients[::-1]
    taps[2 * len(coefficients) - 1] = 1 << (COEFFICIENT_BITS - 1)
    return _rounded(_filtered(values, taps)[1::2], COEFFICIENT_BITS)


def _filtered(values: Int64Array, taps: Int64Array) -> Int64Array:
    """Return the values through a filter, zeros before them."""
    padded = np.concatenate([np.zeros(1, np.int64), values])  # NumPy convolves nothing empty
    return np.asarray(np.convolve(padded, taps)[1 : len(padded)], np.int64)


def _rounded(values: Int64Array, shift: int) -> Int64Array:
    """Return the values divided by a power of 2, halves rounded up."""
    return (values + (1 << (shift - 1))) >> shift
