"""How kernels read weights: channels in pairs, the depth of a filter in groups.

The compiler lays weights out so, and the estimate counts the products with what fills them up.
"""

from __future__ import annotations

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


def round_up(value: int, unit: int) -> int:
    """Return the smallest multiple of ``unit`` that is not below ``value``."""
    return -(-value // unit) * unit
