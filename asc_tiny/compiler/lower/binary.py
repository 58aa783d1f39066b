"""Lowers operators of two tensors element by element, of which either may be broadcast.

An operand whose shape has a 1, or no dimension, where the output has more is repeated there: one
row for all, one pixel for a row, one channel for a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from asc_tiny.compiler.ir import Rows, Stage
from asc_tiny.compiler.lower.context import Lowering, braces, geometry
from asc_tiny.compiler.lower.requantization import multiplier
from asc_tiny.tflite.graph import Tensor

# 255 times 255 shifted further left would leave 32 bits.
_MOST_PRODUCT_SHIFT = 14
_MOST_SHIFT = 22


def lower_add(to: Lowering) -> list[Stage]:
    """ADD, with or without broadcast, of which one tensor may be constant."""
    if to.input(0).size == to.input(1).size == to.output.size:
        # Sizes that are all equal leave only dimensions of 1 to broadcast.
        inputs = [to.like_output(to.input(0)), to.like_output(to.input(1))]
        size = {"size": str(to.view(to.output).row_size)}
        return [to.stage("asc_add", {**size, **_sum_fields(to)}, inputs=inputs)]
    return _binary(to, "asc_add_broadcast", _sum_fields(to))


def lower_sub(to: Lowering) -> list[Stage]:
    """SUB, with or without broadcast."""
    return _binary(to, "asc_sub", _sum_fields(to))


def _sum_fields(to: Lowering) -> dict[str, str]:
    (scale1, zero1), (scale2, zero2) = _quantizations(to)
    # Both operands are brought to twice the larger scale, with 20 more bits.
    common = 2.0 * max(scale1, scale2)
    value, shift = multiplier(common / (2**20 * to.quantization(to.output)[0]))
    if shift > 0:
        to.fail("the output's scale is too small for its inputs")
    return {
        "first": braces(zero1, *multiplier(scale1 / common)),
        "second": braces(zero2, *multiplier(scale2 / common)),
        "multiplier": str(value),
        "shift": str(shift),
        "range": to.range(),
    }


def lower_mul(to: Lowering) -> list[Stage]:
    """MUL, with or without broadcast."""
    (scale1, _), (scale2, _) = _quantizations(to)
    product = multiplier(scale1 * scale2 / to.quantization(to.output)[0])
    return _binary(to, "asc_mul", _product_fields(to, (0, 0), product))


def lower_prelu(to: Lowering) -> list[Stage]:
    """PRELU with any slopes that can be broadcast."""
    (scale, _), (slope, _) = _quantizations(to)
    target = to.quantization(to.output)[0]
    identity = multiplier(scale / target)
    if identity[1] > _MOST_SHIFT:
        to.fail("the output's scale is too small for its input")
    fields = _product_fields(to, identity, multiplier(scale * slope / target))
    return _binary(to, "asc_prelu", fields)


def _product_fields(
    to: Lowering, identity: tuple[int, int], product: tuple[int, int]
) -> dict[str, str]:
    """Return the members for operators that multiply; ``identity`` scales the first operand."""
    if product[1] > _MOST_PRODUCT_SHIFT:
        to.fail("the output's scale is too small for its inputs")
    (_, zero1), (_, zero2) = _quantizations(to)
    return {
        "first": braces(zero1, *identity),
        "second": braces(zero2, 0, 0),
        "multiplier": str(product[0]),
        "shift": str(product[1]),
        "range": to.range(),
    }


def lower_maximum(to: Lowering) -> list[Stage]:
    """MAXIMUM of tensors with the same quantisation."""
    return _choice(to, "asc_maximum")


def lower_minimum(to: Lowering) -> list[Stage]:
    """MINIMUM of tensors with the same quantisation."""
    return _choice(to, "asc_minimum")


def _choice(to: Lowering, kernel: str) -> list[Stage]:
    to.same_quantization(to.input(0), to.input(1), to.output)
    return _binary(to, kernel, {})


def _quantizations(to: Lowering) -> tuple[tuple[float, int], tuple[float, int]]:
    return to.quantization(to.input(0)), to.quantization(to.input(1))


def _binary(to: Lowering, kernel: str, fields: Mapping[str, str]) -> list[Stage]:
    operands, output = (to.input(0), to.input(1)), to.output
    shape = _extended(to, output.shape)
    shapes = [_extended(to, operand.shape) for operand in operands]
    if np.broadcast_shapes(*shapes) != shape:
        to.fail(
            f"shapes {list(operands[0].shape)} and {list(operands[1].shape)} do not make "
            f"{list(output.shape)}"
        )
    is_image = geometry(output)[0] == shape[1] and shape[0] == 1
    # The axes within a row
    axes = (2, 3) if is_image else (0, 1, 2, 3)
    counts, *steps = _merged(to, shape, shapes, axes)
    members = {
        "count": braces(*counts),
        "first_step": braces(*steps[0]),
        "second_step": braces(*steps[1]),
        **fields,
    }
    inputs = [
        _operand(to, operand, each, is_image=is_image)
        for operand, each in zip(operands, shapes, strict=True)
    ]
    return [to.stage(kernel, members, inputs=inputs, c_type="asc_binary_t")]


def _extended(to: Lowering, shape: Sequence[int]) -> tuple[int, int, int, int]:
    if len(shape) > 4:
        to.fail(f"{len(shape)} dimensions, at most 4 are supported")
    one, two, three, four = (*(1,) * (4 - len(shape)), *shape)
    return one, two, three, four


def _operand(
    to: Lowering, operand: Tensor, shape: tuple[int, int, int, int], *, is_image: bool
) -> Rows:
    view = to.view(operand)
    if not is_image:
        return Rows(to.reshaped(view, 1, operand.size))
    rows = to.reshaped(view, shape[1], shape[2] * shape[3])
    return Rows(rows, factor=0 if shape[1] == 1 else 1)


def _merged(
    to: Lowering, shape: Sequence[int], shapes: Sequence[Sequence[int]], axes: Sequence[int]
) -> list[list[int]]:
    """Return counts and each operand's steps for two loops over the axes of a row.

    Axes that both operands step through alike are one; a step of 0 repeats a value.
    """
    loops: list[list[int]] = []
    for axis in axes:
        if shape[axis] == 1:
            continue
        steps = [math.prod(each[axis + 1 :]) if each[axis] == shape[axis] else 0 for each in shapes]
        if loops and all(
            outer == inner * shape[axis] for outer, inner in zip(loops[-1][1:], steps, strict=True)
        ):
            loops[-1] = [loops[-1][0] * shape[axis], *steps]
        else:
            loops.append([shape[axis], *steps])
    if len(loops) > 2:
        to.fail(
            f"broadcasts {[list(each) for each in shapes]} along axes that are not neighbours; "
            f"reshape an operand first"
        )
    loops = [[1, 0, 0]] * (2 - len(loops)) + loops
    return [list(values) for values in zip(*loops, strict=True)]
