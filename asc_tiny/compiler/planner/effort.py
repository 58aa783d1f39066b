"""How long the planner searches: more plans tried take longer and may find a better one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from asc_tiny.util import progress

_T = TypeVar("_T")


@dataclass(frozen=True)
class Effort:
    """How many plans are tried.

    Attributes:
        rounds: number of orders in which an arena is filled, of each kind, for the plan that is
            taken.
        short_rounds: the same for a plan that is compared with others.
        combinations: largest number of combinations of rows per run that are tried.
        searched: largest number of runs, times that of stages, of a network whose fusion cuts and
            rows per run are searched for.
        streaming_plans: number of streaming plans whose arena is searched for longer.
    """

    rounds: int
    short_rounds: int
    combinations: int
    searched: int
    streaming_plans: int


EFFORTS: Mapping[str, Effort] = {
    "low": Effort(50, 5, 10, 2**12, 1),
    "medium": Effort(500, 50, 100, 2**17, 4),
    "high": Effort(5000, 500, 1000, 2**22, 16),
}
"""What the efforts that a user can ask for by name mean."""

MEDIUM = EFFORTS["medium"]


def shown(choices: Iterable[_T], what: str) -> Iterable[_T]:
    """Return choices, with a progress bar on a terminal if going through them takes long."""
    return progress.over(choices, f"planning, {what}", "choice")
