"""Removes operators that move nothing, and makes one of several that follow each other.

Exporters leave a PAD behind a PAD, slices of slices, a TRANSPOSE and the one that undoes it, and
conversions to the scale that is already there. Every operator that only moves codes has an index
map: for each element of its output, the number of the input's element that lies there. Two in a row
have one map together. Where that map leaves all elements in their order, nothing is left to do but
to give them another shape; where it is that of a PAD, a STRIDED_SLICE or a TRANSPOSE, this one does
the work of all; where it repeats the pixels of an image, that is a RESIZE_NEAREST_NEIGHBOR.
Identical operators become one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.lower.index_map import NOWHERE
from asc_tiny.compiler.passes.constant_folding import (
    MOST_ELEMENTS,
    MOST_IN_ALL,
    FoldingContext,
    NotConstantError,
    Values,
    attempt,
    folding_rule,
    without_unread,
)
from asc_tiny.tflite.graph import ABSENT, NUMPY_TYPES, Graph, Operator, Tensor
from asc_tiny.tflite.ops import Family, OpRules, row

_Places = NDArray[np.int32]

_MOST_DIMENSIONS = 5

_ROWS, _COLUMNS, _CHANNELS, _IMAGE_DIMENSIONS = 1, 2, 3, 4
"""Those of an image, behind the batch."""

_PADS = ("PAD", "PADV2")

_PLAIN_SLICE: Mapping[str, Any] = {
    **dict.fromkeys(("begin_mask", "end_mask", "shrink_axis_mask"), 0),
    **{"ellipsis_mask": 0, "new_axis_mask": 0, "offset": False},
}


def simplify_movements(graph: Graph) -> Graph:
    """Return a graph without data movements that others can do; else the same graph."""
    simplifier = _Simplifier(graph, list(graph.tensors))
    for operator in graph.operators:
        simplifier.add(operator)
    if tuple(simplifier.operators) == graph.operators:
        return graph
    left, _ = without_unread(graph, simplifier.operators)
    return replace(graph, operators=tuple(left), tensors=tuple(simplifier.tensors))


@dataclass(frozen=True, eq=False)
class _Moved:
    """Where the elements of a tensor come from.

    Attributes:
        source: number of the tensor that they come from.
        places: the index map, of the shape of the tensor.
        fill: the code where the map says ``NOWHERE``, None if it says so nowhere.
        is_private: whether nothing else reads the tensors between the source and this one.
    """

    source: int
    places: _Places
    fill: int | None
    is_private: bool


@dataclass
class _Simplifier:
    """A graph whose data movements become fewer.

    Attributes:
        graph: the graph as it was.
        tensors: its tensors, and new constants.
        operators: the operators so far.
        moved: where the elements of the tensors come from that movements make, by their numbers.
        same: the tensor that stands for one that is gone, by the number of this one.
        made: the outputs of the movements so far, by what they do.
        elements: number of elements of all index maps so far.
    """

    graph: Graph
    tensors: list[Tensor]
    operators: list[Operator] = field(default_factory=list)
    moved: dict[int, _Moved] = field(default_factory=dict)
    same: dict[int, int] = field(default_factory=dict)
    made: dict[Hashable, tuple[int, ...]] = field(default_factory=dict)
    elements: int = 0

    def add(self, operator: Operator) -> None:
        """Add an operator, or what is left of it."""
        inputs = tuple(self.same.get(index, index) for index in operator.inputs)
        if inputs != operator.inputs:
            operator = replace(operator, inputs=inputs)
        if not _is_movement(operator):
            self.operators.append(operator)
            return
        operator = self.simplified(operator)
        twins = operator.outputs
        if not any(index >= 0 and self.tensors[index].is_variable for index in operator.inputs):
            twins = self.made.setdefault(self.key(operator), operator.outputs)
        if self.is_identity(operator):
            twins = operator.inputs
        is_needed = twins == operator.outputs or any(
            index in self.graph.outputs for index in operator.outputs
        )
        if is_needed:
            self.operators.append(operator)
        else:
            self.same |= dict(zip(operator.outputs, twins, strict=True))

    def is_identity(self, operator: Operator) -> bool:
        """Whether the output of an operator that was found to be a RESHAPE is its input."""
        if operator.name != "RESHAPE" or len(operator.inputs) != 1:
            return False
        source, output = self.tensors[operator.inputs[0]], self.tensors[operator.outputs[0]]
        has_same_codes = self.codes(source.index) == self.codes(output.index)
        return source.shape == output.shape and has_same_codes and not source.is_constant

    def key(self, operator: Operator) -> Hashable:
        """Return what an operator does: those with equal keys have equal outputs."""
        return (
            operator.name,
            tuple(sorted((name, str(value)) for name, value in operator.options.items())),
            tuple(map(self.value, operator.inputs)),
            tuple(
                (self.graph.tensor(index).shape, self.codes(index)) for index in operator.outputs
            ),
        )

    def value(self, index: int) -> Hashable:
        """Return what an operand is: a constant's values, or the number of a tensor."""
        if index < 0 or not self.tensors[index].is_constant:
            return index
        return self.tensors[index].shape, self.codes(index), self.tensors[index].content

    def codes(self, index: int) -> Hashable:
        """Return how the elements of a tensor stand for numbers."""
        tensor = self.tensors[index]
        return tensor.dtype, tensor.scales, tensor.zero_points

    def simplified(self, operator: Operator) -> Operator:
        """Return the simplest operator that does the same."""
        data = _data(operator)
        if not self.is_simple(operator, data):
            return operator
        roots = {self.moved[index].source if index in self.moved else index for index in data}
        for sources in (roots, set(data)):
            moved = self.moves(operator, sources) if len(sources) == 1 else []
            for index, each in zip(operator.outputs, moved, strict=False):
                self.moved.setdefault(index, each)
            if len(moved) == 1 and (simpler := self.expressed(operator, moved[0])):
                return simpler
        return operator

    def is_simple(self, operator: Operator, data: Sequence[int]) -> bool:
        """Whether an operator gives elements of computed tensors to others as they are."""
        indices = (*data, *operator.outputs)
        is_known = bool(data) and ABSENT not in indices and self.elements <= MOST_IN_ALL
        return (
            is_known
            and len({self.codes(index) for index in indices}) == 1
            and not any(self.tensors[index].is_constant for index in indices)
            and not any(self.tensors[index].is_variable for index in indices)
            and all(0 < self.tensors[index].size <= MOST_ELEMENTS for index in indices)
        )

    def moves(self, operator: Operator, sources: set[int]) -> list[_Moved]:
        """Return where the elements of all outputs come from in a tensor, nothing if unknown."""
        (source,) = sources
        between = [index for index in _data(operator) if index != source]
        tensors = list(self.tensors)
        tensors[source] = _stand_in(tensors[source], _numbers(tensors[source]))
        for index in between:
            tensors[index] = _stand_in(tensors[index], self.moved[index].places)
        op = FoldingContext(self.graph, operator, tensors)
        maps = attempt(_index_maps, op) or []
        if [each.shape for each in maps] != [each.shape for each in op.outputs]:
            return []
        found = [self.moved[index].fill for index in between]
        found += [_fill(op)] if operator.name in _PADS else []
        fills = {each for each in found if each is not None}
        if len(fills) > 1:
            return []
        self.elements += sum(each.size for each in maps)
        is_private = all(self.is_private(index) for index in between)
        return [_Moved(source, each, max(fills, default=None), is_private) for each in maps]

    def is_private(self, index: int) -> bool:
        """Whether one operator alone reads a tensor, and all between it and its source."""
        is_read_once = len(self.graph.readers[index]) == 1 and index not in self.same.values()
        return is_read_once and index not in self.graph.outputs and self.moved[index].is_private

    def expressed(self, operator: Operator, moved: _Moved) -> Operator | None:
        """Return the one operator that makes an output of its source, None if there is none."""
        source, places = self.tensors[moved.source], moved.places
        if np.array_equal(places.ravel(), np.arange(source.size)):
            is_done = _is_reshape(operator) and operator.inputs[0] == moved.source
            if is_done and source.shape != places.shape:
                return operator
            return _made(operator, "RESHAPE", moved.source)
        # One that stays anyway, or that others read the operand of, is not better than before.
        is_alone = moved.source in operator.inputs or not moved.is_private
        if is_alone or len(source.shape) != places.ndim:
            return None
        if places.min() < 0:
            return self.as_pad(operator, moved, source)
        return (
            self.as_slice(operator, places, source)
            or self.as_resize(operator, places, source)
            or self.as_transpose(operator, places, source)
        )

    def as_pad(self, operator: Operator, moved: _Moved, source: Tensor) -> Operator | None:
        """Return the PAD that surrounds a tensor as an index map says."""
        places = moved.places
        before = np.argwhere(places >= 0)[:1].ravel()
        if not before.size:
            return None
        amounts = np.stack([before, places.shape - before - source.shape], axis=1)
        if amounts.min() < 0:
            return None
        padded = np.pad(_numbers(source), amounts, constant_values=NOWHERE)
        if not np.array_equal(padded, places):
            return None
        paddings = self.constant(amounts.astype(np.int32))
        if moved.fill == _zero(source):
            return _made(operator, "PAD", moved.source, paddings)
        value = self.constant(np.array(moved.fill, NUMPY_TYPES[source.dtype]), source)
        return _made(operator, "PADV2", moved.source, paddings, value)

    def as_slice(self, operator: Operator, places: _Places, source: Tensor) -> Operator | None:
        """Return the STRIDED_SLICE that cuts out of a tensor what an index map says."""
        first, last = (np.unravel_index(places.flat[end], source.shape) for end in (0, -1))
        ranges = []
        for begin, end, count in zip(first, last, places.shape, strict=True):
            step = int(end - begin) // max(count - 1, 1) or 1
            if step < 1:
                return None
            ranges.append((int(begin), int(end) + 1, step))
        cut = _numbers(source)[tuple(slice(*each) for each in ranges)]
        if not np.array_equal(cut, places):
            return None
        bounds = [self.constant(np.array(each, np.int32)) for each in zip(*ranges, strict=True)]
        source_index = source.index
        return _made(operator, "STRIDED_SLICE", source_index, *bounds, options=_PLAIN_SLICE)

    def as_resize(self, operator: Operator, places: _Places, source: Tensor) -> Operator | None:
        """Return the RESIZE_NEAREST_NEIGHBOR that repeats pixels of an image as a map says.

        Keras' layer for upsampling becomes a TILE of rows, one of columns and what shapes them. A
        convolution behind the one operator repeats the pixels by itself.
        """
        if places.ndim != _IMAGE_DIMENSIONS:
            return None
        repeated = _numbers(source)
        for axis in _ROWS, _COLUMNS:
            repeated = repeated.repeat(places.shape[axis] // source.shape[axis], axis)
        if not np.array_equal(repeated, places):
            return None
        size = self.constant(np.array(places.shape[_ROWS:_CHANNELS], np.int32))
        options = {"align_corners": 0, "half_pixel_centers": 0}
        return _made(operator, "RESIZE_NEAREST_NEIGHBOR", source.index, size, options=options)

    def as_transpose(self, operator: Operator, places: _Places, source: Tensor) -> Operator | None:
        """Return the TRANSPOSE that orders the dimensions of a tensor as an index map says."""
        numbers = _numbers(source)
        for order in itertools.permutations(range(min(places.ndim, _MOST_DIMENSIONS))):
            if len(order) == places.ndim and np.array_equal(numbers.transpose(order), places):
                constant = self.constant(np.array(order, np.int32))
                return _made(operator, "TRANSPOSE", source.index, constant)
        return None

    def constant(self, values: NDArray[Any], like: Tensor | None = None) -> int:
        """Add a constant, with the quantisation of a tensor, and return its number."""
        dtype = like.dtype if like is not None else "INT32"
        base = like or Tensor(0, "", (), dtype)
        number = len(self.tensors)
        made = replace(base, index=number, shape=values.shape, content=values.tobytes())
        self.tensors.append(made)
        return number


def _is_movement(operator: Operator) -> bool:
    """Whether an operator only moves elements, or may turn out to."""
    has_rule = index_map_rule.get(operator.name) is not None
    return has_rule or row(operator.name).family is Family.MOVEMENT


def _is_reshape(operator: Operator) -> bool:
    """Whether an operator gives its input another shape, and does nothing else."""
    return folding_rule.get(operator.name) is folding_rule.get("RESHAPE")


def _data(operator: Operator) -> tuple[int, ...]:
    """Return the numbers of the operands whose elements an operator moves."""
    if operator.name in _PADS:
        return operator.inputs[:1]
    settings = row(operator.name).settings
    return tuple(index for n, index in enumerate(operator.inputs) if n not in settings)


def _made(
    operator: Operator, name: str, *inputs: int, options: Mapping[str, Any] | None = None
) -> Operator:
    """Return an operator in the place of another."""
    return replace(operator, name=name, inputs=inputs, options=options or {})


def _numbers(tensor: Tensor) -> _Places:
    """Return the numbers of a tensor's elements in its shape."""
    return np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape)


