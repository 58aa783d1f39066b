"""A function in C that takes a stream in chunks, and writes samples of 16 bits."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_GUARD = np.int16(-12345)


def pushed(
    function: Any,
    state: ctypes.Array[ctypes.c_char],
    data: np.ndarray,
    chunks: Sequence[int],
    most: Callable[[int], int],
) -> np.ndarray:
    """Push a stream in chunks of these sizes in elements, over and over; return the samples.

    Args:
        function: takes state, elements, their number and a place for samples; returns how many
            samples it wrote.
        state: of the function.
        data: the stream.
        chunks: numbers of elements.
        most: returns the most samples that a number of elements gives; no more may be written.
    """
    data, parts = np.ascontiguousarray(data), []
    position = turn = 0
    while position < len(data):
        count = min(chunks[turn % len(chunks)], len(data) - position)
        out = np.full(most(count) + 1, _GUARD, np.int16)
        source = ctypes.c_void_p(data.ctypes.data + data.itemsize * position)
        target = ctypes.c_void_p(out.ctypes.data)
        done = function(state, source, ctypes.c_size_t(count), target)
        assert done <= most(count) and out[most(count)] == _GUARD
        parts.append(out[:done])
        position, turn = position + count, turn + 1
    return np.concatenate([np.zeros(0, np.int16), *parts])
