"""Which element types an operator takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asc_tiny.tflite.graph import ABSENT, Graph, Operator


@dataclass(frozen=True)
class Signature:
    """Element types of an operator's operands and results, by their names in the schema.

    Attributes:
        operands: the type of each operand that is computed, or constant and read by a kernel; the
            last one is the type of all further operands. Constants that a rule itself reads, such
            as axes and weights, may be of any type that it allows.
        results: the type of each result; the last one is the type of all further results.
    """

    operands: tuple[str, ...]
    results: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Signature:
        """Return the signature of a text such as ``BOOL INT8 INT8 -> INT8``."""
        operands, results = text.split(" -> ")
        return cls(tuple(operands.split()), tuple(results.split()))

    def operand(self, position: int) -> str:
        """Return the type of the operand at a position, from 0; empty where there is none."""
        return _at(self.operands, position)

    def result(self, position: int) -> str:
        """Return the type of the result at a position, from 0; empty where there is none."""
        return _at(self.results, position)

    def fits(self, graph: Graph, operator: Operator, *, constants: bool = False) -> bool:
        """Whether operands and results of an operator have these types.

        Args:
            graph: the graph that the operator is in.
            operator: the operator.
            constants: whether operands that are constant must have them, too.
        """
        return all(self._matches(graph, operator, constants=constants))

    def agreement(self, graph: Graph, operator: Operator) -> int:
        """Return how many computed operands and results of an operator have these types."""
        return sum(self._matches(graph, operator, constants=False))

    def _matches(self, graph: Graph, operator: Operator, *, constants: bool) -> Iterator[bool]:
        for position, index in enumerate(operator.inputs):
            if index != ABSENT and (constants or not graph.tensor(index).is_constant):
                yield graph.tensor(index).dtype == self.operand(position)
        for position, index in enumerate(operator.outputs):
            yield graph.tensor(index).dtype == self.result(position)

    @property
    def words(self) -> str:
        """The types in words: ``int8``, or ``int16, int8 to int16``."""
        if len({*self.operands, *self.results}) == 1:
            return self.operands[0].lower()
        return f"{', '.join(self.operands)} to {', '.join(self.results)}".lower()

    def __str__(self) -> str:
        return f"{' '.join(self.operands)} -> {' '.join(self.results)}"


def _at(types: tuple[str, ...], position: int) -> str:
    return types[min(position, len(types) - 1)] if types else ""


ALL_INT8 = Signature.of("INT8 -> INT8")
"""The signature of an operator whose operands and results are all int8."""
