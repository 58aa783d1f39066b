"""Operands that are repeated along some axes: how a kernel's loops go through their values.

An operand whose shape has a 1, or no dimension, where the output has more is repeated there: one
row for all, one pixel for a row, one channel for a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from asc_tiny.compiler.ir import Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import Array
from asc_tiny.compiler.lower.context import STORED, LoweringContext, geometry
from asc_tiny.compiler.lower.index_map import moved, numbers
from asc_tiny.tflite.graph import Tensor

LOOPS = 2
"""Nested loops of a kernel over a row."""


class Broadcast(NamedTuple):
    """How a stage reads operands that are broadcast to its output.

    Attributes:
        inputs: the rows of each operand.
        counts: turns of the outer and of the inner loop over a row of the output.
        steps: number of values from one turn of each loop to the next, of each operand; 0 repeats.
        before: stages that repeat operands where two loops do not suffice.
    """

    inputs: list[RowAccess]
    counts: tuple[int, int]
    steps: list[tuple[int, int]]
    before: list[Stage]


def broadcast(ctx: LoweringContext, operands: Sequence[Tensor]) -> Broadcast:
    """Return how a stage reads operands that are broadcast to the output of an operator."""
    output = ctx.output
    rank = max(4, len(output.shape))
    shape = extended(rank, output.shape)
    shapes = [extended(rank, operand.shape) for operand in operands]
    if np.broadcast_shapes(*shapes) != shape:
        ctx.error(
            f"shapes {' and '.join(str(list(each.shape)) for each in operands)} do not make "
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
    for number in sorted(range(len(operands)), key=lambda each: operands[each].size):
        if len(merged_loops(shape, shapes, axes)) > LOOPS:
            view, stages = _repeated(ctx, operands[number], shapes[number], shape, number)
            inputs[number], shapes[number] = RowAccess(view), shape
            before += stages
    loops = merged_loops(shape, shapes, axes)
    loops = [[1] + [0] * len(operands)] * (LOOPS - len(loops)) + loops
    (count0, *steps0), (count1, *steps1) = loops
    return Broadcast(inputs, (count0, count1), list(zip(steps0, steps1, strict=True)), before)


def extended(rank: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with so many dimensions, the first ones of 1."""
    return (*(1,) * (rank - len(shape)), *shape)


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
        values = operand.data.ravel()[indices.ravel()].view(STORED.get(operand.dtype, dtype))
        return BufferView.of(replace(buffer, constant=Array(name, values))), []
    target = BufferView.of(buffer)
    source = ctx.reshaped(ctx.view(operand), 1, operand.byte_count)
    return target, [moved(ctx, source, target, indices, suffix=f"_repeated{number}")]


def merged_loops(
    shape: Sequence[int], shapes: Sequence[Sequence[int]], axes: Sequence[int]
) -> list[list[int]]:
    """Return count and each operand's step of the loops over the axes of a row.

    Axes that all operands step through alike are one; a step of 0 repeats a value.
    """
    loops: list[list[int]] = []
    for axis in axes:
        if shape[axis] == 1:
            continue
        steps = [math.prod(each[axis + 1 :]) if each[axis] == shape[axis] else 0 for each in shapes]
        if loops and all(
            outer == inner * shape[axis] for outer, inner in zip(loops[-1][1:], steps, strict=True)
        ):
            loops[-1] = [loops[-1][0] * shape[axis], *steps]
        else:
            loops.append([shape[axis], *steps])
    return loops
