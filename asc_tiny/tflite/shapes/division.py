"""Shapes of operators that divide a tensor or stack some, and that add or leave out axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

from asc_tiny.tflite.graph import ABSENT
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.shapes.rule import Shape, check, check_size, constant, shape_rule


def _axis(op: OperatorView, axis: int, dimensions: int) -> int:
    """Return an axis of so many dimensions, which may count from the last one, from the first."""
    if not -dimensions <= axis < dimensions:
        raise op.error(f"has the axis {axis} of {dimensions} dimensions")
    return axis % dimensions


@shape_rule("SPLIT", "SPLIT_V")
def split(op: OperatorView) -> None:
    """Check the parts, or the number of their elements where the axis is computed."""
    first = op.name == "SPLIT"
    whole, parts = op.input(1 if first else 0), _outputs(op)
    axes = constant(op, 0 if first else 2)
    if axes is None or len(axes) != 1:
        if sum(math.prod(part) for part in parts) != whole.size:
            raise op.error(f"splits {list(whole.shape)} into {[list(part) for part in parts]}")
        return
    axis = _axis(op, axes[0], len(whole.shape))
    sizes = [part[axis] for part in parts if _but(part, axis) == _but(whole.shape, axis)]
    stated = None if first else constant(op, 1, most=len(parts))
    equal = len(set(sizes)) == 1 if first else _fits(sizes, stated)
    if len(sizes) != len(parts) or sum(sizes) != whole.shape[axis] or not equal:
        raise op.error(f"splits {list(whole.shape)} into {[list(part) for part in parts]}")


def _but(shape: Shape, axis: int) -> tuple[Shape, Shape] | None:
    """Return the dimensions before an axis and those behind it; None if there is no such axis."""
    return (shape[:axis], shape[axis + 1 :]) if axis < len(shape) else None


def _fits(sizes: Sequence[int], stated: Sequence[int] | None) -> bool:
    """Whether parts have the stated sizes, of which one may be -1 for what is left."""
    if stated is None:
        return True
    pairs = zip_longest(sizes, stated)
    return stated.count(-1) <= 1 and all(wanted in (-1, size) for size, wanted in pairs)


def _outputs(op: OperatorView) -> list[Shape]:
    return [op.graph.tensor(index).shape for index in op.operator.outputs]


@shape_rule("PACK")
def pack(op: OperatorView) -> None:
    """Check tensors of one shape that become one with an axis more."""
    shapes = {tensor.shape for tensor in op.inputs}
    if len(shapes) != 1:
        raise op.error("packs inputs of different shapes")
    (shape,) = shapes
    axis = _axis(op, int(op.options["axis"]), len(shape) + 1)
    count = sum(index != ABSENT for index in op.operator.inputs)
    check(op, (*shape[:axis], count, *shape[axis:]))


@shape_rule("UNPACK")
def unpack(op: OperatorView) -> None:
    """Check the slices along an axis."""
    shape, parts = op.input(0).shape, _outputs(op)
    axis = _axis(op, int(op.options["axis"]), len(shape))
    part = (*shape[:axis], *shape[axis + 1 :])
    if len(parts) != shape[axis] or any(each != part for each in parts):
        raise op.error(f"unpacks {list(shape)} into {[list(each) for each in parts]}")


@shape_rule("EXPAND_DIMS")
def expand_dims(op: OperatorView) -> None:
    """Check a tensor with an axis of 1 more."""
    check_size(op, op.input(0).size)
    shape, axes = op.input(0).shape, constant(op, 1)
    if axes is not None:
        if len(axes) != 1:
            raise op.error(f"adds the axes {list(axes)}, allowed: one")
        axis = _axis(op, axes[0], len(shape) + 1)
        check(op, (*shape[:axis], 1, *shape[axis:]))


@shape_rule("SQUEEZE")
def squeeze(op: OperatorView) -> None:
    """Check a tensor without axes of 1: those stated, else all."""
    shape, stated = op.input(0).shape, op.options["squeeze_dims"]
    axes = {_axis(op, axis, len(shape)) for axis in stated}
    if any(shape[axis] != 1 for axis in axes):
        raise op.error(f"leaves out the axes {list(stated)} of {list(shape)}")
    # Without axes all of one element go.
    gone = axes or {axis for axis, size in enumerate(shape) if size == 1}
    check(op, [size for axis, size in enumerate(shape) if axis not in gone])
