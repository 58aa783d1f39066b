"""Shapes of operators that choose elements, tell a shape, or put elements in order by blocks."""

from __future__ import annotations

import math

from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.shapes.rule import check, check_size, constant, elementwise, same, shape_rule

shape_rule("SELECT_V2")(elementwise)
shape_rule("ZEROS_LIKE")(same)


@shape_rule("SELECT")
def select(op: OperatorView) -> None:
    """Check two operands of the output's shape."""
    for position in (1, 2):
        check(op, op.input(position).shape)


@shape_rule("SHAPE")
def shape_of(op: OperatorView) -> None:
    """Check a list of dimensions."""
    check(op, (len(op.input(0).shape),))


@shape_rule("GATHER")
def gather(op: OperatorView) -> None:
    """Check slices that indices choose along an axis."""
    shape, places, options = op.input(0).shape, op.input(1).shape, op.options
    axis, batches = options["axis"], options["batch_dims"]
    axis += len(shape) if axis < 0 else 0
    batches += len(places) if batches < 0 else 0
    if not 0 <= batches <= min(axis, len(places)) or not axis < len(shape):
        raise op.error(f"takes {list(places)} along axis {axis} out of {list(shape)}")
    check(op, (*shape[:axis], *places[batches:], *shape[axis + 1 :]))


@shape_rule("GATHER_ND")
def gather_nd(op: OperatorView) -> None:
    """Check slices that places choose."""
    shape, places = op.input(0).shape, op.input(1).shape
    if not places or places[-1] > len(shape):
        raise op.error(f"takes places {list(places)} out of {list(shape)}")
    check(op, (*places[:-1], *shape[places[-1] :]))


@shape_rule("ARG_MAX", "ARG_MIN")
def arg_extreme(op: OperatorView) -> None:
    """Check the number of elements: one for each row along the axis."""
    shape, axes = op.input(0).shape, constant(op, 1)
    if axes is None:
        return
    if len(axes) != 1 or not -len(shape) <= axes[0] < len(shape):
        raise op.error(f"looks along {list(axes)} in {list(shape)}")
    axis = axes[0] % len(shape)
    check_size(op, math.prod(size for other, size in enumerate(shape) if other != axis))


@shape_rule("EMBEDDING_LOOKUP")
def embedding(op: OperatorView) -> None:
    """Check rows of a table: one for each index."""
    rows = op.input(1).shape
    if not rows:
        raise op.error("looks up rows of a scalar")
    check_size(op, op.input(0).size * math.prod(rows[1:]))


@shape_rule("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND")
def space_and_batch(op: OperatorView) -> None:
    """Check the number of elements, with what is padded or cropped of each axis."""
    shape, blocks, amounts = op.input(0).shape, constant(op, 1), constant(op, 2)
    if blocks is None or amounts is None:
        return
    axes = shape[1 : 1 + len(blocks)]
    if len(amounts) != 2 * len(blocks) or len(axes) != len(blocks) or min(blocks, default=1) < 1:
        raise op.error(f"takes {list(shape)} in blocks {list(blocks)}, {list(amounts)}")
    sums = [amounts[2 * i] + amounts[2 * i + 1] for i in range(len(blocks))]
    if op.name == "SPACE_TO_BATCH_ND":
        spatial = [size + more for size, more in zip(axes, sums, strict=True)]
        outer = shape[:1]
    else:
        spatial = [n * b - less for n, b, less in zip(axes, blocks, sums, strict=True)]
        outer = (shape[0] // math.prod(blocks),)
    check_size(op, math.prod((*outer, *spatial, *shape[1 + len(blocks) :])))
