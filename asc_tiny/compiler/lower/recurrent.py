"""What the lowerings of recurrent layers have in common: weights as they are, sums as biases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import INT32_MAX


def plain_weights(ctx: LoweringContext, position: int) -> NDArray[Any]:
    """Return constant weights of two dimensions that have one scale and the zero point 0."""
    tensor, values = ctx.input(position), ctx.constants(position)
    if values.ndim != 2 or values.dtype not in (np.int8, np.int16):
        ctx.error(f"weights in input {position} are {tensor.dtype} {list(tensor.shape)}")
    if len(tensor.scales) != 1 or any(tensor.zero_points):
        ctx.error(f"weights in input {position} must have one scale, and the zero point 0")
    return values


def sums_with_zero_point(
    ctx: LoweringContext,
    weights: NDArray[Any],
    zero_point: int,
    biases: NDArray[Any],
    reach: int = 256,
) -> NDArray[np.int32]:
    """Return biases from which the zero point times the weights of each row are taken.

    Args:
        ctx: the operator.
        weights: the weights of the sums, one row for each.
        zero_point: the code that stands for 0 in what is multiplied.
        biases: the biases that the file states, one for each sum.
        reach: largest magnitude of what is multiplied, 0 where sums may leave 32 bits.
    """
    sums = weights.astype(np.int64)
    found: NDArray[np.int64] = biases - zero_point * sums.sum(axis=1)
    if np.abs(found).max(initial=0) > INT32_MAX - reach * np.abs(sums).sum(axis=1).max(initial=0):
        ctx.error("a sum may exceed 32 bits; use fewer inputs or smaller biases")
    return np.asarray(found, np.int32)
