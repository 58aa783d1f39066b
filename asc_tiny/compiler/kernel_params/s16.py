"""Parameters of kernels of 16-bit activations with 8-bit weights (16x8).

Pools, means, operators of two operands and padding take the structures of int8 kernels; their codes
then have 16 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import (
    ChannelS16Array,
    Int8Array,
    Int16Array,
    KernelParams,
    OutputRange,
    Struct,
    Uint16Array,
)
from asc_tiny.compiler.kernel_params.elementwise import BinaryParams, Operand
from asc_tiny.compiler.kernel_params.movement import PadParams
from asc_tiny.compiler.kernel_params.reduction import MeanParams, ReduceParams, SumParams
from asc_tiny.compiler.kernel_params.windows import PoolParams, WindowParams

HEADER = "asc_kernels_s16.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class OutputRangeS16(Struct):
    """The codes of an output, and how sums become codes.

    Attributes:
        minimum, maximum: the codes that the fused activation leaves, -32768 to 32767.
        sum_bits: bits of a sum, 64 or 32: those of the biases in the file.
    """

    c_type = "asc_output_s16_t"
    minimum: int
    maximum: int
    sum_bits: int


@dataclass(frozen=True)
class ConvS16Params(WindowParams):
    """A convolution.

    Attributes:
        range: the codes of the output.
        weights: (output channels, window rows, window columns, input channels).
        channels: bias and multiplier of each output channel.
    """

    c_type = "asc_conv_s16_t"
    range: OutputRangeS16
    weights: Int8Array
    channels: ChannelS16Array

    @property
    def windows(self) -> int:
        """Windows are multiplied by the weights one at a time."""
        return 1


@dataclass(frozen=True)
class TransposeConvS16Params(KernelParams):
    """A transposed convolution.

    Attributes:
        input_width, output_width: pixels of a row of input and output.
        input_channels, output_channels: codes of a pixel of input and output.
        height, width: pixels of the kernel of weights.
        stride_y, stride_x: rows and columns from one place of the kernel to the next.
        top, left: rows and columns of the full result before the output.
        range: the codes of the output.
        weights: (output channels, kernel rows, kernel columns, input channels).
        channels: bias and multiplier of each output channel.
    """

    c_type = "asc_transpose_conv_s16_t"
    input_width: int
    input_channels: int
    output_width: int
    output_channels: int
    height: int
    width: int
    stride_y: int
    stride_x: int
    top: int
    left: int
    range: OutputRangeS16
    weights: Int8Array
    channels: ChannelS16Array

    @property
    def windows(self) -> int:
        """Windows are multiplied by the weights one at a time."""
        return 1


@dataclass(frozen=True)
class DepthwiseConvS16Params(WindowParams):
    """A depthwise convolution.

    Attributes:
        range: the codes of the output.
        weights: (window rows, window columns, output channels).
        channels: bias and multiplier of each output channel.
    """

    c_type = "asc_depthwise_conv_s16_t"
    range: OutputRangeS16
    weights: Int8Array
    channels: ChannelS16Array


@dataclass(frozen=True)
class DenseS16Params(KernelParams):
    """A dense layer.

    Attributes:
        rows: number of independent inputs of a run.
        inputs, outputs: codes of one input and of its output.
        range: the codes of the output.
        weights: (outputs, inputs).
        channels: bias and multiplier of each output.
    """

    c_type = "asc_dense_s16_t"
    rows: int
    inputs: int
    outputs: int
    range: OutputRangeS16
    weights: Int8Array
    channels: ChannelS16Array

    @property
    def windows(self) -> int:
        """Inputs are multiplied by the weights one at a time."""
        return 1


@dataclass(frozen=True)
class ConvertCodesParams(KernelParams):
    """Another quantization, or another type, for ``size`` codes.

    Attributes:
        size: number of codes of a run.
        input: quantization of the input against that of the output.
        range: the codes of the output.
        input_bytes, output_bytes: bytes of a code, 1, 2 or 4.
    """

    c_type = "asc_convert_codes_t"
    size: int
    input: Operand
    range: OutputRange
    input_bytes: int
    output_bytes: int


@dataclass(frozen=True)
class LeakyReluS16Params(KernelParams):
    """Two factors, one for values below 0, with its sign, and one for others."""

    c_type = "asc_leaky_relu_s16_t"
    size: int
    identity: Operand
    below: Operand
    sign: int


@dataclass(frozen=True)
class AbsS16Params(KernelParams):
    """Absolute values on another scale.

    Attributes:
        size: codes of a row.
        multiplier, shift: real factor = multiplier / 2^31 * 2^shift.
    """

    c_type = "asc_abs_s16_t"
    size: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class RsqrtS16Params(KernelParams):
    """Reciprocal square roots.

    Attributes:
        size: codes of a row.
        multiplier, shift: the code of 1 / sqrt(1) = multiplier / 2^31 * 2^shift.
    """

    c_type = "asc_rsqrt_s16_t"
    size: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class SigmoidS16Params(KernelParams):
    """The logistic function or the hyperbolic tangent.

    Attributes:
        size: number of codes of a run.
        multiplier, shift: real factor = multiplier / 2^shift of a code for a position in the table.
        table: 256 values of the logistic function, 24 for each step of 1 from 0 on.
    """

    c_type = "asc_sigmoid_s16_t"
    size: int
    multiplier: int
    shift: int
    table: Uint16Array


@dataclass(frozen=True)
class SoftmaxS16Params(KernelParams):
    """Softmax over each of ``rows`` groups of ``classes`` codes.

    Attributes:
        rows: number of groups of a run.
        classes: codes of a group, 1 to 65535.
        multiplier, shift: bring a difference of codes to 65535ths of 10.
        exponentials: 513 values of exp(x) for x from -10 to 0.
        reciprocals: 513 values of 1 / (1 + x) for x from 0 to 1.
    """

    c_type = "asc_softmax_s16_t"
    rows: int
    classes: int
    multiplier: int
    shift: int
    exponentials: Int16Array
    reciprocals: Int16Array


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_abs_s16": AbsS16Params,
        "asc_add_s16": BinaryParams,
        "asc_average_pool_s16": PoolParams,
        "asc_conv_s16": ConvS16Params,
        "asc_convert_codes": ConvertCodesParams,
        "asc_dense_s16": DenseS16Params,
        "asc_depthwise_conv_s16": DepthwiseConvS16Params,
        "asc_leaky_relu_s16": LeakyReluS16Params,
        "asc_logistic_s16": SigmoidS16Params,
        "asc_max_pool_s16": PoolParams,
        "asc_maximum_s16": BinaryParams,
        "asc_mean_s16": MeanParams,
        "asc_minimum_s16": BinaryParams,
        "asc_mul_s16": BinaryParams,
        "asc_pad_s16": PadParams,
        "asc_prelu_s16": BinaryParams,
        "asc_reduce_s16": ReduceParams,
        "asc_rsqrt_s16": RsqrtS16Params,
        "asc_softmax_s16": SoftmaxS16Params,
        "asc_squared_difference_s16": BinaryParams,
        "asc_sub_s16": BinaryParams,
        "asc_sum_s16": SumParams,
        "asc_tanh_s16": SigmoidS16Params,
        "asc_transpose_conv_s16": TransposeConvS16Params,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
