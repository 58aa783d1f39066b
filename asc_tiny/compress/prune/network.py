"""One pruning of a network in memory: rank, choose, build the smaller network, copy weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny.complexity.keras import measure_model
from asc_tiny.complexity.report import Total, total
from asc_tiny.compress.prune.channels import Channels, trace
from asc_tiny.compress.prune.goal import Goal, Start
from asc_tiny.compress.prune.plan import Ranking, rank
from asc_tiny.compress.prune.shrink import copy_kept
from asc_tiny.nets.rebuild import functional, rebuilt


@dataclass(frozen=True)
class RankedNetwork:
    """A network with its filters in the order of their importance.

    Attributes:
        model: functional ``keras.Model``; nothing here changes it.
        channels, ranking: the channels of the model that can be removed, and their order by
            importance.
    """

    model: Any
    channels: Channels
    ranking: Ranking

    @classmethod
    def of(cls, model: Any, criterion: str, unpruned: Collection[str] = ()) -> RankedNetwork:
        """Rank the filters of a network.

        Args:
            model: a functional or sequential network.
            criterion: one of ``criteria.CRITERIA``.
            unpruned: names of layers that keep their filters.

        Raises:
            AscError: the model is not a functional one.
        """
        model = functional(model)
        channels = trace(model)
        layers = set(channels.producers) - set(unpruned)
        return cls(model, channels, rank(model, channels, layers, criterion))

    @property
    def start(self) -> Start:
        """What steps towards a goal are counted from if this is the first network."""
        return Start(
            self.ranking.filters, total([measure_model(self.model, source=self.model.name)])
        )

    def build(self, filters: Mapping[str, int]) -> Any:
        """Build the network anew, untrained, with other numbers of filters."""
        return rebuilt(self.model, filters=filters)

    def measure(self, filters: Mapping[str, int]) -> Total:
        """Return the figures of the network with other numbers of filters."""
        return total([measure_model(self.build(filters), source=self.model.name)])

    def counts(self, goal: Goal, start: Start, multiple: int) -> list[int]:
        """Return how many channels of each group stay to meet a goal.

        Raises:
            AscError: the goal cannot be met.
        """
        return goal.counts(self.ranking, start, self.measure, multiple)

    def shrunk(self, counts: Sequence[int]) -> Any:
        """Return a smaller model with the weights of the most important channels.

        Args:
            counts: channels that stay of each group of the ranking.
        """
        smaller = self.build(self.ranking.layer_filters(counts))
        copy_kept(self.model, smaller, self.channels, self.ranking.removed(counts))
        return smaller
