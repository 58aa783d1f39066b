"""Which filters to keep: a ranking over all layers, and counts that follow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from asc_tiny.compress.prune.channels import FIXED, Channels
from asc_tiny.compress.prune.criteria import importance
from asc_tiny.util.errors import AscError

MIN_FILTERS = 4
"""Filters that stay in a layer; a layer that has fewer keeps them all."""


@dataclass(frozen=True)
class Group:
    """Channels that the same layers make; tied layers have a filter each for a channel.

    Attributes:
        layers: names of these layers; one that has several filters per channel is repeated.
        channels: numbers of the channels, the most important first.
        importance: importance of each channel: the mean over its filters, 0 or more.
    """

    layers: tuple[str, ...]
    channels: tuple[int, ...]
    importance: tuple[float, ...]

    def bounds(self, multiple: int) -> tuple[int, int]:
        """Return the smallest and the largest count of channels that may stay."""
        size = len(self.channels)
        most = size // multiple * multiple or size
        return min(most, -(-MIN_FILTERS // multiple) * multiple), most


@dataclass(frozen=True)
class Ranking:
    """All channels of a network that can be removed.

    Attributes:
        groups: all groups of channels, in the order of their first layers.
        order: (group's index, filters per channel) of every channel that may go, the least
            important first.
        kept: filters in no group, of layers that have some in a group.
    """

    groups: tuple[Group, ...]
    order: tuple[tuple[int, int], ...]
    kept: Mapping[str, int] = field(default_factory=dict)

    @property
    def filters(self) -> dict[str, int]:
        """Filters of each layer before any is removed."""
        return self.layer_filters([len(group.channels) for group in self.groups])

    def layer_filters(self, counts: Sequence[int]) -> dict[str, int]:
        """Return the filters of each layer when ``counts`` channels of each group stay."""
        layers: Counter[str] = Counter()
        for group, count in zip(self.groups, counts, strict=True):
            for layer in group.layers:
                layers[layer] += count
        return {layer: count + self.kept.get(layer, 0) for layer, count in layers.items()}

    def removing(self, channels: int, multiple: int) -> list[int]:
        """Return the count that stays of each group after the least important ``channels`` went.

        Args:
            channels: 0 to ``len(order)``.
            multiple: each count is rounded to the nearest multiple of it within the bounds.
        """
        gone = Counter(group for group, _ in self.order[:channels])
        counts = []
        for index, group in enumerate(self.groups):
            least, most = group.bounds(multiple)
            rounded = (len(group.channels) - gone[index] + multiple // 2) // multiple * multiple
            counts.append(min(max(rounded, least), most))
        return counts

    def removed(self, counts: Sequence[int]) -> set[int]:
        """Return the channels that go when ``counts`` of each group stay."""
        pairs = zip(self.groups, counts, strict=True)
        return {channel for group, count in pairs for channel in group.channels[count:]}

    def table_counts(self, table: Mapping[str, int]) -> list[int]:
        """Return the counts that give each layer its filters of ``table``.

        Raises:
            AscError: a layer is missing or unknown, would grow, or is tied to a layer with
                another number of filters.
        """
        current = self.filters
        for name, count in table.items():
            if not 1 <= count <= current.get(name, 0):
                allowed = ", ".join(f"{key} 1 to {most}" for key, most in current.items())
                raise AscError(f"{name} = {count}, allowed: {allowed}")
        wanted = {**current, **table}
        places = Counter(layer for group in self.groups for layer in set(group.layers))
        for name in table:
            if places[name] > 1:
                raise AscError(f"{name}: its filters belong to several others, no table cuts them")
        counts = [self._table_count(group, wanted, places) for group in self.groups]
        given = self.layer_filters(counts)
        for name, count in wanted.items():
            if given[name] != count:
                tied = {layer for g in self.groups if name in g.layers for layer in g.layers}
                names = ", ".join(sorted(tied))
                raise AscError(f"{name} = {count}, but layers {names} have their filters together")
        return counts

    def _table_count(
        self, group: Group, wanted: Mapping[str, int], places: Mapping[str, int]
    ) -> int:
        for layer in group.layers:
            if places[layer] == 1:
                count = (wanted[layer] - self.kept.get(layer, 0)) // group.layers.count(layer)
                return min(max(count, 0), len(group.channels))
        return len(group.channels)


def rank(model: Any, channels: Channels, layers: Collection[str], criterion: str) -> Ranking:
    """Rank the filters of a network.

    A channel that a layer outside ``layers`` makes too stays. A channel's importance is the mean
    over the filters that make it (``criteria.importance``); equal ones keep their order.

    Args:
        model: the network.
        channels: as ``trace`` gives them.
        layers: names of the layers that may lose filters.
        criterion: one of ``criteria.CRITERIA``.
    """
    makers: dict[int, list[str]] = {}
    values: dict[int, list[float]] = {}
    for name in channels.producers:
        scores = importance(model, channels, name, criterion)
        for channel, score in zip(channels.producers[name].tolist(), scores, strict=True):
            makers.setdefault(channel, []).append(name)
            values.setdefault(channel, []).append(float(score))
    members: dict[tuple[str, ...], list[int]] = {}
    for channel, names in makers.items():
        if channel != FIXED and set(names) <= set(layers):
            members.setdefault(tuple(names), []).append(channel)
    mean = {channel: float(np.mean(scores)) for channel, scores in values.items()}
    groups = []
    for tied, some in members.items():
        best = sorted(some, key=lambda channel: (-mean[channel], channel))
        groups.append(Group(tied, tuple(best), tuple(mean[channel] for channel in best)))
    grouped = Counter(name for group in groups for name in group.layers for _ in group.channels)
    kept = {name: len(channels.producers[name]) - count for name, count in grouped.items()}
    return Ranking(tuple(groups), _order(groups), {n: count for n, count in kept.items() if count})


def _order(groups: Sequence[Group]) -> tuple[tuple[int, int], ...]:
    going = []
    for index, group in enumerate(groups):
        least, _ = group.bounds(1)
        for value, channel in zip(group.importance[least:], group.channels[least:], strict=True):
            going.append((value, -channel, index, len(group.layers)))
    return tuple((index, filters) for _, _, index, filters in sorted(going))
