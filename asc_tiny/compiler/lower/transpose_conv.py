"""Lowers transposed convolution to convolutions with stride 1, one for each phase of its rows.

Row y of the output meets the kernel's rows k with (y + top - k) a multiple of the stride: which
ones depends on the phase (y + top) % stride alone. The same holds along a row, where all phases are
computed at once: a window makes as many neighbouring pixels as the stride, with zero weights where
a pixel's phase has no tap.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import ConvParams, TransposeConvParams, Window
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import same_padding
from asc_tiny.compiler.lower.rule import FUSED, WEIGHTED, WEIGHTS, lowering
from asc_tiny.compiler.lower.weighted_s16 import transpose_stage
from asc_tiny.compiler.lower.weights import (
    activation_note,
    channels_of,
    is_narrow,
    weights_of,
)
from asc_tiny.compiler.weight_packing import GROUP, im2col_column_size, paired

# Each has a bias, a multiplier and a shift.
_MOST_SUMS = 2**16


@dataclass(frozen=True)
class _Phase:
    """Filters of the rows with one phase: a convolution of ``rows`` rows."""

    rows: int
    column_size: int
    matrix: NDArray[np.int8]

    @classmethod
    def of(cls, kernel: NDArray[np.int8], rows: int) -> _Phase:
        """Arrange filters, of which only the first rows have taps, as ``asc_conv`` reads them.

        Args:
            kernel: shape (filters, rows, columns, channels).
            rows: number of rows of the kernel that have taps, at least 1.
        """
        filters, _, columns, channels = kernel.shape
        column_size = im2col_column_size(rows, channels)
        data = np.zeros((filters, columns, column_size), np.int8)
        by_column = kernel[:, :rows].transpose(0, 2, 1, 3)
        data[..., : rows * channels] = by_column.reshape(filters, columns, -1)
        return cls(rows, column_size, paired(data.reshape(filters, -1)))

    @property
    def depth(self) -> int:
        """Values of a window, with the zeros that fill it up."""
        return int(self.matrix.shape[1]) * GROUP


@lowering(
    "TRANSPOSE_CONV",
    conditions=f"batch 1; any window, stride, padding, size; {FUSED}; {WEIGHTS}",
    dsp="as CONV_2D",
    types=WEIGHTED + "int64 or int16",
    inputs=(3, 4),
    signatures=("INT32 INT8 INT8 -> INT8", "INT32 INT8 INT16 -> INT16"),
)
def lower_transpose_conv(ctx: LoweringContext) -> list[Stage]:
    """TRANSPOSE_CONV with any kernel and stride."""
    weights = weights_of(ctx, dimensions=4)
    filters, height, width, channels = weights.shape
    source, target = ctx.image(ctx.input(2)), ctx.image(ctx.output)
    if (channels, filters) != (source[2], target[2]):
        ctx.error(f"filters of {list(weights.shape)} for {source[2]} and {target[2]} channels")
    options = ctx.options
    stride_y, stride_x = int(options["stride_h"]), int(options["stride_w"])
    if min(stride_y, stride_x) < 1:
        ctx.error(f"strides {stride_y} and {stride_x}")
    top = _padding(ctx, target[0], height, stride_y)
    left = _padding(ctx, target[1], width, stride_x)
    # With one row or column of input, strides beyond all of the output are the same.
    stride_y = min(stride_y, max(height, top + target[0]))
    stride_x = min(stride_x, max(width, left + target[1]))
    if ctx.has_int16:
        return [transpose_stage(ctx, (stride_y, stride_x), (top, left))]
    kernel = _phases(ctx, (stride_y, stride_x), left)
    counts = [max(1, len(range(phase, height, stride_y))) for phase in range(stride_y)]
    phases = [_Phase.of(*each) for each in zip(kernel, counts, strict=True)]
    window = Window(
        max(counts), kernel.shape[3], 1, 1, -(-width // stride_x) - 1 - left // stride_x
    )
    rows = RowAccess(
        ctx.view(ctx.input(2)), count=max(counts), step=-1, offset=top, divisor=stride_y
    )
    return _stages(ctx, kernel, phases, window, rows, top)


def _stages(
    ctx: LoweringContext,
    kernel: NDArray[np.int8],
    phases: Sequence[_Phase],
    window: Window,
    rows: RowAccess,
    top: int,
) -> list[Stage]:
    source, target = ctx.image(ctx.input(2)), ctx.image(ctx.output)
    columns_of_window, channels = kernel.shape[3:]
    # Pixels that are computed at once
    pixels_at_once = kernel.shape[1] // target[2]
    pixels = -(-target[1] // pixels_at_once)
    sums = kernel.reshape(len(phases) * kernel.shape[1], -1)
    own = channels_of(ctx, ctx.input(1), sums, source=2, bias=3, channel_axis=0)
    weights = np.concatenate([phase.matrix.ravel() for phase in phases])
    conv = ConvParams(
        input_width=source[1],
        input_channels=channels,
        output_width=pixels,
        output_channels=kernel.shape[1],
        window=window,
        columns=pixels - 1 + columns_of_window,
        column_size=phases[0].column_size,
        depth=phases[0].depth,
        widens=0,
        input_zero_point=ctx.quantization(ctx.input(2))[1],
        range=ctx.range(narrow=int(is_narrow(own, sums))),
        weights=ctx.array("weights", weights, weights=True),
        channels=own,
    )
    table = ctx.array("phases", _table(phases))
    params = TransposeConvParams(conv=conv, top=top, stride=len(phases), phases=table)
    made = _made(ctx, pixels * kernel.shape[1])
    taps = sum(phase.rows for phase in phases) * columns_of_window
    stage = ctx.stage(
        "asc_transpose_conv",
        params,
        inputs=[rows],
        output=made,
        macs=ctx.output.size * taps * channels // len(phases),
        note=f", {ctx.input(1).shape[1]}x{ctx.input(1).shape[2]}{activation_note(ctx)}",
    )
    return [stage, *_cut(ctx, made)]


def _table(phases: Sequence[_Phase]) -> NDArray[np.int32]:
    """Return rows, column size, depth and the first weight of every phase."""
    starts = np.cumsum([0] + [phase.matrix.size for phase in phases])
    return np.array(
        [
            (phase.rows, phase.column_size, phase.depth, start)
            for phase, start in zip(phases, starts, strict=False)
        ],
        np.int32,
    )


def _made(ctx: LoweringContext, size: int) -> BufferView:
    """Return the view in which rows of ``size`` bytes are made: the output if it has such rows."""
    target = ctx.view(ctx.output)
    if size == target.row_bytes:
        return target
    return BufferView.of(Buffer(f"wide{ctx.output.index}", target.rows, size))


def _cut(ctx: LoweringContext, made: BufferView) -> list[Stage]:
    """Copy rows that end within a window, and were made with the rest of it, to the output."""
    target = ctx.view(ctx.output)
    if made is target:
        return []
    kept = RowAccess(made.subview(0, made.rows, 0, target.row_bytes))
    return [ctx.copy_rows(kept, target, "_cut")]


def _padding(ctx: LoweringContext, target: int, size: int, stride: int) -> int:
    """Return how many rows or columns of the full result lie before the output.

    The output may be smaller than the full result, and larger: then the bias alone is behind it.
    TensorFlow Lite Micro takes the padding of the convolution that leads from the output back,
    which VALID has, too, where the output is so small that the window does not fit.
    """
    if ctx.options["padding"] == "SAME":
        fitting = -(-target // stride)
    else:
        fitting = math.trunc((target + stride - size) / stride)
    return same_padding(target, size, stride, fitting)


def _phases(ctx: LoweringContext, strides: tuple[int, int], left: int) -> NDArray[np.int8]:
    """Return the filters of each phase of rows.

    Args:
        ctx: the operator; its weights have the shape (filters, height, width, channels).
        strides: along height and width.
        left: columns of the full result before the output.

    Returns:
        Shape (phases of rows, phases of columns * filters, rows, columns, channels), with the
        rows of the window from below to above and its columns from left to right.
    """
    weights, (stride_y, stride_x) = ctx.constants(1), strides
    filters, height, width, channels = weights.shape
    rows, taps = -(-height // stride_y), -(-width // stride_x)
    first = left // stride_x
    columns = taps + (stride_x - 1 + left) // stride_x - first
    shape = (stride_y, stride_x, filters, rows, columns, channels)
    ctx.check_expanded(math.prod(shape))
    if math.prod(shape[:3]) > _MOST_SUMS:
        ctx.error(
            f"{filters} filters for {stride_y} x {stride_x} phases, at most {_MOST_SUMS} sums"
        )
    kernel = np.zeros(shape, np.int8)
    for y, x in itertools.product(range(height), range(width)):
        row, phase_y = divmod(y, stride_y)
        # The one pixel of a group that this column of the weights is multiplied for
        pixel = (x - left) % stride_x
        column = taps - 1 + (pixel + left) // stride_x - first - x // stride_x
        kernel[phase_y, pixel, :, row, column] = weights[:, y, x]
    return kernel.reshape(stride_y, stride_x * filters, rows, columns, channels)
