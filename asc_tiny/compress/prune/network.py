"""One pruning of a network in memory: rank, choose, build the smaller network, copy weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny import nets
from asc_tiny.complexity.keras import measure_model
from asc_tiny.complexity.report import Total, total
from asc_tiny.compress.prune.channels import Channels, trace
from asc_tiny.compress.prune.goal import Goal, Start
from asc_tiny.compress.prune.plan import Ranking, rank
from asc_tiny.compress.prune.shrink import copy_kept


@dataclass(frozen=True)
class RankedNetwork:
    """A network with its filters in the order of their importance.

    Attributes:
        name: one of ``asc_tiny.nets.NAMES``.
        model: ``keras.Model`` of that network; nothing here changes it.
        channels, ranking: the channels of the model that can be removed, and their order by
            importance.
    """

    name: str
    model: Any
    channels: Channels
    ranking: Ranking

    @classmethod
    def of(cls, name: str, model: Any, criterion: str) -> RankedNetwork:
        """Rank the filters of a network by one of ``criteria.CRITERIA``.

        Raises:
            AscError: there is no such network, or the model is not a functional one.
        """
        channels = trace(model)
        return cls(name, model, channels, rank(model, channels, nets.filters(name), criterion))

    @property
    def start(self) -> Start:
        """What steps towards a goal are counted from if this is the first network."""
        return Start(self.ranking.filters, total([measure_model(self.model, source=self.name)]))

    def build(self, filters: Mapping[str, int]) -> Any:
        """Build the network anew, untrained, with other numbers of filters."""
        shape, classes = self.model.input_shape[1:], self.model.output_shape[-1]
        every = {**self.ranking.filters, **filters}
        return nets.build(self.name, shape, classes, filters=every)

    def measure(self, filters: Mapping[str, int]) -> Total:
        """Return the figures of the network with other numbers of filters."""
        return total([measure_model(self.build(filters), source=self.name)])

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
