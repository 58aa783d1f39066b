"""Lowers operators that repeat, reverse or mirror values: index maps, made by NumPy itself.

Reference: TFLite Micro's kernels broadcast_to, reverse and mirror_pad, and for TILE, which it has
no kernel for, TensorFlow Lite's.
"""

from __future__ import annotations

import numpy as np

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.index_map import NOWHERE, lower_index_map, numbers
from asc_tiny.compiler.lower.rule import ANY, BY_ROW_OR_WHOLE, INTEGERS, WHOLE, lowering

_REFLECT = 0
"""The mode of MIRROR_PAD that does not repeat the border."""


@lowering(
    "TILE", conditions="constant multiples", memory=BY_ROW_OR_WHOLE, inputs=(2, 2), signatures=ANY
)
def lower_tile(ctx: LoweringContext) -> list[Stage]:
    """TILE by constant multiples."""
    multiples = ctx.integers(1, len(ctx.input(0).shape), types=("INT32", "INT64"))
    if any(count < 1 for count in multiples):
        ctx.error(f"multiples {multiples}, must be at least 1")
    return lower_index_map(ctx, np.tile(numbers(ctx.input(0)), multiples))


@lowering(
    "BROADCAST_TO",
    conditions="constant shape",
    memory=BY_ROW_OR_WHOLE,
    inputs=(2, 2),
    signatures=ANY,
)
def lower_broadcast_to(ctx: LoweringContext) -> list[Stage]:
    """BROADCAST_TO a constant shape."""
    shape = ctx.integers(1, types=("INT32", "INT64"))
    return lower_index_map(ctx, np.broadcast_to(numbers(ctx.input(0)), shape))


@lowering(
    "REVERSE_V2",
    conditions="constant axes that are next to each other",
    memory=BY_ROW_OR_WHOLE,
    inputs=(2, 2),
    signatures=ANY,
)
def lower_reverse(ctx: LoweringContext) -> list[Stage]:
    """REVERSE_V2 along constant axes."""
    rank = len(ctx.input(0).shape)
    axes = ctx.integers(1)
    if any(not -rank <= axis < rank for axis in axes):
        ctx.error(f"axes {axes} of {rank} dimensions")
    own = sorted(axis % rank for axis in axes)
    if not own or own != list(range(own[0], own[0] + len(own))):
        ctx.error(f"axes {axes} are not next to each other, which TensorFlow Lite Micro wants")
    if len(ctx.input(1).shape) != 1:
        ctx.error(f"the axes have the shape {list(ctx.input(1).shape)}, must be a list")
    return lower_index_map(ctx, np.flip(numbers(ctx.input(0)), tuple(own)))


@lowering(
    "MIRROR_PAD",
    conditions="constant paddings, none wider than what it mirrors",
    memory=BY_ROW_OR_WHOLE,
    inputs=(2, 2),
    signatures=ANY,
)
def lower_mirror_pad(ctx: LoweringContext) -> list[Stage]:
    """MIRROR_PAD in both modes."""
    shape = ctx.input(0).shape
    values = ctx.integers(1, 2 * len(shape), types=("INT32", "INT64"))
    amounts = list(zip(values[::2], values[1::2], strict=True))
    reflects = ctx.options["mode"] == _REFLECT
    for size, pair in zip(shape, amounts, strict=True):
        if min(pair) < 0 or max(pair) > size - reflects:
            ctx.error(f"paddings {[list(each) for each in amounts]} of {list(shape)}")
    indices = numbers(ctx.input(0))
    if reflects:
        return lower_index_map(ctx, np.pad(indices, amounts, mode="reflect"))
    return lower_index_map(ctx, np.pad(indices, amounts, mode="symmetric"))


@lowering("FILL", conditions="constant shape", memory=WHOLE, inputs=(2, 2), signatures=ANY)
def lower_fill(ctx: LoweringContext) -> list[Stage]:
    """FILL of a constant shape with one value."""
    shape = ctx.integers(0, types=("INT32", "INT64"))
    if ctx.input(1).shape:
        ctx.error(f"value of shape {list(ctx.input(1).shape)}, must be a number without dimensions")
    return lower_index_map(ctx, np.zeros(shape, np.int64), source=ctx.input(1))


@lowering(
    "ZEROS_LIKE",
    conditions="code 0, as TensorFlow Lite Micro has it",
    memory=WHOLE,
    signatures=("INT8 -> INT8", *INTEGERS, "FLOAT32 -> FLOAT32"),
)
def lower_zeros_like(ctx: LoweringContext) -> list[Stage]:
    """ZEROS_LIKE: zeros, whatever the zero point."""
    return lower_index_map(ctx, np.full(ctx.input(0).shape, NOWHERE, np.int64))
