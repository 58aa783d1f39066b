"""How kernels read weights: channels in pairs, the depth of a filter in groups.

The compiler lays weights out so, and the estimate counts the products with what fills them up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asc_tiny.util.numbers import round_up

PAIR = 2
"""Channels whose weights lie side by side."""

GROUP = 4
"""The values of a filter are padded with zeros to a multiple of this number: a word of int8."""


def im2col_column_size(height: int, channels: int) -> int:
    """Return the values of one column of a window, as kernels gather it."""
    return round_up(height * channels, PAIR)


def padded_depth(depth: int) -> int:
    """Return the values of one filter with the zeros behind it."""
    return round_up(depth, GROUP)


def padded_channels(channels: int) -> int:
    """Return the filters with those of zeros that make pairs."""
    return round_up(channels, PAIR)


def paired(matrix: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return weights (channels, depth) as kernels read them.

    Two channels side by side, four values of each at a time. Zeros fill up depth and channels.

    Returns:
        Shape (pairs of channels, groups, 2, 4).
    """
    channels, depth = matrix.shape
    full = np.zeros((padded_channels(channels), padded_depth(depth)), np.int8)
    full[:channels, :depth] = matrix
    return full.reshape(-1, PAIR, full.shape[1] // GROUP, GROUP).transpose(0, 2, 1, 3)


def unpaired(values: NDArray[np.int8], channels: int, depth: int) -> NDArray[np.int8]:
    """Return weights (channels, depth) from what ``paired`` returns."""
    shaped = values.reshape(padded_channels(channels) // PAIR, -1, PAIR, GROUP)
    matrix = shaped.transpose(0, 2, 1, 3).reshape(padded_channels(channels), -1)
    return matrix[:channels, :depth]


def can_combine(values: NDArray[np.int8]) -> bool:
    """Whether numbers of 16 bits hold the weights of each pair of channels that ``paired`` returns.

    Such a number is 256 times the weight of the first channel and that of the second.
    """
    first, second = values[:, :, 0], values[:, :, 1]
    return not ((first == np.iinfo(np.int8).min) & (second < 0)).any()
