"""Shapes of operators that divide a tensor or stack some, and that add or leave out axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

from asc_tiny.tflite.graph import ABSENT
from asc_tiny.tflite.operands import Call
from asc_tiny.tflite.shapes.rule import Shape, check, check_size, constant


def _axis(call: Call, axis: int, dimensions: int) -> int:
    """Return an axis of so many dimensions, which may count from the last one, from the first."""
    if not -dimensions <= axis < dimensions:
        raise call.fail(f"has the axis {axis} of {dimensions} dimensions")
    return axis % dimensions


def split(call: Call) -> None:
    """Check the parts, or the number of their elements where the axis is computed."""
    first = call.operator.name == "SPLIT"
    whole, parts = call.input(1 if first else 0), _outputs(call)
    axes = constant(call, 0 if first else 2)
    if axes is None or len(axes) != 1:
        if sum(math.prod(part) for part in parts) != whole.size:
            raise call.fail(f"splits {list(whole.shape)} into {[list(part) for part in parts]}")
        return
    axis = _axis(call, axes[0], len(whole.shape))
    sizes = [part[axis] for part in parts if _but(part, axis) == _but(whole.shape, axis)]
    stated = None if first else constant(call, 1)
    equal = len(set(sizes)) == 1 if first else _fits(sizes, stated)
    if len(sizes) != len(parts) or sum(sizes) != whole.shape[axis] or not equal:
        raise call.fail(f"splits {list(whole.shape)} into {[list(part) for part in parts]}")


def _but(shape: Shape, axis: int) -> tuple[Shape, Shape] | None:
    """Return the dimensions before an axis and those behind it; None if there is no such axis."""
    return (shape[:axis], shape[axis + 1 :]) if axis < len(shape) else None


def _fits(sizes: Sequence[int], stated: Sequence[int] | None) -> bool:
    """Whether parts have the stated sizes, of which one may be -1 for what is left."""
    if stated is None:
        return True
    pairs = zip_longest(sizes, stated)
    return stated.count(-1) <= 1 and all(wanted in (-1, size) for size, wanted in pairs)


def _outputs(call: Call) -> list[Shape]:
    return [call.graph.tensor(index).shape for index in call.operator.outputs]


def pack(call: Call) -> None:
    """Check tensors of one shape that become one with an axis more."""
    shapes = {tensor.shape for tensor in call.graph.input_tensors(call.operator)}
    if len(shapes) != 1:
        raise call.fail("packs inputs of different shapes")
    (shape,) = shapes
    axis = _axis(call, int(call.operator.options["axis"]), len(shape) + 1)
    count = sum(index != ABSENT for index in call.operator.inputs)
    check(call, (*shape[:axis], count, *shape[axis:]))


def unpack(call: Call) -> None:
    """Check the slices along an axis."""
    shape, parts = call.input(0).shape, _outputs(call)
    axis = _axis(call, int(call.operator.options["axis"]), len(shape))
    part = (*shape[:axis], *shape[axis + 1 :])
    if len(parts) != shape[axis] or any(each != part for each in parts):
        raise call.fail(f"unpacks {list(shape)} into {[list(each) for each in parts]}")


def expand_dims(call: Call) -> None:
    """Check a tensor with an axis of 1 more."""
    check_size(call, call.input(0).size)
    shape, axes = call.input(0).shape, constant(call, 1)
    if axes is not None:
        if len(axes) != 1:
            raise call.fail(f"adds the axes {list(axes)}, allowed: one")
        axis = _axis(call, axes[0], len(shape) + 1)
        check(call, (*shape[:axis], 1, *shape[axis:]))


def squeeze(call: Call) -> None:
    """Check a tensor without axes of 1: those stated, else all."""
    shape, stated = call.input(0).shape, call.operator.options["squeeze_dims"]
    axes = {_axis(call, axis, len(shape)) for axis in stated}
    if any(shape[axis] != 1 for axis in axes):
        raise call.fail(f"leaves out the axes {list(stated)} of {list(shape)}")
    # Without axes all of one element go.
    gone = axes or {axis for axis, size in enumerate(shape) if size == 1}
    check(call, [size for axis, size in enumerate(shape) if axis not in gone])
