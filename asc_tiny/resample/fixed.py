"""Integer model of the resampler: the bits of ``asc_resample.c``."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from asc_tiny.resample.design import FRACTION_BITS, PRODUCT_SHIFT, Resampler

RESULT_SHIFT = FRACTION_BITS - PRODUCT_SHIFT

Int16Array = NDArray[np.int16]

_OUTPUTS_AT_ONCE = 1 << 14


def resample(pcm: Int16Array, resampler: Resampler) -> Int16Array:
    """Return a stream at the model's rate.

    Args:
        pcm: int16 samples from the stream's start, shape (samples,); zeros come before.
        resampler: resampler from the microphone's rate to the model's.

    Returns:
        int16, shape (ceil(samples * up / down),), later by ``resampler.delay`` input samples.
    """
    history = np.zeros(resampler.taps, np.int16)
    windows = sliding_window_view(np.concatenate([history, pcm]), resampler.taps)[1:]
    numbers = np.arange(resampler.output_count(len(pcm)))
    parts = [
        _outputs(windows, resampler, numbers[start : start + _OUTPUTS_AT_ONCE])
        for start in range(0, len(numbers), _OUTPUTS_AT_ONCE)
    ]
    return np.concatenate([np.zeros(0, np.int16), *parts])


def _outputs(windows: Int16Array, resampler: Resampler, numbers: NDArray[np.int64]) -> Int16Array:
    times = numbers * resampler.down
    coefficients = resampler.coefficients[times % resampler.up].astype(np.int64)
    products = (coefficients * windows[times // resampler.up]) >> PRODUCT_SHIFT
    rounded = (products.sum(axis=1) + (1 << (RESULT_SHIFT - 1))) >> RESULT_SHIFT
    return np.asarray(np.clip(rounded, -32768, 32767), np.int16)
