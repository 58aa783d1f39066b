"""What flashing is to all tools: steps that can be told before they are done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[float], None]
"""Is called with the share that is done, 0 to 1."""


@dataclass(frozen=True)
class Job:
    """An image on its way into a board.

    Attributes:
        steps: what will be done, a line each.
        run: does it; raises AscError.
    """

    steps: tuple[str, ...]
    run: Callable[[Progress], None]
