"""The parameters of kernels: a frozen dataclass for each structure of ``asc_kernels.h``.

Members have the names, order and types of those in C, which a test compares. Lowering makes the
parameters, passes make others with ``dataclasses.replace``, and C text is made of them once, at the
end. A member that is None is left out, as its kernel does not read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.weight_packing import GROUP, padded_channels

CHANNEL = np.dtype([("bias", np.int32), ("multiplier", np.int32), ("bits", np.int32)])
"""An output channel: the bias with what the input's zero point adds, a multiplier, and a shift of
``bits + 1`` bits to the right."""

PACKED_CHANNEL = np.dtype([("bias_bits", np.int32), ("multiplier", np.int32)])
"""An output channel of a packed dense layer; ``bias_bits`` is ``bias * 256 + bits``."""

ELEMENTS: Mapping[np.dtype[Any], str] = MappingProxyType(
    {
        np.dtype(np.int8): "int8_t",
        np.dtype(np.int16): "int16_t",
        np.dtype(np.int32): "int32_t",
        np.dtype(np.uint8): "uint8_t",
        CHANNEL: "asc_channel_t",
        PACKED_CHANNEL: "asc_packed_channel_t",
    }
)
"""The type in C of each element type."""

POINTER_BYTES = 8
"""Bytes of a pointer at most, on 64-bit computers."""


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array in C.

    Attributes:
        name: the name of the array in C.
        values: the elements, one of the types in ``ELEMENTS``.
        weights: whether the array holds weights: they are aligned to 16 bytes, and int8_t weights
            lie in fours, which cores read in different orders.
    """

    name: str
    values: NDArray[Any]
    weights: bool = False

    @property
    def c_type(self) -> str:
        """The type of an element in C."""
        return ELEMENTS[self.values.dtype]


Int16 = Annotated[int, "int16_t"]
"""A number of 16 bits; other numbers have 32."""

Pair = tuple[int, int]
Four = tuple[int, int, int, int]


def four(values: Sequence[int]) -> Four:
    """Return four values as a tuple of that length."""
    one, two, three, last = values
    return one, two, three, last


def two(values: Sequence[int]) -> Pair:
    """Return two values as a tuple of that length."""
    one, last = values
    return one, last


Int8Array = Annotated[Array, "int8_t"]
Int16Array = Annotated[Array, "int16_t"]
Int32Array = Annotated[Array, "int32_t"]
ChannelArray = Annotated[Array, "asc_channel_t"]
PackedChannelArray = Annotated[Array, "asc_packed_channel_t"]


