"""Progress bars with the time that is left: on a terminal alone, and none with ``-q``.

Where several processes work, that which started them draws the bar.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, TypeVar

from tqdm import tqdm

_T = TypeVar("_T")

Bar: TypeAlias = tqdm
"""A bar, which ``update`` moves on by a number of units."""

_PATIENCE_S = 2.0
"""Seconds for which a work may go on before it is worth a bar."""


def bar(total: float | None, what: str, unit: str, *, done: float = 0, stays: bool = False) -> Bar:
    """Return a bar, to be used as a context and moved on by ``update``.

    Args:
        total: units of the whole work; None where they are not known.
        what: what is done.
        unit: name of a unit.
        done: units that an earlier run has done.
        stays: draw it at once and leave it on the terminal, as the sign of a command's main work;
            else it comes up when the work takes some seconds, and goes away.
    """
    return tqdm(
        total=total,
        initial=done,
        desc=what,
        unit=unit,
        disable=None,
        leave=stays,
        delay=0.0 if stays else _PATIENCE_S,
    )


def over(items: Iterable[_T], what: str, unit: str, *, total: int | None = None) -> Iterable[_T]:
    """Return items, with a bar that comes up if going through them takes some seconds.

    Args:
        items: what is gone through.
        what: what is done.
        unit: name of an item.
        total: number of items where these have no length.
    """
    found: Iterable[_T] = tqdm(
        items, what, total, unit=unit, disable=None, leave=False, delay=_PATIENCE_S
    )
    return found
