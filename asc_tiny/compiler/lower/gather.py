"""Lowers GATHER and GATHER_ND: constant indices are index maps, computed ones need a kernel.

Where a computed index is outside, TensorFlow Lite Micro's GATHER reads elsewhere or stops, and its
GATHER_ND fails: here the nearest place inside counts. Constant ones must be inside.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import GatherNdParams, GatherParams, KernelParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.index_map import Indices, lower_index_map, numbers
from asc_tiny.compiler.lower.rule import ANY, BY_ROW_OR_WHOLE, WHOLE, lowering

_TYPES = tuple(text.split(" -> ")[0] for text in ANY)
_INDEXED = "; a computed index outside counts as the nearest one inside"


@lowering(
    "GATHER",
    conditions=f"any batch_dims{_INDEXED}",
    memory=f"{BY_ROW_OR_WHOLE}; by computed indices the {WHOLE}",
    types="any, with indices of int32 or int64",
    inputs=(2, 2),
    signatures=tuple(f"{t} {index} -> {t}" for t in _TYPES for index in ("INT32", "INT64")),
)
def lower_gather(ctx: LoweringContext) -> list[Stage]:
    """GATHER of slices along an axis."""
    source, stated = ctx.input(0), ctx.input(1)
    rank = len(source.shape)
    axis, batches = int(ctx.options["axis"]), int(ctx.options["batch_dims"])
    axis += rank if axis < 0 else 0
    batches += len(stated.shape) if batches < 0 else 0
    if not stated.is_constant:
        return _computed_gather(ctx, axis, batches)
    places = _places(ctx)
    _check_inside(ctx, places, source.shape[axis])
    return lower_index_map(ctx, _gathered(numbers(source), places, axis, batches))


def _computed_gather(ctx: LoweringContext, axis: int, batches: int) -> list[Stage]:
    source, places, output = ctx.input(0), ctx.input(1), ctx.output
    size = output.element_bytes
    inner = math.prod(source.shape[axis + 1 :])
    params = GatherParams(
        batches=math.prod(source.shape[:batches]),
        outer=math.prod(source.shape[batches:axis]),
        axis=source.shape[axis],
        size=inner * size,
        count=math.prod(places.shape[batches:]),
        place_bytes=places.element_bytes,
    )
    if params.batches * params.outer * params.count * inner != output.size:
        ctx.error(f"{list(source.shape)} by {list(places.shape)} into {list(output.shape)}")
    return [_whole(ctx, "asc_gather", params)]


def _whole(ctx: LoweringContext, kernel: str, params: KernelParams) -> Stage:
    """Return the stage that reads both operands as a whole."""
    operands = (ctx.input(0), ctx.input(1))
    inputs = [RowAccess(ctx.reshaped(ctx.view(each), 1, each.byte_count)) for each in operands]
    target = ctx.reshaped_output(ctx.view(ctx.output), 1, ctx.output.byte_count)
    return ctx.stage(kernel, params, inputs=inputs, output=target)


def _gathered(indices: Indices, places: NDArray[np.int64], axis: int, batches: int) -> Indices:
    """Return what is taken along an axis, by places of its own for each of the first axes."""
    if batches == 0:
        return np.take(indices, places, axis)
    pairs = zip(indices, places, strict=True)
    return np.stack([_gathered(part, own, axis - 1, batches - 1) for part, own in pairs])


@lowering(
    "GATHER_ND",
    conditions=f"up to 5 indices for a value{_INDEXED}",
    memory=WHOLE,
    types="any, with indices of int32",
    inputs=(2, 2),
    signatures=tuple(f"{t} INT32 -> {t}" for t in _TYPES),
)
def lower_gather_nd(ctx: LoweringContext) -> list[Stage]:
    """GATHER_ND of single values or slices."""
    source = ctx.input(0)
    if not ctx.input(1).is_constant:
        return _computed_gather_nd(ctx)
    places = _places(ctx)
    for axis in range(places.shape[-1]):
        _check_inside(ctx, places[..., axis], source.shape[axis])
    taken = numbers(source)[tuple(np.moveaxis(places, -1, 0))]
    return lower_index_map(ctx, taken)


def _computed_gather_nd(ctx: LoweringContext) -> list[Stage]:
    source, places, output = ctx.input(0), ctx.input(1), ctx.output
    size, depth = output.element_bytes, places.shape[-1]
    run = math.prod(source.shape[depth:])
    steps = [math.prod(source.shape[axis + 1 :]) * size for axis in range(depth)]
    count = math.prod(places.shape[:-1])
    if count * run != output.size:
        ctx.error(f"{list(source.shape)} by {list(places.shape)} into {list(output.shape)}")
    params = GatherNdParams(
        count=count,
        depth=depth,
        size=run * size,
        total=source.byte_count,
        place_bytes=places.element_bytes,
        steps=ctx.array("steps", np.array(steps, np.int32)),
    )
    return [_whole(ctx, "asc_gather_nd", params)]


def _places(ctx: LoweringContext) -> NDArray[np.int64]:
    shape = ctx.input(1).shape
    return np.array(ctx.integers(1, types=("INT32", "INT64")), np.int64).reshape(shape)


def _check_inside(ctx: LoweringContext, places: NDArray[np.int64], size: int) -> None:
    """Check that indices are those of an axis: what lies beside it nobody may read."""
    outside = places[(places < 0) | (places >= size)]
    if outside.size:
        ctx.error(f"index {int(outside[0])} of an axis of {size}, must be 0 to {size - 1}")
