"""Live ranges of activations and the memory that they need at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from asc_tiny.tflite.graph import ABSENT, Graph


@dataclass(frozen=True)
class LiveRange:
    """The operators, first to last and both included, during which a tensor's values exist."""

    first: int
    last: int

    def overlaps(self, other: LiveRange) -> bool:
        """Whether both exist during at least one operator."""
        return self.first <= other.last and other.first <= self.last


def live_ranges(graph: Graph) -> dict[int, LiveRange]:
    """Return the live range of every activation by tensor index, in places among the operators.

    A tensor exists from the operator that writes it to the last that reads it, a network input
    from operator 0, a network output to the last operator.
    """
    first: dict[int, int] = dict.fromkeys(graph.inputs, 0)
    last: dict[int, int] = dict.fromkeys(graph.inputs, 0)
    for place, operator in enumerate(graph.operators):
        for index in operator.outputs:
            first[index] = last[index] = place
        for index in operator.inputs:
            if index in first:
                last[index] = place
    end = len(graph.operators) - 1
    last.update((index, end) for index in graph.outputs if index in first)
    return {index: LiveRange(first[index], last[index]) for index in first if index != ABSENT}


def live_bytes(graph: Graph) -> list[int]:
    """Return, per operator, the bytes of all activations that exist while it runs."""
    # By how much more there is than at the operator before: linear in tensors and operators.
    steps = [0] * (len(graph.operators) + 1)
    for index, live_range in live_ranges(graph).items():
        tensor = graph.tensor(index)
        if not tensor.is_constant:
            steps[live_range.first] += tensor.byte_count
            steps[live_range.last + 1] -= tensor.byte_count
    return list(accumulate(steps[:-1]))
