"""SLICE, STRIDED_SLICE, SPLIT, SPLIT_V, UNPACK as one: begin, step and count along every axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from asc_tiny.compiler.diagnostics import operator_error
from asc_tiny.tflite.graph import Graph, Operator, Tensor

SLICING = ("SLICE", "SPLIT", "SPLIT_V", "STRIDED_SLICE", "UNPACK")


@dataclass(frozen=True)
class Slice:
    """``output = input[begin : ... : step]`` with ``count`` elements along each axis."""

    input: int
    output: int
    shape: tuple[int, ...]
    begin: tuple[int, ...]
    step: tuple[int, ...]
    count: tuple[int, ...]

    @property
    def start(self) -> int | None:
        """Index of the first element if the slice is one run of the input's elements, else None."""
        start = 0
        outer_is_one = True
        stride = math.prod(self.shape)
        for size, begin, step, count in zip(
            self.shape, self.begin, self.step, self.count, strict=True
        ):
            stride //= size
            start += begin * stride
            whole = begin == 0 and count == size and step == 1
            if not whole and (not outer_is_one or (step != 1 and count > 1)):
                return None
            outer_is_one = outer_is_one and count == 1
        return start


def slices(graph: Graph, operator: Operator) -> Iterator[Slice]:
    """Yield the slices that an operator makes, one per output; none if it does not slice.

    Raises:
        AscError: bounds that are not constant, or masks other than begin, end and shrink.
    """
    if operator.name == "STRIDED_SLICE":
        yield _strided_slice(graph, operator)
    elif operator.name == "SLICE":
        yield _slice(graph, operator)
    elif operator.name == "SPLIT":
        yield from _split(graph, operator)
    elif operator.name == "SPLIT_V":
        yield from _split_v(graph, operator)
    elif operator.name == "UNPACK":
        tensor, count = graph.tensor(operator.inputs[0]), len(operator.outputs)
        yield from _parts(graph, operator, tensor, int(operator.options["axis"]), [1] * count)


def _strided_slice(graph: Graph, operator: Operator) -> Slice:
    options = operator.options
    if options["ellipsis_mask"] or options["new_axis_mask"] or options["offset"]:
        raise operator_error(
            graph, operator, "adds axes or has an ellipsis; give plain bounds and reshape"
        )
    tensor = graph.tensor(operator.inputs[0])
    begins, ends, steps = (
        _constants(graph, operator, position, len(tensor.shape)) for position in (1, 2, 3)
    )
    if 0 in steps:
        raise operator_error(graph, operator, "has step 0")
    ranges = []
    for axis, (size, begin, end, step) in enumerate(
        zip(tensor.shape, begins, ends, steps, strict=True)
    ):
        bit = 1 << axis
        if options["shrink_axis_mask"] & bit:
            if step != 1 or options["begin_mask"] & bit:
                raise operator_error(
                    graph, operator, f"takes one element of axis {axis}, not at a place"
                )
            index = begin + size if begin < 0 else begin
            ranges.append(range(index, index + 1))
            continue
        lower = None if options["begin_mask"] & bit else begin
        upper = None if options["end_mask"] & bit else end
        ranges.append(range(size)[lower:upper:step])
    return _from_ranges(graph, operator, tensor, operator.outputs[0], ranges)


def _slice(graph: Graph, operator: Operator) -> Slice:
    tensor = graph.tensor(operator.inputs[0])
    begins, counts = (
        _constants(graph, operator, position, len(tensor.shape)) for position in (1, 2)
    )
    ranges = [
        range(begin, size if count < 0 else begin + count)
        for size, begin, count in zip(tensor.shape, begins, counts, strict=True)
    ]
    return _from_ranges(graph, operator, tensor, operator.outputs[0], ranges)


def _split(graph: Graph, operator: Operator) -> Iterator[Slice]:
    tensor = graph.tensor(operator.inputs[1])
    (axis,) = _constants(graph, operator, 0, 1)
    count = len(operator.outputs)
    yield from _parts(graph, operator, tensor, axis, [tensor.shape[axis] // count] * count)


def _split_v(graph: Graph, operator: Operator) -> Iterator[Slice]:
    tensor = graph.tensor(operator.inputs[0])
    sizes = _constants(graph, operator, 1, len(operator.outputs))
    (axis,) = _constants(graph, operator, 2, 1)
    # One size may be -1: what the others leave.
    rest = tensor.shape[axis] - sum(size for size in sizes if size >= 0)
    sizes = [rest if size < 0 else size for size in sizes]
    yield from _parts(graph, operator, tensor, axis, sizes)


def _parts(
    graph: Graph, operator: Operator, tensor: Tensor, axis: int, sizes: list[int]
) -> Iterator[Slice]:
    axis %= len(tensor.shape)
    position = 0
    for output, size in zip(operator.outputs, sizes, strict=True):
        ranges = [range(size) for size in tensor.shape]
        ranges[axis] = range(position, position + size)
        position += size
        yield _from_ranges(graph, operator, tensor, output, ranges)


def _from_ranges(
    graph: Graph, operator: Operator, tensor: Tensor, output: int, ranges: list[range]
) -> Slice:
    count = tuple(len(values) for values in ranges)
    inside = all(
        values and min(values[0], values[-1]) >= 0 and max(values[0], values[-1]) < size
        for values, size in zip(ranges, tensor.shape, strict=True)
    )
    if not inside or math.prod(count) != graph.tensor(output).size:
        raise operator_error(
            graph,
            operator,
            f"cuts {list(count)} from {list(tensor.shape)} into {list(graph.tensor(output).shape)}",
        )
    begin = tuple(values.start for values in ranges)
    # Of one element no step is taken, and what a file says of it means nothing.
    step = tuple(values.step if len(values) > 1 else 1 for values in ranges)
    return Slice(tensor.index, output, tensor.shape, begin, step, count)


def _constants(graph: Graph, operator: Operator, position: int, length: int) -> list[int]:
    tensor = graph.tensor(operator.inputs[position])
    allowed = ("INT32", "INT64") if operator.name == "SLICE" else ("INT32",)
    values = tensor.data if tensor.dtype in allowed else None
    if values is None or values.size != length:
        raise operator_error(
            graph,
            operator,
            f"has bounds that are not {length} constants of int32; computed ones are not supported",
        )
    return [int(value) for value in values.ravel()]
