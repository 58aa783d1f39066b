"""Lowers BATCH_MATMUL: products of two matrices, both computed or one constant."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from asc_tiny.compiler.ir import BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import MatmulParams, two
from asc_tiny.compiler.lower.broadcast import LOOPS, extended, merged_loops
from asc_tiny.compiler.lower.context import LoweringContext, is_image
from asc_tiny.compiler.lower.requantization import (
    INT32_MAX,
    MOST_WIDE_SHIFT,
    multiplier,
    wide_multiplier,
)
from asc_tiny.compiler.lower.rule import EITHER, WHOLE, lowering
from asc_tiny.tflite.graph import Tensor

Matrix = tuple[int, int]

# As many products of 255 and 255 stay within 32 bits, and of 2^15 and 2^15 within 47.
_MOST_DEPTH = {32: INT32_MAX // 255**2, 47: 2**17 - 1}


class _Product(NamedTuple):
    """A product of two matrices.

    Attributes:
        rows, columns: rows of the first matrix and columns of the second.
        depth: columns of the first matrix, and rows of the second.
        first_steps, second_steps: values from one row of a matrix to the next, and from one column
            to the next.
        batches: for each operand, the number of matrices along each axis before the last two.
    """

    rows: int
    depth: int
    columns: int
    first_steps: tuple[int, int]
    second_steps: tuple[int, int]
    batches: list[tuple[int, ...]]


@lowering(
    "BATCH_MATMUL",
    conditions=(
        "2 to 5 dimensions; adj_x and adj_y; either operand constant; batches broadcast along axes "
        "that are neighbours"
    ),
    memory=f"both operands as a {WHOLE}, of 4 dimensions matrix by matrix",
    inputs=(2, 2),
    signatures=EITHER,
)
def lower_batch_matmul(ctx: LoweringContext) -> list[Stage]:
    """BATCH_MATMUL of two tensors."""
    product = _product(ctx)
    accesses, target, loops = _batches(ctx, product.batches)
    counts, first_batch, second_batch = zip(*loops, strict=True)
    value, shift = _factor(ctx)
    rows, depth, columns = product.rows, product.depth, product.columns
    params = MatmulParams(
        batches=two(counts),
        first_batch=two([step * rows * depth for step in first_batch]),
        second_batch=two([step * depth * columns for step in second_batch]),
        rows=rows,
        depth=depth,
        columns=columns,
        first_steps=product.first_steps,
        second_steps=product.second_steps,
        first_zero_point=ctx.quantization(ctx.input(0))[1],
        second_zero_point=ctx.quantization(ctx.input(1))[1],
        multiplier=value,
        shift=shift,
        range=ctx.range(),
    )
    macs = ctx.output.size * depth
    return [ctx.stage(ctx.typed("asc_matmul"), params, inputs=accesses, output=target, macs=macs)]


def _product(ctx: LoweringContext) -> _Product:
    """Return the product of two matrices, which is computed for each batch."""
    first, second, output = ctx.input(0), ctx.input(1), ctx.output
    shapes = [each.shape for each in (first, second)]
    rank = len(output.shape)
    if not all(2 <= len(shape) <= rank for shape in shapes):
        ctx.error(f"shapes {list(first.shape)} and {list(second.shape)}")
    (rows, depth), first_steps = _matrix(first, is_transposed=bool(ctx.options["adj_x"]))
    (deep, columns), second_steps = _matrix(second, is_transposed=bool(ctx.options["adj_y"]))
    batches = [extended(rank - 2, shape[:-2]) for shape in shapes]
    if deep != depth or output.shape[-2:] != (rows, columns):
        ctx.error(f"{list(first.shape)} times {list(second.shape)} into {list(output.shape)}")
    if np.broadcast_shapes(*batches) != tuple(output.shape[:-2]):
        ctx.error(f"batches {[list(each) for each in batches]} into {list(output.shape[:-2])}")
    bits = 47 if ctx.has_int16 else 32
    if depth > _MOST_DEPTH[bits]:
        ctx.error(f"adds up {depth} products, which may leave {bits} bits")
    return _Product(rows, depth, columns, first_steps, second_steps, batches)


def _matrix(tensor: Tensor, *, is_transposed: bool) -> tuple[Matrix, tuple[int, int]]:
    """Return rows and columns of a tensor's matrices, and the steps from one to the next."""
    rows, columns = tensor.shape[-2:]
    return ((columns, rows), (1, columns)) if is_transposed else ((rows, columns), (columns, 1))


def _batches(
    ctx: LoweringContext, batches: list[tuple[int, ...]]
) -> tuple[list[RowAccess], BufferView, list[list[int]]]:
    """Return how a stage goes over the batches: row by row, or all of them in a run.

    Returns:
        The rows of both operands, those of the output, and for each loop of the kernel its turns
        and the number of matrices from one turn to the next of each operand; 0 repeats.
    """
    output, once = ctx.output, [1, 0, 0]
    accesses = _by_matrix(ctx, batches)
    if accesses:
        return accesses, ctx.view(output), [once] * LOOPS
    batch = tuple(output.shape[:-2])
    loops = merged_loops(batch, batches, range(len(batch)))
    if len(loops) > LOOPS:
        ctx.error(f"broadcasts batches {[list(each) for each in batches]}; reshape an operand")
    operands = ctx.input(0), ctx.input(1)
    views = [ctx.reshaped(ctx.view(each), 1, each.byte_count) for each in operands]
    target = ctx.reshaped_output(ctx.view(output), 1, output.byte_count)
    accesses = [RowAccess(view) for view in views]
    return accesses, target, [once] * (LOOPS - len(loops)) + loops


def _by_matrix(ctx: LoweringContext, batches: list[tuple[int, ...]]) -> list[RowAccess]:
    """Return the operands row by row where each row of the output is a matrix, else nothing."""
    if not is_image(ctx.output):
        return []
    accesses = []
    for tensor, batch in zip((ctx.input(0), ctx.input(1)), batches, strict=True):
        count = math.prod(batch)
        rows = ctx.reshaped(ctx.view(tensor), count, tensor.byte_count // count)
        accesses.append(RowAccess(rows, factor=int(count > 1)))
    return accesses


def _factor(ctx: LoweringContext) -> tuple[int, int]:
    scales = [ctx.quantization(each)[0] for each in (ctx.input(0), ctx.input(1), ctx.output)]
    value, shift = multiplier(scales[0] * scales[1] / scales[2])
    if ctx.has_int16:
        if shift > MOST_WIDE_SHIFT:
            ctx.error("the output's scale is too small for its inputs")
        return wide_multiplier(value, shift)
    if shift > 0:
        most = ctx.input(0).shape[-1] * 255 * 255
        if most << shift > INT32_MAX:
            ctx.error("the output's scale is too small for its inputs")
    return value, shift
