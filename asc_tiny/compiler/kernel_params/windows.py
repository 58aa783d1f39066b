"""Parameters of convolutions and pooling, whose windows slide along rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import (
    POINTER_BYTES,
    AnyChannelArray,
    Int8Array,
    Int32Array,
    KernelParams,
    OutputRange,
    Struct,
)
from asc_tiny.compiler.weight_packing import GROUP, padded_channels

_WORDS_OF_FOUR = 16
"""What the depthwise convolution brings together of four channels beside their weights."""


@dataclass(frozen=True)
class Window(Struct):
    """A window that slides along a row.

    Attributes:
        height, width: pixels of the window, at least 1.
        stride: pixels from one window to the next, at least 1.
        dilation: pixels from one column of the window to the next, at least 1.
        left: pixels of padding before the row; below 0 if the first window begins later.
    """

    c_type = "asc_window_t"
    height: int
    width: int
    stride: int
    dilation: int
    left: int

    @property
    def is_pixel(self) -> bool:
        """Whether each window is one pixel, and all pixels have one."""
        return self.height == self.width == self.stride == 1


@dataclass(frozen=True)
class WindowParams(KernelParams):
    """The members that kernels with a window begin with.

    Attributes:
        input_width, output_width: pixels of a row of input and output.
        input_channels, output_channels: codes of a pixel of input and output.
        window: the window that slides along a row.
    """

    input_width: int
    input_channels: int
    output_width: int
    output_channels: int
    window: Window


@dataclass(frozen=True)
class ConvParams(WindowParams):
    """A convolution.

    Attributes:
        columns: columns of pixels under all windows of a row.
        column_size: values of such a column, an even number.
        depth: values of a window, a multiple of 4.
        widens: channels whose weights are widened at once for all windows of a run, which takes
            scratch memory: 0, 2 or 3.
        input_zero_point: the code of padding, -128 to 127.
        range: the codes of the output; None inside of an upsampled convolution.
        weights: (pairs of filters, groups of 4 values, 2, 4).
        channels: bias and multiplier of each filter; None inside of an upsampled convolution.
    """

    c_type = "asc_conv_t"
    columns: int
    column_size: int
    depth: int
    widens: int
    input_zero_point: int
    range: OutputRange | None
    weights: Int8Array
    channels: AnyChannelArray | None

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the gathered columns as 16-bit values, of a window if it is dilated, and of
        widened weights."""
        dilated = self.depth if self.window.dilation != 1 else 0
        widened = self.widens * self.depth
        return 2 * (self.columns * self.column_size + 2 * GROUP + dilated + widened)

    @property
    def windows(self) -> int:
        """Number of windows of a row."""
        return self.output_width


@dataclass(frozen=True)
class UpsampledConvParams(KernelParams):
    """A convolution of stride 1 whose input has each pixel ``factor`` times in a row.

    Attributes:
        columns: a convolution with a filter for each column of the window and output channel.
        output_width: pixels of a row of the output.
        output_channels: codes of a pixel of the output.
        width: pixels of a row of the window.
        left: pixels of padding before the row.
        factor: number of times that each pixel is repeated, at least 2.
        range: the codes of the output.
        channels: bias and multiplier of each filter.
        padding: the sum that each filter of ``columns`` gives where there is no pixel.
    """

    c_type = "asc_upsampled_conv_t"
    columns: ConvParams
    output_width: int
    output_channels: int
    width: int
    left: int
    factor: int
    range: OutputRange
    channels: AnyChannelArray
    padding: Int32Array

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the taps' addresses, then of the sums, then of the gathered columns."""
        inner = self.columns
        addresses = POINTER_BYTES * self.width * self.output_width
        sums = 4 * padded_channels(inner.output_channels)
        return addresses + inner.columns * (sums + 2 * inner.column_size) + 4 * GROUP

    @property
    def windows(self) -> int:
        """Number of windows of a row of the input."""
        return self.columns.columns


