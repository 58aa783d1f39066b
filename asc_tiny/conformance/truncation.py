"""A network that ends earlier, and one that shows what is inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from asc_tiny.tflite.graph import NUMPY_TYPES, Graph, Operator


def layers(graph: Graph) -> list[Operator]:
    """Return the operators whose results are numbers, in their order."""
    return [
        operator
        for operator in graph.operators
        if operator.outputs and all(graph.tensor(i).dtype in NUMPY_TYPES for i in operator.outputs)
    ]


def ending_with(graph: Graph, operators: Sequence[Operator]) -> Graph:
    """Return a graph whose outputs are those of some operators, with what they need alone.

    Operators without outputs that come before, such as those that assign variables, stay.
    """
    outputs = tuple(dict.fromkeys(index for each in operators for index in each.outputs))
    last = max(operator.index for operator in operators)
    before = [operator for operator in graph.operators if operator.index <= last]
    needed = set(outputs) | {i for each in before if not each.outputs for i in each.inputs}
    kept = []
    for operator in reversed(before):
        if not operator.outputs or needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return replace(
        graph,
        operators=tuple(reversed(kept)),
        inputs=tuple(_of(graph.inputs, needed)),
        outputs=outputs,
    )


def _of(indices: Iterable[int], needed: set[int]) -> list[int]:
    return [index for index in indices if index in needed]
