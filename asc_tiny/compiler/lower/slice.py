"""Lowers SLICE, STRIDED_SLICE, SPLIT, SPLIT_V and UNPACK by begin, step and count of every axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from asc_tiny.compiler.ir import BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import SliceParams, four
from asc_tiny.compiler.lower.context import LoweringContext, is_image
from asc_tiny.compiler.lower.index_map import lower_index_map, numbers
from asc_tiny.compiler.lower.rule import ANY, CODES, MANY, SLICED, VIEW_OR_COPY, lowering
from asc_tiny.tflite.graph import Tensor


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


def _strided_slice(ctx: LoweringContext) -> Slice:
    options = ctx.options
    if options["ellipsis_mask"] or options["new_axis_mask"] or options["offset"]:
        ctx.error("adds axes or has an ellipsis; give plain bounds and reshape")
    tensor = ctx.input(0)
    begins, ends, steps = (_constants(ctx, position, len(tensor.shape)) for position in (1, 2, 3))
    if 0 in steps:
        ctx.error("has step 0")
    ranges = []
    for axis, (size, begin, end, step) in enumerate(
        zip(tensor.shape, begins, ends, steps, strict=True)
    ):
        bit = 1 << axis
        if options["shrink_axis_mask"] & bit:
            if step != 1 or options["begin_mask"] & bit:
                ctx.error(f"takes one element of axis {axis}, not at a place")
            index = begin + size if begin < 0 else begin
            ranges.append(range(index, index + 1))
            continue
        lower = None if options["begin_mask"] & bit else begin
        upper = None if options["end_mask"] & bit else end
        ranges.append(range(size)[lower:upper:step])
    return _from_ranges(ctx, tensor, ctx.output, ranges)


def _slice(ctx: LoweringContext) -> Slice:
    tensor = ctx.input(0)
    begins, counts = (_constants(ctx, position, len(tensor.shape)) for position in (1, 2))
    ranges = [
        range(begin, size if count < 0 else begin + count)
        for size, begin, count in zip(tensor.shape, begins, counts, strict=True)
    ]
    return _from_ranges(ctx, tensor, ctx.output, ranges)


def _split(ctx: LoweringContext) -> Iterator[Slice]:
    tensor = ctx.input(1)
    (axis,) = _constants(ctx, 0, 1)
    count = len(ctx.operator.outputs)
    yield from _parts(ctx, tensor, axis, [tensor.shape[axis] // count] * count)


def _split_v(ctx: LoweringContext) -> Iterator[Slice]:
    tensor = ctx.input(0)
    sizes = _constants(ctx, 1, len(ctx.operator.outputs))
    (axis,) = _constants(ctx, 2, 1)
    # One size may be -1: what the others leave.
    rest = tensor.shape[axis] - sum(size for size in sizes if size >= 0)
    sizes = [rest if size < 0 else size for size in sizes]
    yield from _parts(ctx, tensor, axis, sizes)


def _parts(ctx: LoweringContext, tensor: Tensor, axis: int, sizes: list[int]) -> Iterator[Slice]:
    axis %= len(tensor.shape)
    position = 0
    for output, size in zip(ctx.outputs, sizes, strict=True):
        ranges = [range(size) for size in tensor.shape]
        ranges[axis] = range(position, position + size)
        position += size
        yield _from_ranges(ctx, tensor, output, ranges)


def _from_ranges(
    ctx: LoweringContext, tensor: Tensor, output: Tensor, ranges: list[range]
) -> Slice:
    count = tuple(len(values) for values in ranges)
    inside = all(
        values and min(values[0], values[-1]) >= 0 and max(values[0], values[-1]) < size
        for values, size in zip(ranges, tensor.shape, strict=True)
    )
    if not inside or math.prod(count) != output.size:
        ctx.error(f"cuts {list(count)} from {list(tensor.shape)} into {list(output.shape)}")
    begin = tuple(values.start for values in ranges)
    # Of one element no step is taken, and what a file says of it means nothing.
    step = tuple(values.step if len(values) > 1 else 1 for values in ranges)
    return Slice(tensor.index, output.index, tensor.shape, begin, step, count)


def _constants(ctx: LoweringContext, position: int, length: int) -> list[int]:
    tensor = ctx.input(position)
    allowed = ("INT32", "INT64") if ctx.name == "SLICE" else ("INT32",)
    values = tensor.data if tensor.dtype in allowed else None
    if values is None or values.size != length:
        ctx.error(
            f"has bounds that are not {length} constants of int32; computed ones are not supported"
        )
    return [int(value) for value in values.ravel()]


@lowering(
    "STRIDED_SLICE",
    conditions=f"any steps, no new axes or ellipsis; {SLICED}",
    memory=VIEW_OR_COPY,
    inputs=(4, 4),
    is_view=True,
    signatures=ANY,
)
def lower_strided_slice(ctx: LoweringContext) -> list[Stage]:
    """STRIDED_SLICE, without masks that add axes."""
    return _lower_slices(ctx, [_strided_slice(ctx)])


@lowering(
    "SLICE",
    conditions=SLICED,
    memory=VIEW_OR_COPY,
    inputs=(3, 3),
    is_view=True,
    signatures=ANY,
)
def lower_slice(ctx: LoweringContext) -> list[Stage]:
    """SLICE with constant bounds."""
    return _lower_slices(ctx, [_slice(ctx)])


@lowering(
    "SPLIT",
    conditions=SLICED,
    memory=VIEW_OR_COPY,
    inputs=(2, 2),
    outputs=MANY,
    is_view=True,
    signatures=ANY,
)
def lower_split(ctx: LoweringContext) -> list[Stage]:
    """SPLIT into equal parts."""
    return _lower_slices(ctx, _split(ctx))


@lowering(
    "SPLIT_V",
    conditions=SLICED,
    memory=VIEW_OR_COPY,
    inputs=(3, 3),
    outputs=MANY,
    is_view=True,
    signatures=ANY,
)
def lower_split_v(ctx: LoweringContext) -> list[Stage]:
    """SPLIT_V into parts of stated sizes."""
    return _lower_slices(ctx, _split_v(ctx))


@lowering(
    "UNPACK",
    conditions=CODES,
    memory=VIEW_OR_COPY,
    outputs=MANY,
    is_view=True,
    signatures=ANY,
)
def lower_unpack(ctx: LoweringContext) -> list[Stage]:
    """UNPACK: slices of one element along an axis."""
    axis, sizes = int(ctx.options["axis"]), [1] * len(ctx.operator.outputs)
    return _lower_slices(ctx, _parts(ctx, ctx.input(0), axis, sizes))


def _lower_slices(ctx: LoweringContext, parts: Iterable[Slice]) -> list[Stage]:
    """Return nothing where each row of a slice is one run, which is a view, else a copy."""
    stages = []
    for number, part in enumerate(parts):
        source, output = ctx.graph.tensor(part.input), ctx.graph.tensor(part.output)
        view = _slice_view(ctx.view(source), source, output, part)
        if view is not None and not ctx.tensors.is_placed(output.index):
            ctx.tensors.alias(output.index, view)
        else:
            stages.append(_slice_stage(ctx, part, source, output, number))
    return stages


def _slice_view(view: BufferView, source: Tensor, output: Tensor, part: Slice) -> BufferView | None:
    """Return the slice as rows of its source, None if its values are not neighbours."""
    if view.repeat != 1:
        return None
    size = view.buffer.dtype.itemsize
    if not is_image(source) or not is_image(output):
        same_rows = not is_image(source) and not is_image(output)
        if part.start is None or not same_rows:
            return None
        return view.subview(0, 1, part.start * size, output.byte_count)
    (_, first, column, channel), (_, step_y, step_x, step_c) = part.begin, part.step
    _, _, width, channels = part.count
    depth = part.shape[3]
    run = channels == depth and step_c == 1 and (step_x == 1 or width == 1)
    if (step_y != 1 and part.count[1] > 1) or not (run or (width == 1 and step_c == 1)):
        return None
    offset, row_bytes = (column * depth + channel) * size, width * channels * size
    return view.subview(first, part.count[1], offset, row_bytes)


def _slice_stage(
    ctx: LoweringContext, part: Slice, source: Tensor, output: Tensor, number: int
) -> Stage:
    if len(part.shape) > 4 or output.dtype != "INT8":
        return _moved_slice(ctx, part, source, output, number)
    strides = [math.prod(part.shape[axis + 1 :]) for axis in range(len(part.shape))]
    steps = [step * stride for step, stride in zip(part.step, strides, strict=True)]
    begins = [first * stride for first, stride in zip(part.begin, strides, strict=True)]
    missing = 4 - len(part.shape)
    count = [1] * missing + list(part.count)
    view, target = ctx.view(source), ctx.view(output)
    if is_image(source) and is_image(output):
        # Row by row: the kernel sees one row of the source.
        rows = RowAccess(view, factor=part.step[1], offset=part.begin[1])
        count[1], begins[1] = 1, 0
    else:
        # One of them may be an image and the other a batch of several, which has other rows.
        rows = RowAccess(ctx.reshaped(view, 1, source.size))
        target = ctx.reshaped_output(target, 1, output.size)
    params = SliceParams(count=four(count), begin=sum(begins), step=four([0] * missing + steps))
    return ctx.stage("asc_slice", params, inputs=[rows], output=target, suffix=f"_{number}")


def _moved_slice(
    ctx: LoweringContext, part: Slice, source: Tensor, output: Tensor, number: int
) -> Stage:
    """Return the copy of a slice of more than 4 dimensions, or of values of several bytes."""
    places = [
        begin + step * np.arange(count)
        for begin, step, count in zip(part.begin, part.step, part.count, strict=True)
    ]
    indices = numbers(source)[np.ix_(*places)].reshape(output.shape)
    (stage,) = lower_index_map(ctx, indices, source=source, output=output, suffix=f"_{number}")
    return stage