@dataclass(frozen=True)
class ConvSumsParams(KernelParams):
    """The products of each pixel of a row with filters of one pixel, which nothing rounds.

    Attributes:
        input_width: pixels of the row.
        input_channels: codes of a pixel.
        filters: number of filters.
        depth: values of a filter with the zeros behind it, a multiple of 4.
        weights: (pairs of filters, groups of 4 values, 2, 4).
    """

    c_type = "asc_conv_sums_t"
    input_width: int
    input_channels: int
    filters: int
    depth: int
    weights: Int8Array

    @property
    def scratch_bytes(self) -> int:
        """Bytes of four pixels as 16-bit values."""
        return 4 * 2 * self.depth

    @property
    def windows(self) -> int:
        """Number of pixels, each of which is a window."""
        return self.input_width


@dataclass(frozen=True)
class UpsampledSumParams(KernelParams):
    """What an upsampled convolution adds up and rounds, if its products come from other stages.

    The window has three columns, and pixels are repeated twice along a row. A row of sums has for
    each of its pixels a sum for each column of the window and output channel, and another if their
    number is odd, in an order that is the kernels' own.

    Attributes:
        rows: rows of the window.
        input_width: pixels of a row of sums; a row of the output has twice as many.
        output_channels: codes of a pixel of the output.
        range: the codes of the output.
        channels: bias and multiplier of each output channel.
        padding: for each row of the window, a pixel of sums where there is no pixel.
    """

    c_type = "asc_upsampled_sum_t"
    rows: int
    input_width: int
    output_channels: int
    range: OutputRange
    channels: AnyChannelArray
    padding: Int32Array


@dataclass(frozen=True)
class TransposeConvParams(KernelParams):
    """A transposed convolution by rows, of which each is a convolution with filters of its phase.

    Attributes:
        conv: the convolution of the first phase, whose window is the tallest.
        top: rows of the full result above the output.
        stride: number of phases.
        phases: rows, column_size, depth and the number of the first weight, of each phase.
    """

    c_type = "asc_transpose_conv_t"
    conv: ConvParams
    top: int
    stride: int
    phases: Int32Array

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the gathered columns as 16-bit values; the first phase has the most."""
        return self.conv.scratch_bytes


@dataclass(frozen=True)
class DepthwiseConvParams(WindowParams):
    """A depthwise convolution.

    Attributes:
        pixels: pixels of the output whose taps are found at once, at least 1.
        input_zero_point: the code of padding, -128 to 127.
        range: the codes of the output.
        weights: (taps, output channels).
        channels: bias and multiplier of each output channel.
    """

    c_type = "asc_depthwise_conv_t"
    pixels: int
    input_zero_point: int
    range: OutputRange
    weights: Int8Array
    channels: AnyChannelArray

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the taps' addresses, of what four channels need, and of a pixel of padding."""
        taps = self.window.height * self.window.width
        four_channels = 4 * (2 * taps + _WORDS_OF_FOUR)
        return POINTER_BYTES * self.pixels * taps + four_channels + self.input_channels


@dataclass(frozen=True)
class PoolParams(WindowParams):
    """Pooling.

    Attributes:
        minimum, maximum: the codes that the fused activation leaves, -128 to 127.
    """

    c_type = "asc_pool_t"
    minimum: int
    maximum: int

    @property
    def clamps(self) -> bool:
        """Whether the activation leaves fewer codes than there are."""
        return (self.minimum, self.maximum) != (-128, 127)


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_average_pool": PoolParams,
        "asc_conv": ConvParams,
        "asc_conv_sums": ConvSumsParams,
        "asc_depthwise_conv": DepthwiseConvParams,
        "asc_max_pool": PoolParams,
        "asc_transpose_conv": TransposeConvParams,
        "asc_upsampled_conv": UpsampledConvParams,
        "asc_upsampled_sum": UpsampledSumParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""

TWICE_KERNELS = frozenset({"asc_conv", "asc_depthwise_conv", "asc_upsampled_sum"})
"""Kernels with another form, ``_twice``, for layers that cannot be rounded once."""
