"""Width tiles: the same layer on some neighbouring pixels of each row.

Kernels that slide a window along a row know only from their parameters where their row begins and
ends. With other parameters they make a tile of the row, from a tile of the rows that they read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from asc_tiny.compiler.ir import Stage, WidthTile
from asc_tiny.compiler.kernel_params import (
    ConvParams,
    KernelParams,
    UpsampledConvParams,
    WindowParams,
)

TileableParams = WindowParams | UpsampledConvParams
"""The parameters of kernels that can make a width tile of a row."""


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
        input_channels, output_channels: codes of a pixel of input and output.
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
    def of(cls, kernel: KernelParams) -> SlidingWindow:
        """Return how a kernel slides that can make a width tile of a row."""
        params = tileable(kernel)
        row: WindowParams
        if isinstance(params, UpsampledConvParams):
            row = params.columns
            window = (params.width, 1, 1, params.left, params.factor)
        else:
            row, own = params, params.window
            window = (own.width, own.stride, own.dilation, own.left, 1)
        sizes = (row.input_width, row.input_channels, params.output_width, params.output_channels)
        return cls(*window, *sizes)

    def input_bytes(self, pixels: int, element_bytes: int) -> int:
        """Return the bytes of so many pixels of the input."""
        return pixels * self.input_channels * element_bytes

    def output_bytes(self, pixels: int, element_bytes: int) -> int:
        """Return the bytes of so many pixels of the output."""
        return pixels * self.output_channels * element_bytes

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
        isinstance(stage.params, TileableParams)
        and stage.output.repeat == 1
        and stage.output.rows == stage.runs
        and all(rows.view.repeat == 1 for rows in stage.inputs)
    )


def tileable(params: KernelParams) -> TileableParams:
    """Return the parameters of a kernel that can make a width tile of a row."""
    assert isinstance(params, TileableParams)
    return params


def pixels_multiplied(params: KernelParams) -> int:
    """Return the number of pixels that a run multiplies by weights: those written, or read."""
    own = tileable(params)
    return own.columns.columns if isinstance(own, UpsampledConvParams) else own.output_width


def pixel_ranges(width: int, count: int) -> list[PixelRange]:
    """Return ``count`` ranges of pixels or fewer, of even sizes: kernels take windows in pairs."""
    size = -(-width // count)
    size += size % 2
    return [PixelRange(first, min(first + size, width)) for first in range(0, width, size)]


def width_tile(stage: Stage, written: PixelRange) -> tuple[WidthTile, PixelRange] | None:
    """Return the width tile of a stage for some pixels of each row, and the pixels that it reads.

    Its byte offsets are those in whole rows. None if it would read nothing.
    """
    sliding = SlidingWindow.of(stage.params)
    read = sliding.read(written)
    if read.count < 1:
        return None
    left = sliding.padding(written, read)
    params = _resized(tileable(stage.params), sliding, written.count, read.count, left)
    (rows, *_), view = stage.inputs, stage.output
    source = sliding.input_bytes(read.first, rows.view.buffer.dtype.itemsize)
    target = sliding.output_bytes(written.first, view.buffer.dtype.itemsize)
    return WidthTile(params, source, target), read


def _resized(
    params: TileableParams, sliding: SlidingWindow, written: int, read: int, left: int
) -> KernelParams:
    """Return the parameters for tiles of ``written`` and ``read`` pixels."""
    if isinstance(params, UpsampledConvParams):
        inner = replace(params.columns, input_width=read, output_width=read, columns=read)
        return replace(params, columns=inner, left=left, output_width=written)
    window = replace(params.window, left=left)
    tile = replace(params, input_width=read, output_width=written, window=window)
    if not isinstance(tile, ConvParams):
        return tile
    columns = (written - 1) * sliding.stride + (sliding.width - 1) * sliding.dilation + 1
    return replace(tile, columns=columns)
