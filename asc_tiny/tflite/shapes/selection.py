"""Shapes of operators that choose elements, or put them in another order by blocks."""

from __future__ import annotations

import math

from asc_tiny.tflite.operands import Call
from asc_tiny.tflite.shapes.rule import check, check_size, constant


def gather(call: Call) -> None:
    """Check slices that indices choose along an axis."""
    shape, places, options = call.input(0).shape, call.input(1).shape, call.operator.options
    axis, batches = options["axis"], options["batch_dims"]
    axis += len(shape) if axis < 0 else 0
    batches += len(places) if batches < 0 else 0
    if not 0 <= batches <= min(axis, len(places)) or not axis < len(shape):
        raise call.fail(f"takes {list(places)} along axis {axis} out of {list(shape)}")
    check(call, (*shape[:axis], *places[batches:], *shape[axis + 1 :]))


def gather_nd(call: Call) -> None:
    """Check slices that places choose."""
    shape, places = call.input(0).shape, call.input(1).shape
    if not places or places[-1] > len(shape):
        raise call.fail(f"takes places {list(places)} out of {list(shape)}")
    check(call, (*places[:-1], *shape[places[-1] :]))


def arg_extreme(call: Call) -> None:
    """Check the number of elements: one for each row along the axis."""
    shape, axes = call.input(0).shape, constant(call, 1)
    if axes is None:
        return
    if len(axes) != 1 or not -len(shape) <= axes[0] < len(shape):
        raise call.fail(f"looks along {list(axes)} in {list(shape)}")
    axis = axes[0] % len(shape)
    check_size(call, math.prod(size for other, size in enumerate(shape) if other != axis))


def embedding(call: Call) -> None:
    """Check rows of a table: one for each index."""
    rows = call.input(1).shape
    if not rows:
        raise call.fail("looks up rows of a scalar")
    check_size(call, call.input(0).size * math.prod(rows[1:]))


def space_and_batch(call: Call) -> None:
    """Check the number of elements, with what is padded or cropped of each axis."""
    shape, blocks, amounts = call.input(0).shape, constant(call, 1), constant(call, 2)
    if blocks is None or amounts is None:
        return
    axes = shape[1 : 1 + len(blocks)]
    if len(amounts) != 2 * len(blocks) or len(axes) != len(blocks) or min(blocks, default=1) < 1:
        raise call.fail(f"takes {list(shape)} in blocks {list(blocks)}, {list(amounts)}")
    sums = [amounts[2 * i] + amounts[2 * i + 1] for i in range(len(blocks))]
    if call.operator.name == "SPACE_TO_BATCH_ND":
        spatial = [size + more for size, more in zip(axes, sums, strict=True)]
        outer = shape[:1]
    else:
        spatial = [n * b - less for n, b, less in zip(axes, blocks, sums, strict=True)]
        outer = (shape[0] // math.prod(blocks),)
    check_size(call, math.prod((*outer, *spatial, *shape[1 + len(blocks) :])))
