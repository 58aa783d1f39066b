"""Lowers transposed convolution to convolutions with stride 1, one for each phase of its rows.

Row y of the output meets the kernel's rows k with (y + top - k) a multiple of the stride: which
ones depends on the phase (y + top) % stride alone. The same holds along a row, where all phases are
computed at once: a window makes as many neighbouring pixels as the stride, with zero weights where
a pixel's phase has no tap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.codegen.compiler.lowering import Lowering, braced, braces
from asc_tiny.codegen.compiler.program import Array, Rows, Stage, Storage, View
from asc_tiny.codegen.compiler.quantise import same_padding
from asc_tiny.codegen.compiler.weighted import (
    GROUP,
    activation_note,
    channels_of,
    is_narrow,
    paired,
    weights_of,
)


def lower_transpose_conv(to: Lowering) -> list[Stage]:
    """TRANSPOSE_CONV with any kernel and stride."""
    weights = weights_of(to, dimensions=4)
    filters, height, width, channels = weights.shape
    source, target = to.image(to.input(2)), to.image(to.output)
    if (channels, filters) != (source[2], target[2]):
        to.fail(f"filters of {list(weights.shape)} for {source[2]} and {target[2]} channels")
    options = to.operator.options
    stride_y, stride_x = int(options["stride_h"]), int(options["stride_w"])
    if min(stride_y, stride_x) < 1:
        to.fail(f"strides {stride_y} and {stride_x}")
    top = _padding(to, source[0], target[0], height, stride_y)
    left = _padding(to, source[1], target[1], width, stride_x)
    kernel = _phases(to.constants(1), (stride_y, stride_x), left)
    rows, columns_of_window = kernel.shape[2:4]
    before = -(-width // stride_x) - 1 - left // stride_x
    pixels = -(-target[1] // stride_x)
    columns = pixels - 1 + columns_of_window
    column_size = -(-rows * channels // 2) * 2
    data = np.zeros((*kernel.shape[:2], columns_of_window, column_size), np.int8)
    by_column = kernel.transpose(0, 1, 3, 2, 4)
    data[..., : rows * channels] = by_column.reshape(*by_column.shape[:3], -1)
    matrices = [paired(phase.reshape(len(phase), -1)) for phase in data]
    arrays = (
        to.array("weights", "int8_t", np.stack(matrices), aligned=True),
        _channels(to, data),
    )
    depth = matrices[0].shape[1] * GROUP
    conv = {
        "input_width": source[1],
        "input_channels": channels,
        "output_width": pixels,
        "output_channels": stride_x * filters,
        "window": braces(rows, columns_of_window, 1, 1, before),
        "columns": columns,
        "column_size": column_size,
        "depth": depth,
        "input_zero_point": to.quantisation(to.input(2))[1],
        "range": to.range(narrow=is_narrow(arrays[1], data.reshape(-1, data[0, 0].size))),
        "weights": arrays[0].name,
        "channels": arrays[1].name,
    }
    fields = {
        "conv": braced(conv),
        "top": str(top),
        "stride": str(stride_y),
        "weights_per_phase": str(matrices[0].size),
    }
    read = Rows(to.view(to.input(2)), count=rows, step=-1, offset=top, divisor=stride_y)
    target_view = to.view(to.output)
    whole_row = pixels * stride_x * filters
    # A row that ends within a window is made with the rest of it, then cut off.
    is_cut = whole_row != target_view.row_size
    made = target_view
    if is_cut:
        made = View.of(Storage(f"wide{to.output.index}", target[0], whole_row))
    stages = [
        to.stage(
            "asc_transpose_conv",
            fields,
            inputs=[read],
            output=made,
            arrays=arrays,
            scratch=2 * (columns * column_size + 2 * GROUP),
            work=to.output.size * rows * columns_of_window * channels,
            note=f", {height}x{width}{activation_note(to)}",
        )
    ]
    if is_cut:
        size = str(target_view.row_size)
        cut = {"rows": "1", "size": size, "output_offset": "0", "output_stride": size}
        part = made.part(0, made.rows, 0, target_view.row_size)
        stages.append(to.stage("asc_copy", cut, inputs=[Rows(part)], suffix="_cut"))
    return stages


def _padding(to: Lowering, source: int, target: int, size: int, stride: int) -> int:
    """Return how many rows or columns of the full result lie before the output."""
    if to.operator.options["padding"] == "SAME":
        fitting = -(-target // stride)
        before = same_padding(target, size, stride, fitting)
    else:
        fitting, before = (target - size) // stride + 1, 0
    if fitting != source:
        to.fail(f"output size {target} does not fit input {source}")
    return before


def _phases(weights: NDArray[Any], strides: tuple[int, int], left: int) -> NDArray[np.int8]:
    """Return the filters of each phase of rows.

    Args:
        weights: shape (filters, height, width, channels).
        strides: along height and width.
        left: columns of the full result before the output.

    Returns:
        Shape (phases of rows, phases of columns * filters, rows, columns, channels), with the
        rows of the window from below to above and its columns from left to right.
    """
    (stride_y, stride_x), (filters, height, width, channels) = strides, weights.shape
    rows, taps = -(-height // stride_y), -(-width // stride_x)
    first = left // stride_x
    columns = taps + (stride_x - 1 + left) // stride_x - first
    kernel = np.zeros((stride_y, stride_x, filters, rows, columns, channels), np.int8)
    for phase_y in range(stride_y):
        for pixel in range(stride_x):
            shift, phase_x = divmod(pixel + left, stride_x)
            for row, y in enumerate(range(phase_y, height, stride_y)):
                for tap, x in enumerate(range(phase_x, width, stride_x)):
                    column = taps - 1 + shift - first - tap
                    kernel[phase_y, pixel, :, row, column] = weights[:, y, x]
    return kernel.reshape(stride_y, stride_x * filters, rows, columns, channels)


def _channels(to: Lowering, data: NDArray[np.int8]) -> Array:
    """Return bias, multiplier and shift for every phase; all have those of the filters."""
    per_channel = data.reshape(-1, data[0, 0].size)
    return channels_of(to, to.input(1), per_channel, source=2, bias=3, channel_axis=0)
