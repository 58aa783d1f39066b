"""Integers."""

from __future__ import annotations


def round_up(value: int, unit: int) -> int:
    """Return the smallest multiple of ``unit``, at least 1, that is not below ``value``."""
    return -(-value // unit) * unit
