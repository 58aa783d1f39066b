"""What rules about shapes have in common: comparing with what a file states, reading constants."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import zip_longest

from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.ops import Family, OpRules

Shape = tuple[int, ...]


def check(op: OperatorView, expected: Sequence[int]) -> None:
    """Check that the first output has this shape."""
    stated = op.output.shape
    if stated != tuple(expected):
        raise op.error(f"states the output {list(stated)}, its inputs give {list(expected)}")


def check_size(op: OperatorView, expected: int) -> None:
    """Check that the first output has so many elements."""
    if op.output.size != expected:
        raise op.error(
            f"states the output {list(op.output.shape)}, its inputs give {expected} elements"
        )


def operand(op: OperatorView, position: int, expected: Shape) -> None:
    """Check the shape of an input, if it is there."""
    tensor = op.optional_input(position)
    if tensor is not None and tensor.shape != expected:
        raise op.error(f"has input {position} of shape {list(tensor.shape)}, not {list(expected)}")


_INTEGERS = {"INT32": "i", "INT64": "q"}
_MOST_INTEGERS = 16
"""Two for each of eight dimensions."""


def constant(
    op: OperatorView, position: int, *, dimensions: int | None = None, most: int = _MOST_INTEGERS
) -> tuple[int, ...] | None:
    """Return an operand of integers such as axes, None for an activation or another type.

    Args:
        op: the operator.
        position: the position of the operand among the inputs, from 0.
        dimensions: how many dimensions it must have; any number if it is None.
        most: most values that it may have.

    Raises:
        AscError: it has other dimensions, or more values than the operator takes.
    """
    tensor = op.input(position, dimensions=dimensions)
    code = _INTEGERS.get(tensor.dtype)
    if tensor.content is None or code is None:
        return None
    if tensor.size > most:
        raise op.error(f"has {tensor.size} values in input {position}")
    return struct.unpack(f"<{tensor.size}{code}", tensor.content)


def broadcast(op: OperatorView, shapes: Sequence[Shape]) -> Shape:
    """Return the shape that operands of these shapes are broadcast to.

    Raises:
        AscError: they cannot be.
    """
    sizes = []
    for column in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        wide = {size for size in column if size != 1}
        if len(wide) > 1:
            raise op.error(f"has inputs of shapes {[list(shape) for shape in shapes]}")
        sizes.append(wide.pop() if wide else 1)
    return tuple(reversed(sizes))


def window(op: OperatorView, size: int, kernel: int, axis: str) -> int:
    """Return the positions of a window of ``kernel`` elements along the height (h) or width (w).

    Raises:
        AscError: a stride, a dilation or the window is less than 1.
    """
    stride, dilation = op.options[f"stride_{axis}"], op.options.get(f"dilation_{axis}_factor", 1)
    if stride < 1 or dilation < 1 or kernel < 1:
        raise op.error(f"has stride {stride}, dilation {dilation}, kernel {kernel}")
    if op.options["padding"] == "VALID":
        size -= (kernel - 1) * dilation
    places: int = max(0, -(-size // stride))
    return places


def same(op: OperatorView) -> None:
    """Check an output of the shape of the first input."""
    check(op, op.input(0).shape)


def same_size(op: OperatorView) -> None:
    """Check an output of as many elements as the first input has."""
    check_size(op, op.input(0).size)


def elementwise(op: OperatorView) -> None:
    """Check an output of the shape that all inputs are broadcast to."""
    check(op, broadcast(op, [tensor.shape for tensor in op.inputs]))


def pool(op: OperatorView) -> None:
    """Check an output with an element for each place of a window."""
    batch, height, width, channels = op.input(0, dimensions=4).shape
    places = (
        window(op, height, op.options["filter_height"], "h"),
        window(op, width, op.options["filter_width"], "w"),
    )
    check(op, (batch, *places, channels))


def reduction(op: OperatorView) -> None:
    """Check what is left of a shape; whether dimensions of 1 stay is an option."""
    shape, axes = op.input(0).shape, constant(op, 1)
    if axes is None:
        return
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise op.error(f"reduces {list(shape)} along the axes {list(axes)}")
    gone = {axis % len(shape) for axis in axes}
    left = [size for axis, size in enumerate(shape) if axis not in gone]
    if _but_ones(op.output.shape) != _but_ones(left):
        raise op.error(f"states the output {list(op.output.shape)}, its inputs give {left}")


def _but_ones(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


def resized(op: OperatorView) -> None:
    """Check an image of the size that the second input states."""
    batch, _, _, channels = op.input(0, dimensions=4).shape
    size = constant(op, 1)
    if size is not None:
        check(op, (batch, *size, channels))


shape_rule: OpRules[Callable[[OperatorView], None]] = OpRules(
    {
        Family.UNARY: same,
        Family.BINARY: elementwise,
        Family.COMPARISON: elementwise,
        Family.WINDOW: pool,
        Family.REDUCTION: reduction,
        Family.RESIZE: resized,
    }
)
"""What checks the shapes of an operator's tensors against each other, and raises an AscError."""