def _stand_in(tensor: Tensor, places: _Places) -> Tensor:
    """Return a constant with numbers of elements in place of the elements of a tensor."""
    return replace(tensor, dtype="INT32", content=places.tobytes())


def _zero(tensor: Tensor) -> int:
    """Return the code that stands for 0."""
    return tensor.zero_points[0] if tensor.zero_points else 0


def _fill(op: FoldingContext) -> int | None:
    """Return the code with which a PAD or PADV2 fills, None if that is none of 8 or 16 bits."""
    value = op.optional_input(2)
    if value is None:
        return _zero(op.output)
    if value.data is None or value.size != 1 or value.dtype not in ("INT8", "INT16"):
        return None
    return int(value.data.item())


_Rule = Callable[[FoldingContext], Sequence[Values]]


def _if_shapes_are_equal(op: FoldingContext) -> Sequence[Values]:
    """Return the index map of what moves nothing to an output of its input's shape and codes."""
    return [op.values(0)] if op.input(0).shape == op.output.shape else []


index_map_rule: OpRules[_Rule] = OpRules({Family.RESIZE: _if_shapes_are_equal})
"""The index maps of all outputs of an operator, made of the numbers that its operands hold.

Where an operator has no rule here, that for folding it makes the map.
"""

index_map_rule("MIRROR_PAD", "QUANTIZE")(_if_shapes_are_equal)


