"""Lowers operators of two tensors element by element, of which either may be broadcast.

An operand whose shape has a 1, or no dimension, where the output has more is repeated there: one
row for all, one pixel for a row, one channel for a pixel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from asc_tiny.compiler.ir import Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    AddParams,
    Array,
    BinaryParams,
    Operand,
    OutputRange,
    two,
)
from asc_tiny.compiler.lower.broadcast import LOOPS, extended, merged_loops
from asc_tiny.compiler.lower.context import LoweringContext, geometry
from asc_tiny.compiler.lower.index_map import moved, numbers
from asc_tiny.compiler.lower.requantization import multiplier, product_scale, ratio
from asc_tiny.compiler.lower.rule import BROADCAST, BY_ROW, CODES, EITHER, FUSED, WHOLE, lowering
from asc_tiny.tflite.graph import Tensor

# 255 times 255 shifted further left would leave 32 bits.
_MOST_PRODUCT_SHIFT = 14
_MOST_SHIFT = 22
# 2^15 times 2^15, or times 2^8 of an int8 slope
_MOST_S16_PRODUCT_SHIFT = {"INT16": 0, "INT8": 7}
_MOST_S16_SHIFT = 15
# Dividends have at least 23 bits of headroom, and 63 bits are the most that are shifted away.
_MOST_QUOTIENT_SHIFT = 23


class _Arithmetic(NamedTuple):
    """The quantization of an operator: of its operands, and of sum or product."""

    first: Operand
    second: Operand
    multiplier: int
    shift: int
    range: OutputRange


@lowering(
    "ADD",
    conditions=f"{BROADCAST}; {FUSED}",
    inputs=(2, 2),
    signatures=EITHER,
)
def lower_add(ctx: LoweringContext) -> list[Stage]:
    """ADD, with or without broadcast, of which one tensor may be constant."""
    if ctx.input(0).size == ctx.input(1).size == ctx.output.size and not ctx.has_int16:
        # Sizes that are all equal leave only dimensions of 1 to broadcast.
        inputs = [ctx.like_output(ctx.input(0)), ctx.like_output(ctx.input(1))]
        params = AddParams(ctx.view(ctx.output).row_elements, *_sum(ctx))
        return [ctx.stage("asc_add", params, inputs=inputs)]
    return _binary(ctx, "asc_add" if ctx.has_int16 else "asc_add_broadcast", _sum(ctx))


@lowering(
    "SUB",
    conditions=f"{BROADCAST}; {FUSED}",
    inputs=(2, 2),
    signatures=EITHER,
)
def lower_sub(ctx: LoweringContext) -> list[Stage]:
    """SUB, with or without broadcast."""
    return _binary(ctx, "asc_sub", _sum(ctx))


def _sum(ctx: LoweringContext) -> _Arithmetic:
    """Return the quantization of operators that add."""
    (scale1, zero1), (scale2, zero2) = _quantizations(ctx)
    # Both operands are brought to twice the larger scale, with so many more bits.
    common, bits = 2.0 * max(scale1, scale2), 15 if ctx.has_int16 else 20
    value, shift = multiplier(common / (2**bits * ctx.quantization(ctx.output)[0]))
    if shift > 0:
        ctx.error("the output's scale is too small for its inputs")
    first = Operand(zero1, *multiplier(scale1 / common))
    second = Operand(zero2, *multiplier(scale2 / common))
    return _Arithmetic(first, second, value, shift, ctx.range())


@lowering(
    "MUL",
    conditions=f"{BROADCAST}; {FUSED}",
    memory=f"{BY_ROW}; by a gate that depends on the {WHOLE} (squeeze and excite), the {WHOLE}",
    inputs=(2, 2),
    signatures=EITHER,
)
def lower_mul(ctx: LoweringContext) -> list[Stage]:
    """MUL, with or without broadcast."""
    (scale1, _), (scale2, _) = _quantizations(ctx)
    product = multiplier(scale1 * scale2 / ctx.quantization(ctx.output)[0])
    return _binary(ctx, "asc_mul", _product(ctx, (0, 0), product))


@lowering(
    "DIV",
    conditions=f"{BROADCAST}; {FUSED}; what the division by 0 gives means nothing",
    inputs=(2, 2),
)
def lower_div(ctx: LoweringContext) -> list[Stage]:
    """DIV of codes."""
    (scale1, zero1), (scale2, zero2) = _quantizations(ctx)
    real = ratio(scale1, product_scale(scale2, ctx.quantization(ctx.output)[0]))
    value, shift = multiplier(real)
    if abs(shift) > _MOST_QUOTIENT_SHIFT:
        ctx.error("the scales of inputs and output are too far apart")
    operands = Operand(zero1, 0, 0), Operand(zero2, 0, 0)
    return _binary(ctx, "asc_div", _Arithmetic(*operands, value, shift, ctx.range()))


@lowering("SQUARED_DIFFERENCE", conditions=BROADCAST, inputs=(2, 2))
def lower_squared_difference(ctx: LoweringContext) -> list[Stage]:
    """SQUARED_DIFFERENCE, of operands with 7 more bits."""
    (scale1, zero1), (scale2, zero2) = _quantizations(ctx)
    common = 2.0 * max(scale1, scale2)
    value, shift = multiplier(common * common / (2**14 * ctx.quantization(ctx.output)[0]))
    if shift > 0:
        ctx.error("the output's scale is too small for its inputs")
    first = Operand(zero1, *multiplier(scale1 / common))
    second = Operand(zero2, *multiplier(scale2 / common))
    arithmetic = _Arithmetic(first, second, value, shift, ctx.range())
    return _binary(ctx, "asc_squared_difference", arithmetic)


@lowering(
    "PRELU",
    conditions=BROADCAST,
    inputs=(2, 2),
    signatures=("INT8 -> INT8", "INT16 INT8 -> INT16"),
)
def lower_prelu(ctx: LoweringContext) -> list[Stage]:
    """PRELU with any slopes that can be broadcast."""
    (scale, _), (slope, _) = _quantizations(ctx)
    target = ctx.quantization(ctx.output)[0]
    identity = multiplier(scale / target)
    if identity[1] > (_MOST_S16_SHIFT if ctx.has_int16 else _MOST_SHIFT):
        ctx.error("the output's scale is too small for its input")
    params = _product(ctx, identity, multiplier(scale * slope / target))
    return _binary(ctx, "asc_prelu", params)


def _product(
    ctx: LoweringContext, identity: tuple[int, int], product: tuple[int, int]
) -> _Arithmetic:
    """Return the quantization of operators that multiply; ``identity`` scales the first operand."""
    most = _MOST_PRODUCT_SHIFT
    if ctx.has_int16:
        most = _MOST_S16_PRODUCT_SHIFT[ctx.input(1).dtype]
    if product[1] > most:
        ctx.error("the output's scale is too small for its inputs")
    (_, zero1), (_, zero2) = _quantizations(ctx)
    return _Arithmetic(Operand(zero1, *identity), Operand(zero2, 0, 0), *product, ctx.range())


@lowering(
    "MAXIMUM",
    conditions=f"{BROADCAST}; {CODES}",
    inputs=(2, 2),
    signatures=EITHER,
)
def lower_maximum(ctx: LoweringContext) -> list[Stage]:
    """MAXIMUM of codes."""
    return _binary(ctx, "asc_maximum", None)


@lowering(
    "MINIMUM",
    conditions=f"{BROADCAST}; {CODES}",
    inputs=(2, 2),
    signatures=EITHER,
)
def lower_minimum(ctx: LoweringContext) -> list[Stage]:
    """MINIMUM of codes."""
    return _binary(ctx, "asc_minimum", None)


def _quantizations(ctx: LoweringContext) -> tuple[tuple[float, int], tuple[float, int]]:
    return ctx.quantization(ctx.input(0)), ctx.quantization(ctx.input(1))


def _binary(ctx: LoweringContext, kernel: str, arithmetic: _Arithmetic | None) -> list[Stage]:
    operands, output = (ctx.input(0), ctx.input(1)), ctx.output
    rank = max(4, len(output.shape))
    shape = extended(rank, output.shape)
    shapes = [extended(rank, operand.shape) for operand in operands]
    if np.broadcast_shapes(*shapes) != shape:
        ctx.error(
            f"shapes {list(operands[0].shape)} and {list(operands[1].shape)} do not make "
            f"{list(output.shape)}"
        )
    is_image = rank == 4 and geometry(output)[0] == shape[1] and shape[0] == 1
    # The axes within a row
    axes = (2, 3) if is_image else range(rank)
    inputs = [
        _operand(ctx, operand, each, is_image=is_image)
        for operand, each in zip(operands, shapes, strict=True)
    ]
    before: list[Stage] = []
    # Two loops go over any row of an image; where others need more, operands are repeated before.
    for number in sorted((0, 1), key=lambda each: operands[each].size):
        if len(merged_loops(shape, shapes, axes)) > LOOPS:
            view, stages = _repeated(ctx, operands[number], shapes[number], shape, number)
            inputs[number], shapes[number] = RowAccess(view), shape
            before += stages
    loops = merged_loops(shape, shapes, axes)
    loops = [[1, 0, 0]] * (LOOPS - len(loops)) + loops
    counts, first, second = zip(*loops, strict=True)
    params = BinaryParams(count=two(counts), first_step=two(first), second_step=two(second))
    if arithmetic:
        params = replace(params, **arithmetic._asdict())
    return [*before, ctx.stage(ctx.typed(kernel), params, inputs=inputs)]


def _operand(
    ctx: LoweringContext, operand: Tensor, shape: tuple[int, ...], *, is_image: bool
) -> RowAccess:
    view = ctx.view(operand)
    if not is_image:
        return RowAccess(ctx.reshaped(view, 1, operand.byte_count))
    rows = ctx.reshaped(view, shape[1], operand.byte_count // shape[1])
    return RowAccess(rows, factor=0 if shape[1] == 1 else 1)


def _repeated(
    ctx: LoweringContext,
    operand: Tensor,
    own: tuple[int, ...],
    shape: tuple[int, ...],
    number: int,
) -> tuple[BufferView, list[Stage]]:
    """Return an operand in the shape of the output as one row, and the stage that makes it."""
    indices = np.broadcast_to(numbers(operand).reshape(own), shape)
    name = f"asc_net_repeated{ctx.operator.index}_{number}"
    dtype = ctx.view(operand).buffer.dtype
    buffer = Buffer(name, 1, indices.size * dtype.itemsize, dtype=dtype)
    if operand.data is not None:
        values = operand.data.ravel()[indices.ravel()]
        return BufferView.of(replace(buffer, constant=Array(name, values))), []
    target = BufferView.of(buffer)
    source = ctx.reshaped(ctx.view(operand), 1, operand.byte_count)
    return target, [moved(ctx, source, target, indices, suffix=f"_repeated{number}")]
