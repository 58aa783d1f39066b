"""Lowers SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND.

Source: TFLite Micro, kernels/internal/reference/space_to_batch_nd.h and batch_to_space_nd.h. What
its SPACE_TO_BATCH_ND pads with is never set there; as TensorFlow Lite's it is the zero point here.
"""

from __future__ import annotations

import math

import numpy as np

from asc_tiny.compiler.ir import Buffer, BufferView, Stage
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.index_map import NOWHERE, Indices, lower_index_map, moved, numbers
from asc_tiny.compiler.lower.rule import WHOLE, lowering


@lowering(
    "SPACE_TO_BATCH_ND",
    conditions="3 or 4 dimensions; constant blocks and paddings",
    memory=WHOLE,
    inputs=(3, 3),
)
def lower_space_to_batch(ctx: LoweringContext) -> list[Stage]:
    """SPACE_TO_BATCH_ND: blocks of the image, padded before, become images of a batch."""
    blocks, paddings = _settings(ctx)
    source, output = ctx.input(0), ctx.output
    amounts = [(0, 0), *paddings, *[(0, 0)] * (len(source.shape) - 1 - len(blocks))]
    shape = [n + sum(pair) for n, pair in zip(source.shape, amounts, strict=True)]
    if any(n % b for n, b in zip(shape[1:], blocks, strict=False)):
        ctx.error(f"{shape[1 : 1 + len(blocks)]} pixels in blocks of {blocks}")
    if not any(map(any, paddings)):
        return lower_index_map(ctx, _to_batch(numbers(source), blocks))
    padded = np.pad(numbers(source), amounts, constant_values=NOWHERE)
    whole = ctx.reshaped(ctx.view(source), 1, source.byte_count)
    buffer = Buffer(f"padded{ctx.operator.index}", 1, padded.size, dtype=whole.buffer.dtype)
    zero_point = ctx.quantization(output)[1]
    between = BufferView.of(buffer)
    pad = moved(ctx, whole, between, padded, value=zero_point, suffix="_pad")
    indices = _to_batch(np.arange(padded.size, dtype=np.int64).reshape(shape), blocks)
    if indices.shape != output.shape:
        ctx.error(f"makes {list(indices.shape)}, the output is {list(output.shape)}")
    target = ctx.reshaped_output(ctx.view(output), 1, output.byte_count)
    return [pad, moved(ctx, between, target, indices)]


def _to_batch(indices: Indices, blocks: list[int]) -> Indices:
    """Return an index map with the pixels of each block in different images of the batch."""
    count = len(blocks)
    outer, rest = indices.shape[0], indices.shape[1 + count :]
    sizes = [n // b for n, b in zip(indices.shape[1:], blocks, strict=False)]
    pairs = [n for pair in zip(sizes, blocks, strict=True) for n in pair]
    split = indices.reshape(outer, *pairs, *rest)
    within = [2 + 2 * axis for axis in range(count)]
    between = [1 + 2 * axis for axis in range(count)]
    order = [*within, 0, *between, *range(1 + 2 * count, split.ndim)]
    return split.transpose(order).reshape(outer * math.prod(blocks), *sizes, *rest)


@lowering(
    "BATCH_TO_SPACE_ND",
    conditions="3 or 4 dimensions; constant blocks and crops",
    memory=WHOLE,
    inputs=(3, 3),
)
def lower_batch_to_space(ctx: LoweringContext) -> list[Stage]:
    """BATCH_TO_SPACE_ND: images of a batch become blocks of one, which is cropped."""
    blocks, crops = _settings(ctx)
    source = ctx.input(0)
    count = len(blocks)
    if source.shape[0] % math.prod(blocks):
        ctx.error(f"a batch of {source.shape[0]} in blocks of {blocks}")
    outer = source.shape[0] // math.prod(blocks)
    sizes, rest = source.shape[1 : 1 + count], source.shape[1 + count :]
    split = numbers(source).reshape(*blocks, outer, *sizes, *rest)
    pairs = [axis for a in range(count) for axis in (1 + count + a, a)]
    order = [count, *pairs, *range(1 + 2 * count, split.ndim)]
    whole = [n * b for n, b in zip(sizes, blocks, strict=True)]
    joined = split.transpose(order).reshape(outer, *whole, *rest)
    kept = tuple(slice(c[0], n - c[1]) for n, c in zip(whole, crops, strict=True))
    return lower_index_map(ctx, joined[(slice(None), *kept)])


def _settings(ctx: LoweringContext) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the size of a block along each axis, and what is padded or cropped of it."""
    rank = len(ctx.input(0).shape)
    if rank not in (3, 4) or len(ctx.output.shape) != rank:
        ctx.error(f"{rank} dimensions, must be 3 or 4")
    blocks = ctx.integers(1, rank - 2)
    values = ctx.integers(2, 2 * len(blocks))
    if min(blocks) < 1 or min(values) < 0:
        ctx.error(f"blocks {blocks}, paddings or crops {values}")
    return blocks, list(zip(values[::2], values[1::2], strict=True))
