"""Lowers CONCATENATION and PACK: inputs are made in place where that is possible, else copied."""

from __future__ import annotations

import math

from asc_tiny.compiler.ir import BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import CopyParams
from asc_tiny.compiler.lower.context import LoweringContext, TensorViews, is_image
from asc_tiny.compiler.lower.rule import ANY, MANY, SAME, VIEW, WHOLE, lowering, lowering_rule
from asc_tiny.tflite.graph import Graph, Operator, Tensor


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
        tensor = graph.tensor(index)
        places.append((index, position, 0) if by_row else (index, 0, position))
        outer = math.prod(tensor.shape[:axis])
        position += tensor.shape[1] if by_row else tensor.byte_count // outer
    return places


def place_concat_inputs(tensors: TensorViews, operator: Operator) -> None:
    """Let the stages that make the inputs of a CONCATENATION write into its output.

    An input that is made by no stage, or that lies elsewhere already, will be copied.
    """
    graph = tensors.graph
    for index, first, offset in concat_positions(graph, operator):
        producer = graph.producers.get(index)
        moves = producer is not None and _is_view(producer)
        once = operator.inputs.count(index) == 1
        free = once and not tensors.is_placed(index)
        if producer is not None and not moves and free and _same_rows(graph, index, operator):
            tensors.place_in(index, operator.outputs[0], first, offset)


def _is_view(operator: Operator) -> bool:
    rule = lowering_rule.get(operator.name)
    return rule is not None and rule.is_view


def _same_rows(graph: Graph, index: int, operator: Operator) -> bool:
    """Whether input and output of a CONCATENATION are images, or neither: not images to a batch."""
    return is_image(graph.tensor(index)) == is_image(graph.tensor(operator.outputs[0]))


@lowering(
    "CONCATENATION",
    conditions=f"any axis; no fused activation; {SAME}",
    memory=f"{VIEW}: inputs are written in place; copied where they are needed elsewhere too",
    inputs=(1, MANY),
    signatures=ANY,
)
def lower_concatenation(ctx: LoweringContext) -> list[Stage]:
    """CONCATENATION: a copy for every input that is not written into the output at once."""
    output = ctx.output
    if ctx.options["fused_activation_function"] != "NONE":
        ctx.error("a fused activation is not supported; put it behind as a layer of its own")
    axis = int(ctx.options["axis"]) % len(output.shape)
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
            source = ctx.reshaped(source, 1, tensor.byte_count)
        if places:
            _, first, offset = places[number]
            target = ctx.view(output).subview(first, source.rows, offset, source.row_bytes)
            stages.append(ctx.copy_rows(RowAccess(source), target, suffix))
        else:
            stages.append(_interleave(ctx, tensor, axis, position, suffix))
        position += tensor.shape[axis]
    return stages


def _interleave(
    ctx: LoweringContext, tensor: Tensor, axis: int, position: int, suffix: str
) -> Stage:
    """Copy an input whose values are strewn over a row of the output."""
    output = ctx.output
    behind = output.byte_count // math.prod(output.shape[: axis + 1])
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
    params = CopyParams(rows=runs, size=size, output_offset=offset, output_stride=stride)
    return ctx.stage("asc_copy", params, inputs=[source], output=target, suffix=suffix)


@lowering(
    "PACK",
    conditions=f"any axis; {SAME}",
    memory=f"{WHOLE}: copied",
    inputs=(1, MANY),
    signatures=ANY,
)
def lower_pack(ctx: LoweringContext) -> list[Stage]:
    """PACK: a copy of every input into a new axis of the output."""
    output = ctx.output
    axis = int(ctx.options["axis"]) % len(output.shape)
    count = len(ctx.operator.inputs)
    inner = output.byte_count // math.prod(output.shape[: axis + 1])
    runs = math.prod(output.shape[:axis])
    target = ctx.reshaped_output(ctx.view(output), 1, output.byte_count)
    stages = []
    for number in range(count):
        tensor = ctx.input(number)
        ctx.same_quantization(tensor, output)
        if count != output.shape[axis] or tensor.byte_count != runs * inner:
            ctx.error(f"{count} times {list(tensor.shape)} into {list(output.shape)}")
        source = RowAccess(ctx.reshaped(ctx.view(tensor), 1, tensor.byte_count))
        place = number * inner
        stages.append(_copy(ctx, source, target, runs, inner, place, count * inner, f"_{number}"))
    return stages
