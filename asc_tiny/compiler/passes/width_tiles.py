"""Width tiles: the same layer on some neighbouring pixels of each row.

Kernels that slide a window along a row know only from their parameters where their row begins and
ends. With other parameters they make a tile of the row, from a tile of the rows that they read.
"""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.compiler.ir import Stage, WidthTile
from asc_tiny.compiler.lower.context import braces
from asc_tiny.compiler.lower.conv import upsampled_scratch

TILED_KERNELS = (
    "asc_average_pool",
    "asc_conv",
    "asc_depthwise_conv",
    "asc_max_pool",
    "asc_upsampled_conv",
)
"""Kernels that can make a width tile of a row."""


@dataclass(frozen=True)
class PixelRange:
    """Neighbouring pixels of a row: those from ``first`` on, before ``end``."""

    first: int
    end: int

    @property
    def count(self) -> int:
        """Number of pixels."""
        return self.end - self.first


@dataclass(frozen=True)
class SlidingWindow:
    """How a kernel slides its window along a row.

    Attributes:
        width: pixels of a row of the window.
        stride: pixels from one window to the next.
        dilation: pixels from one column of the window to the next.
        left: pixels of padding before the first pixel.
        factor: number of times that each pixel of the input is repeated, at least 1.
        input_width, output_width: pixels of a row of input and output.
        input_channels, output_channels: bytes of a pixel of input and output.
    """

    width: int
    stride: int
    dilation: int
    left: int
    factor: int
    input_width: int
    input_channels: int
    output_width: int
    output_channels: int

    @classmethod
    def of(cls, stage: Stage) -> SlidingWindow:
        """Return how a stage slides whose kernel is one of ``TILED_KERNELS``."""
        fields = stage.fields
        inner = ""
        if stage.kernel == "asc_upsampled_conv":
            inner = "columns."
            window = (int(fields["width"]), 1, 1, int(fields["left"]), int(fields["factor"]))
        else:
            _, width, stride, dilation, left = _window(stage)
            window = (width, stride, dilation, left, 1)
        return cls(
            *window,
            int(fields[f"{inner}input_width"]),
            int(fields[f"{inner}input_channels"]),
            int(fields["output_width"]),
            int(fields["output_channels"]),
        )

    def read(self, written: PixelRange) -> PixelRange:
        """Return the pixels of the input that certain pixels of the output read."""
        first = (written.first * self.stride - self.left) // self.factor
        reach = (written.end - 1) * self.stride - self.left + (self.width - 1) * self.dilation
        return PixelRange(max(first, 0), min(reach // self.factor + 1, self.input_width))

    def padding(self, written: PixelRange, read: PixelRange) -> int:
        """Return the pixels of padding before a tile; below 0 if its first window begins later."""
        return self.left - written.first * self.stride + read.first * self.factor


def can_be_tiled(stage: Stage) -> bool:
    """Whether a stage can make width tiles of its rows."""
    return (
        stage.kernel in TILED_KERNELS
        and stage.output.repeat == 1
        and stage.output.rows == stage.runs
        and all(rows.view.repeat == 1 for rows in stage.inputs)
    )


def pixels_multiplied(piece: Stage | WidthTile) -> int:
    """Return the number of pixels that a run multiplies by weights: those written, or read."""
    return int(piece.fields.get("columns.columns", piece.fields["output_width"]))


def pixel_ranges(width: int, count: int) -> list[PixelRange]:
    """Return ``count`` ranges of pixels or fewer, of even sizes: kernels take windows in pairs."""
    size = -(-width // count)
    size += size % 2
    return [PixelRange(first, min(first + size, width)) for first in range(0, width, size)]


def width_tile(stage: Stage, written: PixelRange) -> tuple[WidthTile, PixelRange] | None:
    """Return the width tile of a stage for some pixels of each row, and the pixels that it reads.

    Its byte offsets are those in whole rows. None if it would read nothing.
    """
    sliding = SlidingWindow.of(stage)
    read = sliding.read(written)
    if read.count < 1:
        return None
    left = sliding.padding(written, read)
    resized = _upsampled if stage.kernel == "asc_upsampled_conv" else _windowed
    fields, scratch = resized(stage, sliding, written.count, read.count, left)
    places = read.first * sliding.input_channels, written.first * sliding.output_channels
    return WidthTile(fields, *places, scratch), read


def _window(stage: Stage) -> list[int]:
    """Return height, width, stride, dilation and left padding."""
    return [int(value) for value in stage.fields["window"].strip("{}").split(",")]


def _windowed(
    stage: Stage, sliding: SlidingWindow, written: int, read: int, left: int
) -> tuple[dict[str, str], int]:
    """Return the parameters of a tile and its bytes of scratch memory."""
    height = _window(stage)[0]
    fields = {
        **stage.fields,
        "input_width": str(read),
        "output_width": str(written),
        "window": braces(height, sliding.width, sliding.stride, sliding.dilation, left),
    }
    scratch = stage.scratch
    if "columns" in fields:
        columns = (written - 1) * sliding.stride + (sliding.width - 1) * sliding.dilation + 1
        saved = int(fields["columns"]) - columns
        scratch -= 2 * saved * int(fields["column_size"])
        fields["columns"] = str(columns)
    return fields, scratch


def _upsampled(
    stage: Stage, sliding: SlidingWindow, written: int, read: int, left: int
) -> tuple[dict[str, str], int]:
    fields = {**stage.fields, "left": str(left), "output_width": str(written)}
    names = ("columns.input_width", "columns.output_width", "columns.columns")
    fields.update(dict.fromkeys(names, str(read)))
    return fields, stage.scratch + upsampled_scratch(fields) - upsampled_scratch(stage.fields)
