"""What pruning aims at: a share of filters, limits on the network's figures, or a table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from asc_tiny.complexity.gate.limits import Limits
from asc_tiny.complexity.report import Total
from asc_tiny.compress.prune.plan import MIN_FILTERS, Ranking
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_toml

Measure = Callable[[Mapping[str, int]], Total]
"""Returns the figures of the network with so many filters in each layer."""


@dataclass(frozen=True)
class Start:
    """The network before the first step: filters of each layer that may lose some."""

    filters: Mapping[str, int]
    figures: Total

    @property
    def total(self) -> int:
        """Filters of all these layers."""
        return sum(self.filters.values())


class Goal(Protocol):
    """What a network is pruned to."""

    def part(self, share: float, start: Start) -> Goal:
        """Return the goal of a step at ``share`` (above 0, up to 1) of the way from ``start``."""
        ...

    def counts(self, ranking: Ranking, start: Start, measure: Measure, multiple: int) -> list[int]:
        """Return how many channels of each group of ``ranking`` stay, the most important ones.

        Raises:
            AscError: pruning cannot get there.
        """
        ...


@dataclass(frozen=True)
class Rate:
    """A share of all filters is removed, 0 to below 1."""

    rate: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.rate < 1.0:
            raise AscError(f"--rate {self.rate:g}: allowed are 0 to below 1")

    def part(self, share: float, start: Start) -> Rate:
        """Return the goal of a step: the rate rises linearly."""
        return Rate(self.rate * share)

    def counts(self, ranking: Ranking, start: Start, measure: Measure, multiple: int) -> list[int]:
        """Return the counts after the least important filters went, wherever they are."""
        gone = start.total - sum(ranking.filters.values())
        going = 0
        while gone < round(self.rate * start.total):
            if going == len(ranking.order):
                raise AscError(
                    f"--rate {self.rate:g}: at most {gone / start.total:.3f} of the filters can "
                    f"be removed, {MIN_FILTERS} stay in each layer"
                )
            gone += ranking.order[going][1]
            going += 1
        return ranking.removing(going, multiple)


@dataclass(frozen=True)
class Within:
    """As few filters as possible are removed so that the network is within limits."""

    limits: Limits

    def part(self, share: float, start: Start) -> Within:
        """Return the goal of a step: what is over a limit falls linearly."""
        values = {}
        for limit, now in zip(fields(Limits), _figures(start.figures), strict=True):
            value = getattr(self.limits, limit.name)
            over = 0 if value is None else max(now - value, 0)
            values[limit.name] = None if value is None else value + math.ceil(over * (1.0 - share))
        return Within(Limits(**values))

    def counts(self, ranking: Ranking, start: Start, measure: Measure, multiple: int) -> list[int]:
        """Return the counts by bisection over how many channels of the ranking go."""

        def exceeded(going: int) -> list[str]:
            counts = ranking.removing(going, multiple)
            return self.limits.exceeded(measure(ranking.layer_filters(counts)))

        low, high = 0, len(ranking.order)
        if lines := exceeded(high):
            raise AscError(
                "the target cannot be met: the smallest network that pruning gives has "
                f"{'; '.join(lines)}"
            )
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if exceeded(middle) else (low, middle)
        return ranking.removing(low, multiple)


@dataclass(frozen=True)
class Table:
    """Each layer of the table keeps so many filters, the others all they have."""

    filters: Mapping[str, int]

    def part(self, share: float, start: Start) -> Table:
        """Return the goal of a step: filters go linearly in each layer."""
        full = start.filters
        return Table(
            {name: full[name] - round((full[name] - n) * share) for name, n in self.filters.items()}
        )

    def counts(self, ranking: Ranking, start: Start, measure: Measure, multiple: int) -> list[int]:
        """Return the counts of the table; ``multiple`` has no say."""
        return ranking.table_counts(self.filters)


def read_table(path: Path) -> dict[str, int]:
    """Read how many filters layers keep: TOML, ``layer = count`` at the top or in ``[filters]``.

    Raises:
        AscError: not such a file.
    """
    values = read_toml(path)
    table: Any = values.get("filters", values)
    if not isinstance(table, dict) or any(type(count) is not int for count in table.values()):
        raise AscError(f"{path}: must give a whole number of filters for each layer")
    return table


def to_json(goal: Goal) -> dict[str, Any]:
    """Return a goal as plain values."""
    values: dict[str, Any] = dataclasses.asdict(goal)  # type: ignore[call-overload]
    return values


def _figures(total: Total) -> tuple[int, int, int, int]:
    """Return a network's figures in the order of the fields of ``Limits``."""
    return total.params, total.macs, total.peak_activation_bytes, total.weight_bytes
