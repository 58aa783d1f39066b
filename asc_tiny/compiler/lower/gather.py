"""Lowers GATHER and GATHER_ND by constant indices, which are index maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.index_map import Indices, lower_index_map, numbers
from asc_tiny.compiler.lower.rule import BY_ROW_OR_WHOLE, WHOLE, lowering


@lowering(
    "GATHER", conditions="constant indices; any batch_dims", memory=BY_ROW_OR_WHOLE, inputs=(2, 2)
)
def lower_gather(ctx: LoweringContext) -> list[Stage]:
    """GATHER of slices along an axis."""
    source, places = ctx.input(0), _places(ctx)
    rank = len(source.shape)
    axis, batches = int(ctx.options["axis"]), int(ctx.options["batch_dims"])
    axis += rank if axis < 0 else 0
    batches += places.ndim if batches < 0 else 0
    _check_inside(ctx, places, source.shape[axis])
    return lower_index_map(ctx, _gathered(numbers(source), places, axis, batches))


def _gathered(indices: Indices, places: NDArray[np.int64], axis: int, batches: int) -> Indices:
    """Return what is taken along an axis, by places of its own for each of the first axes."""
    if batches == 0:
        return np.take(indices, places, axis)
    pairs = zip(indices, places, strict=True)
    return np.stack([_gathered(part, own, axis - 1, batches - 1) for part, own in pairs])


@lowering("GATHER_ND", conditions="constant indices", memory=WHOLE, inputs=(2, 2))
def lower_gather_nd(ctx: LoweringContext) -> list[Stage]:
    """GATHER_ND of single values or slices."""
    source, places = ctx.input(0), _places(ctx)
    for axis in range(places.shape[-1]):
        _check_inside(ctx, places[..., axis], source.shape[axis])
    taken = numbers(source)[tuple(np.moveaxis(places, -1, 0))]
    return lower_index_map(ctx, taken)


def _places(ctx: LoweringContext) -> NDArray[np.int64]:
    shape = ctx.input(1).shape
    return np.array(ctx.integers(1, types=("INT32", "INT64")), np.int64).reshape(shape)


def _check_inside(ctx: LoweringContext, places: NDArray[np.int64], size: int) -> None:
    """Check that indices are those of an axis: what lies beside it nobody may read."""
    outside = places[(places < 0) | (places >= size)]
    if outside.size:
        ctx.error(f"index {int(outside[0])} of an axis of {size}, must be 0 to {size - 1}")
