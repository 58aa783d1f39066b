"""Shapes of operators that put values elsewhere: joining, padding, turning, cutting, repeating."""

from __future__ import annotations

from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.shapes.rule import check, constant, same, same_size, shape_rule

shape_rule("DEPTH_TO_SPACE", "RESHAPE", "SPACE_TO_DEPTH")(same_size)
shape_rule("DYNAMIC_UPDATE_SLICE", "REVERSE_V2")(same)


@shape_rule("CONCATENATION")
def _concatenation(op: OperatorView) -> None:
    shapes = [tensor.shape for tensor in op.inputs]
    axis, dimensions = int(op.options["axis"]), len(op.input(0).shape)
    if not -dimensions <= axis < dimensions or any(len(s) != dimensions for s in shapes):
        raise op.error(f"joins {[list(shape) for shape in shapes]} along axis {axis}")
    columns = list(zip(*shapes, strict=True))
    joined = [column[0] for column in columns]
    joined[axis] = sum(columns[axis])
    if any(len(set(column)) > 1 for i, column in enumerate(columns) if i != axis % dimensions):
        raise op.error(f"joins {[list(shape) for shape in shapes]} along axis {axis}")
    check(op, joined)


@shape_rule("MIRROR_PAD", "PAD", "PADV2")
def _pad(op: OperatorView) -> None:
    shape, amounts = op.input(0).shape, constant(op, 1)
    if amounts is None:
        return
    if len(amounts) != 2 * len(shape) or min(amounts, default=0) < 0:
        raise op.error(f"pads {list(shape)} by {list(amounts)}")
    check(op, [n + amounts[2 * i] + amounts[2 * i + 1] for i, n in enumerate(shape)])


@shape_rule("TRANSPOSE")
def _transpose(op: OperatorView) -> None:
    shape, order = op.input(0).shape, constant(op, 1, dimensions=1)
    if order is None:
        return
    if sorted(order) != list(range(len(shape))):
        raise op.error(f"orders {list(shape)} by {list(order)}")
    check(op, [shape[axis] for axis in order])


@shape_rule("SLICE")
def _slice(op: OperatorView) -> None:
    shape = op.input(0).shape
    begins, sizes = (constant(op, position, dimensions=1) for position in (1, 2))
    if begins is None or sizes is None:
        _not_more(op)
        return
    if not len(begins) == len(sizes) == len(shape):
        raise op.error(f"takes {list(sizes)} at {list(begins)} out of {list(shape)}")
    # A size of -1 is all that is left.
    parts = [n - b if size == -1 else size for n, b, size in zip(shape, begins, sizes, strict=True)]
    if any(not 0 <= b <= b + part <= n for n, b, part in zip(shape, begins, parts, strict=True)):
        raise op.error(f"takes {list(sizes)} at {list(begins)} out of {list(shape)}")
    check(op, parts)


@shape_rule("STRIDED_SLICE")
def _strided_slice(op: OperatorView) -> None:
    shape, options = op.input(0).shape, op.options
    numbers = [constant(op, position, dimensions=1) for position in (1, 2, 3)]
    begins, ends, strides = numbers
    if begins is None or ends is None or strides is None:
        _not_more(op)
        return
    if options["ellipsis_mask"] or options["new_axis_mask"]:
        _not_more(op)
        return
    if not len(begins) == len(ends) == len(strides) <= len(shape) or 0 in strides:
        raise op.error(f"takes {list(begins)} to {list(ends)} out of {list(shape)}")
    parts = []
    for axis, size in enumerate(shape):
        if axis >= len(begins):
            parts.append(size)
        elif not options["shrink_axis_mask"] >> axis & 1:
            end = begins[axis] + ends[axis] if options["offset"] else ends[axis]
            begin = None if options["begin_mask"] >> axis & 1 else begins[axis]
            bounds = slice(
                begin, None if options["end_mask"] >> axis & 1 else end, strides[axis]
            ).indices(size)
            parts.append(len(range(*bounds)))
    check(op, parts)


@shape_rule("BROADCAST_TO")
def _broadcast_to(op: OperatorView) -> None:
    _stated(op, 1)


@shape_rule("TILE")
def _tile(op: OperatorView) -> None:
    shape, multiples = op.input(0).shape, constant(op, 1, dimensions=1)
    if multiples is None:
        return
    if len(multiples) != len(shape) or min(multiples, default=1) < 0:
        raise op.error(f"repeats {list(shape)} {list(multiples)} times")
    check(op, [size * times for size, times in zip(shape, multiples, strict=True)])


@shape_rule("FILL")
def _fill(op: OperatorView) -> None:
    _stated(op, 0)


def _stated(op: OperatorView, position: int) -> None:
    shape = constant(op, position)
    if shape is not None:
        check(op, shape)


def _not_more(op: OperatorView) -> None:
    if op.output.size > op.input(0).size:
        raise op.error(f"takes {list(op.output.shape)} out of {list(op.input(0).shape)}")