@index_map_rule("BROADCAST_TO")
def _broadcast(op: FoldingContext) -> Sequence[Values]:
    return [np.broadcast_to(op.values(0), op.output.shape)]


@index_map_rule("TILE")
def _tiled(op: FoldingContext) -> Sequence[Values]:
    return [np.tile(op.values(0), op.integers(1))]


@index_map_rule("PAD", "PADV2")
def _padded(op: FoldingContext) -> Sequence[Values]:
    places = op.values(0)
    amounts = np.reshape(op.integers(1), (places.ndim, 2))
    if tuple(places.shape + amounts.sum(axis=1)) != op.output.shape or _fill(op) is None:
        raise NotConstantError
    return [np.pad(places, amounts, constant_values=NOWHERE)]


@index_map_rule("SPLIT")
def _split(op: FoldingContext) -> Sequence[Values]:
    (axis,) = op.integers(0)
    return np.split(op.values(1), len(op.outputs), axis)


@index_map_rule("SPLIT_V")
def _split_by_sizes(op: FoldingContext) -> Sequence[Values]:
    (axis,) = op.integers(2)
    ends = np.cumsum([tensor.shape[axis] for tensor in op.outputs])
    return np.split(op.values(0), ends[:-1].tolist(), axis)


@index_map_rule("UNPACK")
def _unpacked(op: FoldingContext) -> Sequence[Values]:
    return list(np.moveaxis(op.values(0), int(op.options["axis"]), 0))


def _index_maps(op: FoldingContext) -> Sequence[Values]:
    """Return the index map of each output, nothing if it is not known."""
    rule, fold = index_map_rule.get(op.name), folding_rule.get(op.name)
    if rule is not None:
        return rule(op)
    return [fold(op)] if fold is not None else []
