"""Resizing that repeats pixels, which the convolution behind it can do by itself.

A convolution of stride 1 over pixels that are each there ``factor`` times along a row multiplies
each of them with the same weights as often. It is enough to multiply every pixel once with all
columns of the window, and to add up what meets in an output pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from asc_tiny.compiler.ir import RowAccess
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import round_away
from asc_tiny.tflite.graph import Operator, Tensor

MOST_PIXELS = 2**15 - 1
"""Along an axis: every one is looked at."""


@dataclass(frozen=True)
class Upsampling:
    """What a convolution reads instead of its input.

    Attributes:
        source: the tensor before it was resized.
        factor: number of times that each pixel of a row is repeated, at least 2.
        rows: factor, offset and divisor of the rule for rows.
    """

    source: Tensor
    factor: int
    rows: tuple[int, int, int]

    def row(self, ctx: LoweringContext, position: int, stride: int) -> RowAccess:
        """Return the source's row under row ``y * stride + position`` of the resized tensor."""
        factor, offset, divisor = self.rows
        first = offset + position * factor
        return RowAccess(
            ctx.view(self.source), factor=stride * factor, offset=first, divisor=divisor
        )


def is_fused(resize: LoweringContext) -> bool:
    """Whether the convolution behind a RESIZE_NEAREST_NEIGHBOR does what it should."""
    conv = _only_reader(resize)
    return conv is not None and upsampling(LoweringContext(resize.tensors, conv)) is not None


def upsampling(conv: LoweringContext) -> Upsampling | None:
    """Return what a CONV_2D can read instead of its resized input, None if it cannot."""
    operator = conv.graph.producers.get(conv.operator.inputs[0])
    if operator is None or operator.name != "RESIZE_NEAREST_NEIGHBOR" or conv.has_int16:
        return None
    resize = LoweringContext(conv.tensors, operator)
    if _only_reader(resize) is not conv.operator:
        return None
    source, target = resize.image(resize.input(0)), resize.image(resize.output)
    filters, height, width, _ = conv.input(1).shape
    options = conv.operator.options
    is_dense = options["stride_w"] == 1 and options.get("dilation_w_factor", 1) == 1
    reach = height * int(options.get("dilation_h_factor", 1))
    factor = target[1] // source[1]
    if (
        reach > MOST_PIXELS
        or not is_dense
        or factor < 2
        or 4 * source[1] * width * filters > conv.tensors.most_sums
    ):
        return None
    columns = axis_rule(resize, source[1], target[1])
    rows = axis_rule(resize, source[0], target[0])
    if target[1] != factor * source[1] or not _repeats(columns, factor, target[1]):
        return None
    if not _is_padded(rows, reach, source[0], target[0]):
        return None
    return Upsampling(resize.input(0), factor, rows)


def _only_reader(resize: LoweringContext) -> Operator | None:
    """Return the only operator that reads the output, if it is a convolution."""
    index = resize.output.index
    readers = [operator for operator in resize.graph.operators if index in operator.inputs]
    is_alone = len(readers) == 1 and index not in resize.graph.outputs
    return readers[0] if is_alone and readers[0].name == "CONV_2D" else None


def _repeats(rule: tuple[int, int, int], factor: int, size: int) -> bool:
    return all((i * rule[0] + rule[1]) // rule[2] == i // factor for i in range(size))


def _is_padded(rule: tuple[int, int, int], reach: int, source: int, target: int) -> bool:
    """Whether the rule leaves the source exactly where the resized tensor ends."""
    for row in range(-reach, target + reach):
        inside = 0 <= (row * rule[0] + rule[1]) // rule[2] < source
        if inside != (0 <= row < target):
            return False
    return True


def check_size(resize: LoweringContext) -> None:
    """Check that the size to resize to is stated as two numbers."""
    if len(resize.input(1).shape) != 1:
        resize.error(f"the size has the shape {list(resize.input(1).shape)}, must be [2]")
    resize.integers(1, 2)


def axis_rule(ctx: LoweringContext, size: int, target: int) -> tuple[int, int, int]:
    """Return the integer rule for input indices, checked against the float32 rule of TFLite."""
    corners = bool(ctx.options["align_corners"])
    centers = bool(ctx.options["half_pixel_centers"])
    if max(size, target) > MOST_PIXELS:
        ctx.error(f"resizing {size} to {target}, at most {MOST_PIXELS} are supported")
    numerator, denominator = (size - 1, target - 1) if corners and target > 1 else (size, target)
    # (i + centre) * numerator / denominator, plus a half where the rule rounds, over 2.
    factor, divisor = 2 * numerator, 2 * denominator
    offset = (numerator if centers else 0) + (denominator if corners else 0)
    scale = np.float32(numerator) / np.float32(denominator)
    for index in range(target):
        position = (np.float32(index) + np.float32(0.5 if centers else 0.0)) * scale
        wanted = round_away(float(position)) if corners else math.floor(position)
        if min(wanted, size - 1) != min((index * factor + offset) // divisor, size - 1):
            ctx.error(f"resizing {size} to {target} has no exact integer rule")
    common = math.gcd(factor, offset, divisor)
    return factor // common, offset // common, divisor // common