@dataclass(frozen=True)
class Struct:
    """A structure in C; its members are the fields of the dataclass.

    Attributes:
        c_type: the name of the type in C.
    """

    c_type: ClassVar[str]

    def members(self) -> Iterator[tuple[str, Any]]:
        """Yield name and value of each member that is there, in C's order."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value

    def arrays(self) -> Iterator[Array]:
        """Yield the arrays that members, and members of members, point to."""
        for _, value in self.members():
            if isinstance(value, Array):
                yield value
            elif isinstance(value, Struct):
                yield from value.arrays()


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
class OutputRange(Struct):
    """The codes of an output.

    Attributes:
        zero_point: the code that stands for 0, -128 to 127.
        minimum, maximum: the codes that the fused activation leaves, -128 to 127.
        clamps: 1 if that range is smaller than that of int8, else 0.
        narrow: 1 if sums are below 2^30 and shifts go 1 to 17 bits to the right, else 0.
    """

    c_type = "asc_output_t"
    zero_point: int
    minimum: int
    maximum: int
    clamps: Int16
    narrow: Int16


@dataclass(frozen=True)
class Operand(Struct):
    """An operand that is brought to another scale: real factor = multiplier / 2^31 * 2^shift."""

    c_type = "asc_operand_t"
    zero_point: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class Axis(Struct):
    """The input index of output index i: ``min((i * factor + offset) / divisor, size - 1)``."""

    c_type = "asc_axis_t"
    factor: int
    offset: int
    divisor: int


@dataclass(frozen=True)
class KernelParams(Struct):
    """What a kernel is told of its layer."""

    @property
    def scratch_bytes(self) -> int:
        """Bytes of scratch memory that a run needs, 0 if none."""
        return 0

    @property
    def windows(self) -> int:
        """Number of windows that a run multiplies by the weights, two at a time; 0 if none."""
        return 0


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
        input_zero_point: the code of padding, -128 to 127.
        range: the codes of the output; None inside of an upsampled convolution.
        weights: (pairs of filters, groups of 4 values, 2, 4).
        channels: bias and multiplier of each filter; None inside of an upsampled convolution.
    """

    c_type = "asc_conv_t"
    columns: int
    column_size: int
    depth: int
    input_zero_point: int
    range: OutputRange | None
    weights: Int8Array
    channels: ChannelArray | None

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the gathered columns as 16-bit values, and of a window if it is dilated."""
        dilated = self.depth if self.window.dilation != 1 else 0
        return 2 * (self.columns * self.column_size + 2 * GROUP + dilated)

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
    channels: ChannelArray
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
        input_zero_point: the code of padding, -128 to 127.
        range: the codes of the output.
        weights: (pairs of taps, output channels, 2), with a zero behind an odd tap.
        channels: bias and multiplier of each output channel.
    """

    c_type = "asc_depthwise_conv_t"
    input_zero_point: int
    range: OutputRange
    weights: Int16Array
    channels: ChannelArray

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the taps' addresses, and of a pixel of padding."""
        pairs = -(-self.window.height * self.window.width // 2)
        return POINTER_BYTES * 2 * pairs + self.input_channels


@dataclass(frozen=True)
class DenseParams(KernelParams):
    """A dense layer.

    Attributes:
        rows: number of independent inputs of a run.
        inputs: values of an input.
        outputs: values of an output.
        depth: values of an input with the zeros behind it, a multiple of 4.
        range: the codes of the output.
        weights: (pairs of outputs, groups of 4 values, 2, 4).
        channels: bias and multiplier of each output.
    """

    c_type = "asc_dense_t"
    rows: int
    inputs: int
    outputs: int
    depth: int
    range: OutputRange
    weights: Int8Array
    channels: ChannelArray

    @property
    def scratch_bytes(self) -> int:
        """Bytes of an input as 16-bit values."""
        return 2 * self.depth

    @property
    def windows(self) -> int:
        """One window at a time."""
        return 1


@dataclass(frozen=True)
class DensePackedParams(KernelParams):
    """A dense layer in the shortest form.

    Attributes:
        rows: number of independent inputs of a run.
        inputs: values of an input.
        outputs: values of an output.
        range: the codes of the output.
        weights: (outputs, inputs).
        channels: bias, shift and multiplier of each output.
    """

    c_type = "asc_dense_packed_t"
    rows: int
    inputs: int
    outputs: int
    range: OutputRange
    weights: Int8Array
    channels: PackedChannelArray

    @property
    def windows(self) -> int:
        """One window at a time."""
        return 1


@dataclass(frozen=True)
class PoolParams(WindowParams):
    """Pooling.

    Attributes:
        minimum, maximum: the codes that the fused activation leaves, -128 to 127.
    """

    c_type = "asc_pool_t"
    minimum: int
    maximum: int


@dataclass(frozen=True)
class SumParams(KernelParams):
    """Adds the pixels of a row to 32-bit sums."""

    c_type = "asc_sum_t"
    width: int
    channels: int


@dataclass(frozen=True)
class MeanParams(KernelParams):
    """The mean of 32-bit sums.

    Attributes:
        channels: number of sums.
        offset: minus the input's zero point times the number of summands.
        multiplier, shift: real factor = multiplier / 2^31 * 2^shift, the division included.
        range: the codes of the output.
    """

    c_type = "asc_mean_t"
    channels: int
    offset: int
    multiplier: int
    shift: int
    range: OutputRange


@dataclass(frozen=True)
class ReduceParams(KernelParams):
    """Means or sums of ``count`` values each, in a row of the shape (outer, count, inner)."""

    c_type = "asc_reduce_t"
    outer: int
    count: int
    inner: int
    mean: MeanParams


@dataclass(frozen=True)
class ReduceMaxParams(KernelParams):
    """The largest of ``count`` values each; with ``accumulates`` 1, of the output's as well."""

    c_type = "asc_reduce_max_t"
    outer: int
    count: int
    inner: int
    accumulates: int


@dataclass(frozen=True)
class ArgMaxParams(KernelParams):
    """The place of the first of the largest of ``count`` values each.

    Attributes:
        outer, count, inner: the input's shape, of which ``count`` values become one.
        sign: 1 for the largest value, -1 for the smallest.
        index_bytes: bytes of a place in the output, 4 or 8.
    """

    c_type = "asc_arg_max_t"
    outer: int
    count: int
    inner: int
    sign: int
    index_bytes: int


@dataclass(frozen=True)
class AddParams(KernelParams):
    """A sum of ``size`` pairs of codes."""

    c_type = "asc_add_t"
    size: int
    first: Operand
    second: Operand
    multiplier: int
    shift: int
    range: OutputRange


@dataclass(frozen=True)
class BinaryParams(KernelParams):
    """An operator of two operands, in two nested loops over a row of the output.

    Attributes:
        count: turns of the outer and of the inner loop.
        first_step, second_step: codes from one value of an operand to the next, 0 to repeat it.
        first, second: the operands' quantization.
        multiplier, shift: real factor = multiplier / 2^31 * 2^shift of sum or product.
        range: the codes of the output.
    """

    c_type = "asc_binary_t"
    count: Pair
    first_step: Pair
    second_step: Pair
    first: Operand | None = None
    second: Operand | None = None
    multiplier: int | None = None
    shift: int | None = None
    range: OutputRange | None = None


@dataclass(frozen=True)
class LookupParams(KernelParams):
    """A function of one code: ``table`` has its values for codes -128 to 127."""

    c_type = "asc_lookup_t"
    size: int
    table: Int8Array


@dataclass(frozen=True)
class RequantizeParams(KernelParams):
    """Another quantization for ``size`` codes."""

    c_type = "asc_requantize_t"
    size: int
    input: Operand
    range: OutputRange


@dataclass(frozen=True)
class SoftmaxParams(KernelParams):
    """Softmax over each of ``rows`` groups of ``classes`` codes.

    Attributes:
        rows: number of groups of a run.
        classes: codes of a group, 1 to 511.
        multiplier, shift: bring a difference of codes to 26 fractional bits.
        minimum: smallest difference of codes that counts.
    """

    c_type = "asc_softmax_t"
    rows: int
    classes: int
    multiplier: int
    shift: int
    minimum: int


@dataclass(frozen=True)
class ResizeParams(KernelParams):
    """Nearest resizing of a row; ``columns`` is the rule for its pixels."""

    c_type = "asc_resize_t"
    input_width: int
    output_width: int
    channels: int
    columns: Axis


@dataclass(frozen=True)
class BilinearParams(KernelParams):
    """Bilinear resizing; ``rows`` and ``columns`` give positions in 1024ths."""

    c_type = "asc_bilinear_t"
    input_width: int
    output_width: int
    channels: int
    rows: Axis
    columns: Axis


@dataclass(frozen=True)
class PadParams(KernelParams):
    """Padding of a row.

    Attributes:
        input_width, output_width: pixels of a row of input and output.
        input_channels, output_channels: codes of a pixel of input and output.
        left: pixels before the row.
        front: codes before each pixel.
        value: the code that pads, -128 to 127.
    """

    c_type = "asc_pad_t"
    input_width: int
    input_channels: int
    output_width: int
    output_channels: int
    left: int
    front: int
    value: int


@dataclass(frozen=True)
class BlocksParams(KernelParams):
    """Blocks of ``block`` x ``block`` pixels that are one pixel of the deeper tensor.

    Attributes:
        pixels: pixels of a row of the deeper tensor.
        size: codes that lie side by side in both tensors.
        block: rows and columns of a block, at least 1.
    """

    c_type = "asc_blocks_t"
    pixels: int
    size: int
    block: int


@dataclass(frozen=True)
class CopyParams(KernelParams):
    """Copies runs of codes that follow each other to places apart.

    Attributes:
        rows: number of runs.
        size: codes of a run.
        output_offset: codes before the first run in the output.
        output_stride: codes from one run to the next in the output.
    """

    c_type = "asc_copy_t"
    rows: int
    size: int
    output_offset: int
    output_stride: int


@dataclass(frozen=True)
class SliceParams(KernelParams):
    """``output[i, j, k, l] = input[begin + (i, j, k, l) * step]`` for indices below ``count``."""

    c_type = "asc_slice_t"
    count: Four
    begin: int
    step: Four


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_add": AddParams,
        "asc_add_broadcast": BinaryParams,
        "asc_arg_max": ArgMaxParams,
        "asc_average_pool": PoolParams,
        "asc_conv": ConvParams,
        "asc_copy": CopyParams,
        "asc_dense": DenseParams,
        "asc_dense_packed": DensePackedParams,
        "asc_depth_to_space": BlocksParams,
        "asc_depthwise_conv": DepthwiseConvParams,
        "asc_lookup": LookupParams,
        "asc_max_pool": PoolParams,
        "asc_maximum": BinaryParams,
        "asc_mean": MeanParams,
        "asc_minimum": BinaryParams,
        "asc_mul": BinaryParams,
        "asc_pad": PadParams,
        "asc_prelu": BinaryParams,
        "asc_reduce": ReduceParams,
        "asc_reduce_max": ReduceMaxParams,
        "asc_requantize": RequantizeParams,
        "asc_resize_bilinear": BilinearParams,
        "asc_resize_nearest": ResizeParams,
        "asc_slice": SliceParams,
        "asc_softmax": SoftmaxParams,
        "asc_space_to_depth": BlocksParams,
        "asc_sub": BinaryParams,
        "asc_sum": SumParams,
        "asc_transpose_conv": TransposeConvParams,
        "asc_upsampled_conv": UpsampledConvParams,
    }
)
"""The structure of each kernel, by the name of its C function."""
