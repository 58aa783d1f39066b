"""Lowers operators that only move codes: renaming, slicing, joining, padding, resizing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from asc_tiny.compiler.ir import Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.lower.context import LoweringContext, TensorViews, braces, geometry, is_image
from asc_tiny.compiler.lower.requantization import INT8_MAX, INT8_MIN
from asc_tiny.compiler.lower.slice import SLICING, Slice, slices
from asc_tiny.compiler.lower.upsample_fusion import axis_rule, check_size, is_fused
from asc_tiny.tflite.graph import Graph, Operator, Tensor

RENAMES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
"""Operators whose output has the bytes of their first input."""


def lower_expand_dims(ctx: LoweringContext) -> list[Stage]:
    """EXPAND_DIMS along an axis that the file states."""
    ctx.integers(1, 1)
    if len(ctx.input(1).shape) > 1:
        ctx.error(f"the axis has the shape {list(ctx.input(1).shape)}, must be a scalar or [1]")
    return lower_rename(ctx)


def lower_rename(ctx: LoweringContext) -> list[Stage]:
    """RESHAPE and its kin: another view of the same bytes, or one copy."""
    ctx.same_quantization(ctx.input(0), ctx.output)
    if ctx.input(0).size != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} elements into {ctx.output.size}")
    source = ctx.view(ctx.input(0))
    if not ctx.tensors.is_placed(ctx.output.index):
        source = source if source.is_contiguous else ctx.copied(source)
        ctx.tensors.alias(ctx.output.index, source.reshaped(*geometry(ctx.output)))
        return []
    target = ctx.view(ctx.output)
    same = ctx.reshaped(source, target.rows, target.row_bytes)
    return [_copy(ctx, RowAccess(same), target, 1, target.row_bytes, 0, target.row_bytes)]


def lower_slices(ctx: LoweringContext) -> list[Stage]:
    """SLICE, STRIDED_SLICE, SPLIT: a view where each row is one run, else a copy."""
    stages = []
    for number, part in enumerate(slices(ctx.graph, ctx.operator)):
        source, output = ctx.graph.tensor(part.input), ctx.graph.tensor(part.output)
        ctx.same_quantization(source, output)
        view = _slice_view(ctx.view(source), source, output, part)
        if view is not None and not ctx.tensors.is_placed(output.index):
            ctx.tensors.alias(output.index, view)
        else:
            stages.append(_slice(ctx, part, source, output, number))
    return stages


def _slice_view(view: BufferView, source: Tensor, output: Tensor, part: Slice) -> BufferView | None:
    """Return the slice as rows of its source, None if its values are not neighbours."""
    if view.repeat != 1:
        return None
    if not is_image(source) or not is_image(output):
        same_rows = not is_image(source) and not is_image(output)
        if part.start is None or not same_rows:
            return None
        return view.subview(0, 1, part.start, output.size)
    (_, first, column, channel), (_, step_y, step_x, step_c) = part.begin, part.step
    _, _, width, channels = part.count
    depth = part.shape[3]
    run = channels == depth and step_c == 1 and (step_x == 1 or width == 1)
    if (step_y != 1 and part.count[1] > 1) or not (run or (width == 1 and step_c == 1)):
        return None
    return view.subview(first, part.count[1], column * depth + channel, width * channels)


def _slice(ctx: LoweringContext, part: Slice, source: Tensor, output: Tensor, number: int) -> Stage:
    if len(part.shape) > 4:
        ctx.error(f"{len(part.shape)} dimensions, at most 4 are supported")
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
    fields = {
        "count": braces(*count),
        "begin": str(sum(begins)),
        "step": braces(*[0] * missing, *steps),
    }
    return ctx.stage("asc_slice", fields, inputs=[rows], output=target, suffix=f"_{number}")


def concat_positions(graph: Graph, operator: Operator) -> list[tuple[int, int, int]]:
    """Return where the inputs of a CONCATENATION lie in its output, as (input, row, byte).

    Nothing if the values of an input are not neighbours in a row of the output.
    """
    output = graph.tensor(operator.outputs[0])
    axis = int(operator.options["axis"]) % len(output.shape)
    by_row = is_image(output) and axis == 1
    if math.prod(output.shape[2:axis] if is_image(output) else output.shape[:axis]) != 1:
        return []
    places, position = [], 0
    for index in operator.inputs:
        shape = graph.tensor(index).shape
        places.append((index, position, 0) if by_row else (index, 0, position))
        position += shape[1] if by_row else math.prod(shape[axis:])
    return places


def place_concat_inputs(tensors: TensorViews, operator: Operator) -> None:
    """Let the stages that make the inputs of a CONCATENATION write into its output.

    An input that is made by no stage, or that lies elsewhere already, will be copied.
    """
    graph = tensors.graph
    for index, first, offset in concat_positions(graph, operator):
        producer = graph.producers.get(index)
        moves = producer is not None and producer.name in (*RENAMES, *SLICING)
        once = operator.inputs.count(index) == 1
        free = once and not tensors.is_placed(index)
        if producer is not None and not moves and free and _same_rows(graph, index, operator):
            tensors.place_in(index, operator.outputs[0], first, offset)


def _same_rows(graph: Graph, index: int, operator: Operator) -> bool:
    """Whether input and output of a CONCATENATION are images, or neither: not images to a batch."""
    return is_image(graph.tensor(index)) == is_image(graph.tensor(operator.outputs[0]))


def lower_concatenation(ctx: LoweringContext) -> list[Stage]:
    """CONCATENATION: a copy for every input that is not written into the output at once."""
    output = ctx.output
    if ctx.operator.options["fused_activation_function"] != "NONE":
        ctx.error("a fused activation is not supported; put it behind as a layer of its own")
    axis = int(ctx.operator.options["axis"]) % len(output.shape)
    inputs = [ctx.input(number) for number in range(len(ctx.operator.inputs))]
    if sum(tensor.shape[axis] for tensor in inputs) != output.shape[axis]:
        ctx.error(f"inputs do not fill the output's axis {axis}")
    places = concat_positions(ctx.graph, ctx.operator)
    stages, position = [], 0
    for number, tensor in enumerate(inputs):
        ctx.same_quantization(tensor, output)
        if places and ctx.tensors.is_placed_in(tensor.index, output.index):
            continue
        suffix = f"_{number}"
        source = ctx.view(tensor)
        if not _same_rows(ctx.graph, tensor.index, ctx.operator):
            source = ctx.reshaped(source, 1, tensor.size)
        if places:
            _, first, offset = places[number]
            target = ctx.view(output).subview(first, source.rows, offset, source.row_bytes)
            size = source.row_bytes
            stages.append(_copy(ctx, RowAccess(source), target, 1, size, 0, size, suffix))
        else:
            stages.append(_interleave(ctx, tensor, axis, position, suffix))
        position += tensor.shape[axis]
    return stages


def _interleave(
    ctx: LoweringContext, tensor: Tensor, axis: int, position: int, suffix: str
) -> Stage:
    """Copy an input whose values are strewn over a row of the output."""
    output = ctx.output
    behind = math.prod(output.shape[axis + 1 :])
    size, stride = tensor.shape[axis] * behind, output.shape[axis] * behind
    source, target = ctx.view(tensor), ctx.view(output)
    runs = source.row_bytes // size
    return _copy(ctx, RowAccess(source), target, runs, size, position * behind, stride, suffix)


def _copy(
    ctx: LoweringContext,
    source: RowAccess,
    target: BufferView,
    runs: int,
    size: int,
    offset: int,
    stride: int,
    suffix: str = "",
) -> Stage:
    """Copy ``runs`` of ``size`` bytes that follow each other in a row to places apart."""
    values = {"rows": runs, "size": size, "output_offset": offset, "output_stride": stride}
    fields = {name: str(value) for name, value in values.items()}
    return ctx.stage("asc_copy", fields, inputs=[source], output=target, suffix=suffix)


def lower_transpose(ctx: LoweringContext) -> list[Stage]:
    """TRANSPOSE of up to 4 dimensions: a view where only dimensions of 1 move, else a copy."""
    source, output = ctx.input(0), ctx.output
    ctx.same_quantization(source, output)
    rank = len(source.shape)
    order = ctx.integers(1, rank)
    if sorted(order) != list(range(rank)) or rank > 4:
        ctx.error(f"permutation {order} of {rank} dimensions, at most 4 are supported")
    if tuple(source.shape[axis] for axis in order) != output.shape:
        ctx.error(f"{list(source.shape)} does not become {list(output.shape)}")
    moved = [axis for axis in order if source.shape[axis] > 1]
    if moved == sorted(moved):
        return lower_rename(ctx)
    strides = [math.prod(source.shape[axis + 1 :]) for axis in order]
    missing = 4 - rank
    fields = {
        "count": braces(*[1] * missing, *output.shape),
        "begin": "0",
        "step": braces(*[0] * missing, *strides),
    }
    whole = RowAccess(ctx.reshaped(ctx.view(source), 1, source.size))
    target = ctx.reshaped_output(ctx.view(output), 1, output.size)
    return [ctx.stage("asc_slice", fields, inputs=[whole], output=target)]


def lower_pad(ctx: LoweringContext) -> list[Stage]:
    """PAD and PADV2 along all dimensions but a batch of images."""
    source, output = ctx.input(0), ctx.output
    ctx.same_quantization(source, output)
    rank = len(source.shape)
    if rank > 4 or (rank == 4 and source.shape[0] != 1):
        ctx.error(f"shape {list(source.shape)}, must be an image or have at most 3 dimensions")
    amounts = np.array(ctx.integers(1, 2 * rank), np.int64).reshape(rank, 2)
    padded = tuple(int(n) + int(sum(a)) for n, a in zip(source.shape, amounts, strict=True))
    if padded != output.shape:
        ctx.error(f"pads to {list(padded)}, the output is {list(output.shape)}")
    missing = 4 - rank
    amounts = np.concatenate([np.zeros((missing, 2), np.int64), amounts])
    _, height, width, channels = (*(1,) * missing, *source.shape)
    is_one_row = rank < 4
    if amounts.min() < 0 or amounts[0].any() or (is_one_row and (height > 1 or amounts[1].any())):
        ctx.error(f"paddings {amounts[missing:].tolist()} of {list(source.shape)}")
    *_, output_width, output_channels = (1, 1, *output.shape)
    value = ctx.quantization(output)[1]
    if ctx.optional_input(2) is not None:
        ctx.same_type(ctx.input(2), output)
        ctx.same_quantization(ctx.input(2), output)
        value = int(ctx.constants(2, 1).ravel()[0])
    if not INT8_MIN <= value <= INT8_MAX:
        ctx.error(f"pads with {value}")
    top, left, front = (int(a) for a in amounts[1:, 0])
    fields = {
        "input_width": str(width),
        "input_channels": str(channels),
        "output_width": str(output_width),
        "output_channels": str(output_channels),
        "left": str(left),
        "front": str(front),
        "value": str(value),
    }
    rows = RowAccess(ctx.view(source), offset=-top)
    return [ctx.stage("asc_pad", fields, inputs=[rows])]


def lower_depth_to_space(ctx: LoweringContext) -> list[Stage]:
    """DEPTH_TO_SPACE: a row of the input has the pixels of several rows of the output."""
    block, fields = _blocks(ctx, ctx.input(0), ctx.output)
    rows = RowAccess(ctx.view(ctx.input(0)), divisor=block)
    return [ctx.stage("asc_depth_to_space", fields, inputs=[rows], c_type="asc_blocks_t")]


def lower_space_to_depth(ctx: LoweringContext) -> list[Stage]:
    """SPACE_TO_DEPTH: a row of the output has the pixels of several rows of the input."""
    block, fields = _blocks(ctx, ctx.output, ctx.input(0))
    rows = RowAccess(ctx.view(ctx.input(0)), count=block, factor=block)
    return [ctx.stage("asc_space_to_depth", fields, inputs=[rows], c_type="asc_blocks_t")]


def _blocks(ctx: LoweringContext, deep: Tensor, wide: Tensor) -> tuple[int, dict[str, str]]:
    """Return the size of a block and the members of ``asc_blocks_t``."""
    ctx.same_quantization(deep, wide)
    block = int(ctx.operator.options["block_size"])
    (height, width, channels), larger = ctx.image(deep), ctx.image(wide)
    if block < 1 or larger != (height * block, width * block, channels // block**2):
        ctx.error(
            f"blocks of {block} do not bring {list(deep.shape)} and {list(wide.shape)} together"
        )
    size = str(block * larger[2])
    return block, {"pixels": str(width), "size": size, "block": str(block)}


def lower_pack(ctx: LoweringContext) -> list[Stage]:
    """PACK: a copy of every input into a new axis of the output."""
    output = ctx.output
    axis = int(ctx.operator.options["axis"]) % len(output.shape)
    count = len(ctx.operator.inputs)
    inner = math.prod(output.shape[axis + 1 :])
    runs = math.prod(output.shape[:axis])
    target = ctx.reshaped_output(ctx.view(output), 1, output.size)
    stages = []
    for number in range(count):
        tensor = ctx.input(number)
        ctx.same_quantization(tensor, output)
        if count != output.shape[axis] or tensor.size != runs * inner:
            ctx.error(f"{count} times {list(tensor.shape)} into {list(output.shape)}")
        source = RowAccess(ctx.reshaped(ctx.view(tensor), 1, tensor.size))
        place = number * inner
        stages.append(_copy(ctx, source, target, runs, inner, place, count * inner, f"_{number}"))
    return stages


def lower_resize_nearest_neighbor(ctx: LoweringContext) -> list[Stage]:
    """RESIZE_NEAREST_NEIGHBOR to any size; nothing if the convolution behind it does it."""
    ctx.same_quantization(ctx.input(0), ctx.output)
    check_size(ctx)
    source, target = ctx.image(ctx.input(0)), ctx.image(ctx.output)
    if source[2] != target[2]:
        ctx.error(f"{source[2]} channels into {target[2]}")
    if is_fused(ctx):
        return []
    factor, offset, divisor = axis_rule(ctx, source[0], target[0])
    view = ctx.view(ctx.input(0))
    fields = {
        "input_width": str(source[1]),
        "output_width": str(target[1]),
        "channels": str(source[2]),
        "columns": braces(*axis_rule(ctx, source[1], target[1])),
    }
    repeat = target[0] // source[0]
    repeats = repeat and all(
        (y * factor + offset) // divisor == y // repeat for y in range(target[0])
    )
    if repeats and target[0] == repeat * source[0] and _is_read_by_row(ctx):
        # No row is made twice: each shows several times.
        narrow = BufferView.of(Buffer(f"t{ctx.output.index}", source[0], target[1] * target[2]))
        ctx.tensors.alias(ctx.output.index, replace(narrow, rows=target[0], repeat=repeat))
        return [ctx.stage("asc_resize_nearest", fields, output=narrow, c_type="asc_resize_t")]
    rows = RowAccess(view, factor=factor, offset=offset, divisor=divisor, clamps=True)
    return [ctx.stage("asc_resize_nearest", fields, inputs=[rows], c_type="asc_resize_t")]


_READ_ROW_BY_ROW = ("AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "MEAN")


def _is_read_by_row(ctx: LoweringContext) -> bool:
    """Whether nothing needs the output otherwise than row by row."""
    index = ctx.output.index
    readers = [each.name for each in ctx.graph.operators if index in each.inputs]
    free = index not in ctx.graph.outputs and not ctx.tensors.is_placed(index)
    return free and bool(readers) and all(name in _READ_ROW_BY_ROW for name in readers)
