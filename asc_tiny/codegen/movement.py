"""Lowers operators that only move codes: renaming, slicing, joining, padding, resizing."""

from __future__ import annotations

import math

import numpy as np

from asc_tiny.codegen.layers import Layer, Lowering, braces
from asc_tiny.codegen.quantise import INT8_MAX, INT8_MIN, round_away
from asc_tiny.codegen.slices import Slice, slices


def lower_rename(to: Lowering) -> list[Layer]:
    """RESHAPE and its kin: no code if the plan shares the memory, else one copy."""
    to.same_quantisation(to.input(0), to.output)
    if to.input(0).size != to.output.size:
        to.fail(f"{to.input(0).size} elements into {to.output.size}")
    if to.in_place(to.output, to.input(0), 0):
        return []
    size = to.output.size
    return [to.layer("asc_copy", _copy_fields(1, size, 0, size))]


def lower_slices(to: Lowering) -> list[Layer]:
    """SLICE, STRIDED_SLICE, SPLIT: no code for the views of the plan, else an element-wise copy."""
    layers = []
    for number, part in enumerate(slices(to.graph, to.operator)):
        source, output = to.graph.tensor(part.input), to.graph.tensor(part.output)
        to.same_quantisation(source, output)
        if part.start is None or not to.in_place(output, source, part.start):
            layers.append(_slice(to, part, number))
    return layers


def _slice(to: Lowering, part: Slice, number: int) -> Layer:
    if len(part.shape) > 4:
        to.fail(f"{len(part.shape)} dimensions, at most 4 are supported")
    strides = [math.prod(part.shape[axis + 1 :]) for axis in range(len(part.shape))]
    missing = 4 - len(part.shape)
    steps = [step * stride for step, stride in zip(part.step, strides, strict=True)]
    begin = sum(first * stride for first, stride in zip(part.begin, strides, strict=True))
    fields = {
        "count": braces(*[1] * missing, *part.count),
        "begin": str(begin),
        "step": braces(*[0] * missing, *steps),
    }
    source, output = to.graph.tensor(part.input), to.graph.tensor(part.output)
    return to.layer("asc_slice", fields, inputs=[source], output=output, suffix=f"_{number}")


def lower_concatenation(to: Lowering) -> list[Layer]:
    """CONCATENATION: one copy for every input that the plan has not put into the output."""
    output = to.output
    if to.operator.options["fused_activation_function"] != "NONE":
        to.fail("a fused activation is not supported")
    axis = int(to.operator.options["axis"]) % len(output.shape)
    rows = math.prod(output.shape[:axis])
    row = output.size // rows
    layers, offset = [], 0
    for number in range(len(to.operator.inputs)):
        tensor = to.input(number)
        to.same_quantisation(tensor, output)
        size = tensor.size // rows
        if not to.in_place(tensor, output, offset):
            fields = _copy_fields(rows, size, offset, row)
            layers.append(to.layer("asc_copy", fields, inputs=[tensor], suffix=f"_{number}"))
        offset += size
    if offset != row:
        to.fail(f"inputs of {offset} elements per row into {row}")
    return layers


def lower_pad(to: Lowering) -> list[Layer]:
    """PAD and PADV2 along height, width and channels."""
    source, output = to.input(0), to.output
    to.same_quantisation(source, output)
    height, width, channels = to.image(source)
    amounts = to.constants(1, 8).reshape(4, 2)
    if amounts.min() < 0 or amounts[0].any():
        to.fail("paddings must be at least 0, and 0 for the batch")
    padded = tuple(int(n) + int(sum(a)) for n, a in zip(source.shape, amounts, strict=True))
    if padded != output.shape:
        to.fail(f"pads to {list(padded)}, the output is {list(output.shape)}")
    value = to.quantisation(output)[1]
    if to.optional_input(2) is not None:
        value = int(to.constants(2, 1).ravel()[0])
    if not INT8_MIN <= value <= INT8_MAX:
        to.fail(f"pads with {value}")
    fields = {
        "input": braces(height, width, channels),
        "output": braces(*output.shape[1:]),
        "before": braces(*(int(a) for a in amounts[1:, 0])),
        "value": str(value),
    }
    return [to.layer("asc_pad", fields)]


def lower_resize_nearest_neighbor(to: Lowering) -> list[Layer]:
    """RESIZE_NEAREST_NEIGHBOR to any size."""
    to.same_quantisation(to.input(0), to.output)
    source, target = to.image(to.input(0)), to.image(to.output)
    if source[2] != target[2]:
        to.fail(f"{source[2]} channels into {target[2]}")
    fields = {
        "input": braces(*source),
        "output": braces(*target),
        "rows": _axis(to, source[0], target[0]),
        "columns": _axis(to, source[1], target[1]),
    }
    return [to.layer("asc_resize_nearest", fields, c_type="asc_resize_t")]


def _axis(to: Lowering, size: int, target: int) -> str:
    """Return the integer rule for input indices, checked against the float32 rule of TFLite."""
    corners = bool(to.operator.options["align_corners"])
    centers = bool(to.operator.options["half_pixel_centers"])
    numerator, denominator = (size - 1, target - 1) if corners and target > 1 else (size, target)
    # (i + centre) * numerator / denominator, plus a half where the rule rounds, over 2.
    factor, divisor = 2 * numerator, 2 * denominator
    offset = (numerator if centers else 0) + (denominator if corners else 0)
    scale = np.float32(numerator) / np.float32(denominator)
    for index in range(target):
        position = (np.float32(index) + np.float32(0.5 if centers else 0.0)) * scale
        wanted = round_away(float(position)) if corners else math.floor(position)
        if min(wanted, size - 1) != min((index * factor + offset) // divisor, size - 1):
            to.fail(f"resizing {size} to {target} has no exact integer rule")
    return braces(factor, offset, divisor)


def _copy_fields(rows: int, size: int, output_offset: int, output_stride: int) -> dict[str, str]:
    """Return the fields of a copy of rows that follow each other in the input."""
    values = {
        "rows": rows,
        "size": size,
        "output_offset": output_offset,
        "output_stride": output_stride,
    }
    return {name: str(value) for name, value in values.items()}
