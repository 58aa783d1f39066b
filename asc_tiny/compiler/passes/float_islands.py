"""Removes floating point that only moves codes: DEQUANTIZE, slices and variables, QUANTIZE.

Converters leave a slice, or a state that lasts, in floating point between layers of int8 where
the scales on both sides differ. What comes out of a DEQUANTIZE is one of 256 numbers; as long as
numbers are only moved, the codes can be moved instead. A QUANTIZE at the end becomes a function of
one code, computed in floating point as TensorFlow Lite Micro computes it, but before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from asc_tiny.compiler.lower.real_codes import FROM_REAL, real_values
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.tflite.ops import Family, row
from asc_tiny.tflite.variables import variable_names

_Scale = tuple[float, int]


def without_float_islands(graph: Graph) -> Graph:
    """Return a graph of codes where floating-point numbers are only moved; else the same graph."""
    islands = _Islands(graph)
    islands.find()
    return islands.as_codes() if islands.scales else graph


@dataclass
class _Islands:
    """The floating-point tensors that can be codes.

    Attributes:
        graph: the graph.
        scales: scale and zero point of each such tensor, by its index.
        variables: scale and zero point of what each variable holds, by its name.
        excluded: indices of tensors that something computes with.
    """

    graph: Graph
    scales: dict[int, _Scale] = field(default_factory=dict)
    variables: dict[tuple[str, str], _Scale] = field(default_factory=dict)
    excluded: set[int] = field(default_factory=set)

    @cached_property
    def names(self) -> Mapping[int, tuple[str, str]]:
        """The name of the variable that each handle names."""
        return variable_names(self.graph)

    def find(self) -> None:
        """Find all tensors that come from codes, then leave out those that must be numbers."""
        while True:
            # A variable is read before the operator that tells its scale.
            while self._spread():
                pass
            found = {index for index in self.scales if not self._may_be_codes(index)}
            if not found:
                return
            self.excluded |= found
            self.scales, self.variables = {}, {}

    def _spread(self) -> bool:
        """Take scales from operands to results; return whether there were new ones."""
        before = len(self.scales), len(self.variables)
        for operator in self.graph.operators:
            scale = self._scale_of(operator)
            if scale is None:
                continue
            if operator.name == "ASSIGN_VARIABLE":
                self.variables.setdefault(self.names[operator.inputs[0]], scale)
            for index in operator.outputs:
                if index not in self.excluded and self.graph.tensor(index).dtype == "FLOAT32":
                    self.scales[index] = scale
        return (len(self.scales), len(self.variables)) != before

    def _scale_of(self, operator: Operator) -> _Scale | None:
        """Return scale and zero point of what an operator moves, None if it is no such operator."""
        if operator.name == "DEQUANTIZE":
            tensor = self.graph.tensor(operator.inputs[0])
            is_codes = tensor.dtype == "INT8" and len(tensor.scales) == len(tensor.zero_points) == 1
            return (tensor.scales[0], tensor.zero_points[0]) if is_codes else None
        if operator.name == "READ_VARIABLE":
            name = self.names.get(operator.inputs[0])
            return self.variables.get(name) if name else None
        if operator.name == "ASSIGN_VARIABLE":
            return self.scales.get(operator.inputs[1]) if operator.inputs[0] in self.names else None
        if row(operator.name).family is not Family.MOVEMENT:
            return None
        scales = {self.scales.get(index) for index in self._numbers(operator)}
        return scales.pop() if len(scales) == 1 else None

    def _numbers(self, operator: Operator) -> list[int]:
        """Return the floating-point operands of an operator."""
        return [
            index
            for index in operator.inputs
            if index != ABSENT and self.graph.tensor(index).dtype == "FLOAT32"
        ]

    def _may_be_codes(self, index: int) -> bool:
        """Whether all that reads a tensor moves it as codes or quantises it."""
        if index in self.graph.outputs:
            return False
        return all(
            self._takes_codes(each, index) for each in self.graph.readers.get(index, ())
        ) and self._is_one_of(index)

    def _takes_codes(self, operator: Operator, index: int) -> bool:
        scale = self.scales[index]
        if operator.name == "QUANTIZE":
            output = self.graph.tensor(operator.outputs[0])
            return output.dtype == "INT8" and len(output.scales) == 1
        if operator.name == "ASSIGN_VARIABLE":
            name = self.names.get(operator.inputs[0])
            return name is not None and self._holds(name, scale)
        return bool(operator.outputs) and all(
            self.scales.get(output) == scale for output in operator.outputs
        )

    def _is_one_of(self, index: int) -> bool:
        """Whether a tensor that is read of a variable can hold all that the variable holds."""
        producer = self.graph.producers.get(index)
        if producer is None or producer.name != "READ_VARIABLE":
            return True
        return self._holds(self.names[producer.inputs[0]], self.scales[index])

    def _holds(self, name: tuple[str, str], scale: _Scale) -> bool:
        """Whether all values that a variable is given are codes of one scale."""
        values = (self.scales.get(each.index) for each in _given(self.graph, name))
        first = (each for graph in self.graph.others for each in _given(graph, name))
        return all(each == scale for each in values) and all(_codes(each, scale) for each in first)

    def as_codes(self) -> Graph:
        """Return the graph with codes in place of numbers."""
        same = {
            operator.outputs[0]: operator.inputs[0]
            for operator in self.graph.operators
            if operator.name == "DEQUANTIZE" and operator.outputs[0] in self.scales
        }
        operators = [
            self._with_codes(operator, same)
            for operator in self.graph.operators
            if not operator.outputs or operator.outputs[0] not in same
        ]
        tensors = [
            _coded(tensor, self.scales[tensor.index]) if tensor.index in self.scales else tensor
            for tensor in self.graph.tensors
        ]
        others = tuple(map(self._with_first_values, self.graph.others))
        return replace(
            self.graph, operators=tuple(operators), tensors=tuple(tensors), others=others
        )

    def _with_codes(self, operator: Operator, same: Mapping[int, int]) -> Operator:
        inputs = tuple(same.get(index, index) for index in operator.inputs)
        options: Mapping[str, Any] = operator.options
        if operator.name == "QUANTIZE" and operator.inputs[0] in self.scales:
            options = {**options, FROM_REAL: True}
        return replace(operator, inputs=inputs, options=options)

    def _with_first_values(self, graph: Graph) -> Graph:
        """Return a subgraph that gives variables their first values as codes."""
        names = variable_names(graph)
        tensors, operators = [*graph.tensors], []
        for operator in graph.operators:
            name = names.get(operator.inputs[0]) if operator.name == "ASSIGN_VARIABLE" else None
            scale = self.variables.get(name) if name else None
            if scale is not None:
                # Variables of other scales may begin with the same constant.
                tensor = graph.tensor(operator.inputs[1])
                coded = _coded(tensor, scale, _codes(tensor, scale))
                operator = replace(operator, inputs=(operator.inputs[0], len(tensors)))
                tensors.append(replace(coded, index=len(tensors)))
            operators.append(operator)
        return replace(graph, operators=tuple(operators), tensors=tuple(tensors))


def _given(graph: Graph, name: tuple[str, str]) -> Iterator[Tensor]:
    """Yield what a subgraph assigns to a variable."""
    names = variable_names(graph)
    for operator in graph.operators:
        if operator.name == "ASSIGN_VARIABLE" and names.get(operator.inputs[0]) == name:
            yield graph.tensor(operator.inputs[1])


def _coded(tensor: Tensor, scale: _Scale, codes: bytes | None = None) -> Tensor:
    return replace(tensor, dtype="INT8", scales=scale[:1], zero_points=scale[1:], content=codes)


def _codes(tensor: Tensor, scale: _Scale) -> bytes | None:
    """Return constant numbers as codes, None if one is no code's."""
    if tensor.data is None or tensor.dtype != "FLOAT32":
        return None
    known = real_values(*scale)
    # Codes are in the order of their numbers.
    places = np.clip(np.searchsorted(known, tensor.data), 0, 255)
    if not np.array_equal(known[places], tensor.data):
        return None
    return (places - 128).astype(np.int8).tobytes()
