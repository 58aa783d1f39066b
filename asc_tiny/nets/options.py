"""Options that our networks have in common, and the check of their values."""

from __future__ import annotations

from collections.abc import Mapping

from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

_WIDEST = 16.0


def scaled(filters: Mapping[str, int], width: float) -> dict[str, int]:
    """Return numbers of filters times a width, rounded to whole ones of 1 or more.

    Raises:
        AscError: the width is not above 0, or above 16.
    """
    require("width", width, 0.0 < width <= _WIDEST, f"above 0, up to {_WIDEST:g}")
    return {name: max(1, round(width * count)) for name, count in filters.items()}


def divisible(value: float, divisor: int = 8) -> int:
    """Return the multiple of ``divisor`` nearest to a number of channels, at most 10 % below it.

    The rule of MobileNets (Sandler et al., arXiv:1801.04381, and their public code).
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def require(name: str, value: object, ok: bool, allowed: str) -> None:
    """Raise AscError, which names the option and what is allowed, unless ``ok``."""
    if not ok:
        raise AscError(f"network_options.{name} = {shown(value)}, allowed: {allowed}")
