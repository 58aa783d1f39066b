"""Finding the learnt values of a model: all constants but those that a rule knows to be none.

A constant counts wherever it is read: by the operator that computes with it, through any operators
that only rearrange or rescale constants, and at last in a line of its own, so that none is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

from asc_tiny.complexity.formula_constants import is_number
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor, called
from asc_tiny.tflite.ops import Family, row

_INTEGERS = ("BOOL", "INT32", "INT64", "UINT32", "UINT64")

_FARTHEST = 100
"""Tensors that are looked at behind a choice, far more than converters make."""

_CHANGING = (Family.CONTROL, Family.RANDOM, Family.STATE)
"""Families whose results do not follow from their operands alone."""


class Learnt:
    """The learnt constants of a model, each handed out once.

    Constants that share a buffer are one.
    """

    def __init__(self, model: Graph) -> None:
        self.model = model
        self.called: set[int] = {0}
        self._sources = {id(graph): _Sources(graph) for graph in _graphs(model)}
        self._seen: set[tuple[int, int]] = set()

    def fresh(self, graph: Graph, operator: Operator) -> list[Tensor]:
        """Return the learnt constants of an operator, and of what it calls, not counted yet."""
        found: list[Tensor] = []
        waiting = [(graph, operator)]
        while waiting:
            graph, operator = waiting.pop()
            found += self._unseen(graph, self._sources[id(graph)].learnt(operator))
            for number in called(operator):
                waiting += self.not_called_before(number)
        return found

    def not_called_before(self, number: int) -> list[tuple[Graph, Operator]]:
        """Return the operators of a subgraph, none if it has been called before."""
        if number in self.called:
            return []
        self.called.add(number)
        graph = self.model.subgraph(number)
        return [(graph, operator) for operator in graph.operators]

    def rest(self, number: int) -> list[Tensor]:
        """Return the constants of a subgraph that reach none of its operators.

        They take flash all the same: outputs, and what nothing reads.
        """
        graph = self.model.subgraph(number)
        return list(self._unseen(graph, self._sources[id(graph)].unread()))

    def _unseen(self, graph: Graph, tensors: Iterator[Tensor]) -> Iterator[Tensor]:
        for tensor in tensors:
            key = _storage(graph, tensor)
            if key not in self._seen:
                self._seen.add(key)
                yield self._largest.get(key, tensor)

    @cached_property
    def _largest(self) -> Mapping[tuple[int, int], Tensor]:
        """The tensor with the most values, two to a byte, of those that share a buffer."""
        largest: dict[tuple[int, int], Tensor] = {}
        for graph in _graphs(self.model):
            for tensor in graph.tensors:
                if tensor.is_constant and tensor.buffer:
                    key = _storage(graph, tensor)
                    largest[key] = max(largest.get(key, tensor), tensor, key=lambda t: t.size)
        return largest


def _graphs(model: Graph) -> Sequence[Graph]:
    return (model, *model.others)


def _storage(graph: Graph, tensor: Tensor) -> tuple[int, int]:
    """Return what tells the stored values of constants apart: tensors may share a buffer."""
    return (tensor.buffer, 0) if tensor.buffer else (id(graph), tensor.index + 1)


class _Sources:
    """The constants that the operands of a subgraph's operators come from.

    A tensor is fixed if it is a constant or computed from fixed ones alone.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.walked: set[int] = set()
        self.settings: set[int] = set()
        """Tensors that a rule knows to be no learnt values."""
        self.codes: set[int] = set()
        """Operators that choose from a code book, by index: their choices are learnt."""
        for operator in graph.operators:
            if self._is_by_codes(operator):
                self.codes.add(operator.index)

    @cached_property
    def fixed(self) -> frozenset[int]:
        found = {tensor.index for tensor in self.graph.tensors if tensor.is_constant}
        for operator in self.graph.operators:
            inputs = _present(operator)
            family = row(operator.name).family
            is_fixed = inputs and family not in _CHANGING and found.issuperset(inputs)
            if is_fixed or family is Family.SHAPE:
                found.update(operator.outputs)
        return frozenset(found)

    def learnt(self, operator: Operator) -> Iterator[Tensor]:
        """Yield the constants that an operator computes with, not yielded before.

        An operator whose result is fixed leaves its constants to who reads the result.
        """
        if operator.outputs and self.fixed.issuperset(operator.outputs):
            return
        for index in self._computed_with(operator):
            tensor = self.graph.tensor(index)
            if tensor.is_constant and is_number(self.graph, operator, tensor):
                self.settings.add(index)
            else:
                yield from self._constants(index, self.walked)

    def unread(self) -> Iterator[Tensor]:
        """Yield the constants of values that no operator has yielded and no rule knows.

        An output is a value, whatever it is for: who gets it may compute with it.
        """
        for index in self.graph.outputs:
            yield from self._constants(index, self.walked)
        walked: set[int] = set()
        for operator in self.graph.operators:
            for index in set(_present(operator)).difference(self._computed_with(operator)):
                sources = self._constants(index, walked)
                self.settings.update(t.index for t in sources if t.dtype in _INTEGERS)
        for tensor in self.graph.tensors:
            is_value = tensor.dtype not in _INTEGERS or bool(tensor.scales)
            if tensor.is_constant and is_value and tensor.index not in self.settings:
                yield tensor

    def _constants(self, index: int, walked: set[int]) -> Iterator[Tensor]:
        """Yield the constants behind a tensor; what was walked before is left out."""
        return (tensor for tensor in self._behind([index], walked) if tensor.is_constant)

    def _behind(self, indices: Iterable[int], walked: set[int]) -> Iterator[Tensor]:
        """Yield fixed tensors and what they are computed from; what was walked is left out."""
        waiting = [*indices]
        while waiting:
            index = waiting.pop()
            if index in walked or index not in self.fixed:
                continue
            walked.add(index)
            tensor = self.graph.tensor(index)
            yield tensor
            if not tensor.is_constant:
                waiting += self._computed_with(self.graph.producers[index])

    def _computed_with(self, operator: Operator) -> list[int]:
        """Return the operands whose values go into the result."""
        if row(operator.name).family is Family.SHAPE:
            return []
        settings = () if operator.index in self.codes else row(operator.name).settings
        places = enumerate(operator.inputs)
        return [index for place, index in places if index != ABSENT and place not in settings]

    def _is_by_codes(self, operator: Operator) -> bool:
        """Tell whether an operator makes more values than there are to choose from.

        Then its choices are no mere order: ``table[codes]`` of learnt codes, or signs by a mask.
        """
        if row(operator.name).family is not Family.SELECTION:
            return False
        choice = row(operator.name).settings[0]
        if choice >= len(operator.inputs) or operator.inputs[choice] not in self.fixed:
            return False
        data = self._computed_with(operator)
        given = sum(self.graph.tensor(index).size for index in data if index not in self.fixed)
        behind = islice(self._behind(data, set()), _FARTHEST)
        given += sum(tensor.size for tensor in behind if tensor.is_constant)
        return given < sum(self.graph.tensor(index).size for index in operator.outputs)


def _present(operator: Operator) -> list[int]:
    return [index for index in operator.inputs if index != ABSENT]
