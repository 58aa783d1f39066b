"""What rules about shapes have in common: comparing with what a file states, reading constants."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from asc_tiny.tflite.operands import Call

Shape = tuple[int, ...]


def check(call: Call, expected: Sequence[int]) -> None:
    """Check that the first output has this shape."""
    stated = call.output.shape
    if stated != tuple(expected):
        raise call.fail(f"states the output {list(stated)}, its inputs give {list(expected)}")


def check_size(call: Call, expected: int) -> None:
    """Check that the first output has so many elements."""
    if call.output.size != expected:
        raise call.fail(
            f"states the output {list(call.output.shape)}, its inputs give {expected} elements"
        )


def operand(call: Call, position: int, expected: Shape) -> None:
    """Check the shape of an input, if it is there."""
    tensor = call.optional(position)
    if tensor is not None and tensor.shape != expected:
        raise call.fail(f"has input {position} of shape {list(tensor.shape)}, not {list(expected)}")


_INTEGERS = {"INT32": "i", "INT64": "q"}
_MOST_INTEGERS = 16
"""Two for each of eight dimensions."""


def constant(call: Call, position: int, *, dimensions: int | None = None) -> tuple[int, ...] | None:
    """Return an operand of integers such as axes, None for an activation or another type.

    Args:
        call: the operator.
        position: the position of the operand among the inputs, from 0.
        dimensions: how many dimensions it must have; any number if it is None.

    Raises:
        AscError: it has other dimensions, or more values than any operator takes.
    """
    tensor = call.input(position, dimensions=dimensions)
    code = _INTEGERS.get(tensor.dtype)
    if tensor.content is None or code is None:
        return None
    if tensor.size > _MOST_INTEGERS:
        raise call.fail(f"has {tensor.size} values in input {position}")
    return struct.unpack(f"<{tensor.size}{code}", tensor.content)
