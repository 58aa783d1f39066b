"""Working memory that CMSIS-NN's kernels ask for (its functions ``*_get_buffer_size``)."""

from __future__ import annotations

from enum import Enum

from asc_tiny.tflite.operands import OperatorView


class Core(Enum):
    """What CMSIS-NN is built for.

    Attributes:
        PLAIN: cores without the DSP extension, such as Cortex-M0+ and M3.
        DSP: such as Cortex-M4, M7 and M33.
        DSP_ARM_COMPILER: the same built by Arm Compiler 6, where kernels differ.
        MVE: the vector extension, such as Cortex-M55.
    """

    PLAIN = "CMSIS-NN"
    DSP = "CMSIS-NN for DSP"
    DSP_ARM_COMPILER = "CMSIS-NN for DSP by Arm Compiler"
    MVE = "CMSIS-NN for MVE"


_MVE_CHANNELS = 124
"""Channels that a depthwise convolution for MVE works on at a time (CH_IN_BLOCK_MVE)."""


def conv_2d(op: OperatorView, core: Core) -> int:
    """Return the bytes for a convolution (arm_convolve_wrapper_s8_get_buffer_size)."""
    source, weights, result = op.input(0).shape, op.input(1).shape, op.output.shape
    _, height, width, channels = weights
    options = op.options
    dilated = (options["dilation_h_factor"], options["dilation_w_factor"]) != (1, 1)
    stride = (options["stride_h"], options["stride_w"])
    padding = tuple(_padding(op, source, weights, result, axis) for axis in (1, 2))
    grouped = source[3] != channels
    if (height, width) == (1, 1) and padding == (0, 0) and not dilated and not grouped:
        return one_by_one(source[3], core) if stride == (1, 1) else 0
    one_high = source[1] == 1 and height == 1 and not grouped
    # Only the dilation along the width keeps from the kernels for one row.
    if one_high and options["dilation_w_factor"] == 1 and stride[1] * source[3] % 4 == 0:
        return _one_row(source, width, result, stride[1], padding[1], core)
    return _columns(source[3] * height * width, core)


def conv_2d_s16(op: OperatorView, core: Core) -> int:
    """Return the bytes for 16-bit codes (arm_convolve_wrapper_s16_get_buffer_size)."""
    _, height, width, _ = op.input(1).shape
    length = op.input(0).shape[3] * height * width
    return 2 * (4 * 8 * -(-length // 8) if core is Core.MVE else 2 * length)


def one_by_one(channels: int, core: Core) -> int:
    """Return the bytes for a 1x1 convolution (arm_convolve_1x1_s8_fast_get_buffer_size)."""
    return 4 * channels if core is Core.DSP_ARM_COMPILER else 0


def depthwise_conv_2d(op: OperatorView, core: Core) -> int:
    """Return the bytes (arm_depthwise_conv_wrapper_s8_get_buffer_size)."""
    source, weights, result = op.input(0).shape, op.input(1).shape, op.output.shape
    _, height, width, _ = weights
    options = op.options
    dilation = (options["dilation_h_factor"], options["dilation_w_factor"])
    if core is Core.MVE and source[3] == 1 and result[3] > 1:
        return _one_channel(op, source, weights, result)
    if source[3] != result[3] or source[0] != 1 or dilation != (1, 1):
        return 0
    if core is Core.MVE:
        return 4 * _MVE_CHANNELS * height * width
    padding = [_padding(op, source, weights, result, axis) for axis in (1, 2)]
    if core is Core.PLAIN or ((height, width) == (3, 3) and max(padding) <= 1):
        return 0
    return 2 * source[3] * height * width


def fully_connected(outputs: int, core: Core) -> int:
    """Return the bytes for a dense layer (arm_fully_connected_s8_get_buffer_size)."""
    return 4 * outputs if core is Core.MVE else 0


def svdf(op: OperatorView, core: Core) -> int:
    """Return the bytes of the filters' sums that an SVDF keeps (arm_svdf_s8_get_buffer_size)."""
    return 4 * op.input(1).shape[0] if core is Core.MVE else 0


def average_pool_2d(channels: int, core: Core) -> int:
    """Return the bytes for an average pool (arm_avgpool_s8_get_buffer_size, the same for s16)."""
    return 4 * channels if core in (Core.DSP, Core.DSP_ARM_COMPILER) else 0


_REVERSED_CHANNELS = 16
"""Up to so many input channels a transposed convolution does not become a convolution."""


def transpose_conv(op: OperatorView, core: Core) -> tuple[int, int]:
    """Return the bytes of a transposed convolution and of its reversed filter.

    Rules: arm_transpose_conv_s8_get_buffer_size and its reverse_conv_buffer_size.
    """
    outputs, height, width, channels = op.input(1).shape
    _, _, input_width, _ = op.input(2).shape
    stride_h, stride_w = op.options["stride_h"], op.options["stride_w"]
    if max(stride_h, stride_w) <= 2 and channels > _REVERSED_CHANNELS:
        length = channels * height * width
        return _columns(length, core), length * outputs
    row = ((input_width - 1) * stride_w + max(width, stride_h)) * outputs
    return 4 * row * max(height, stride_h), 0


def _padding(
    op: OperatorView,
    source: tuple[int, ...],
    weights: tuple[int, ...],
    result: tuple[int, ...],
    axis: int,
) -> int:
    """Return the padding before the first row (axis 1) or column (axis 2)."""
    letter = "hw"[axis - 1]
    stride = op.options[f"stride_{letter}"]
    reach = (weights[axis] - 1) * op.options[f"dilation_{letter}_factor"] + 1
    if op.options["padding"] != "SAME":
        return 0
    return int(max((result[axis] - 1) * stride + reach - source[axis], 0)) // 2


def _columns(length: int, core: Core) -> int:
    """Return the bytes of the columns that a convolution gathers, of ``length`` codes each."""
    if core is Core.MVE:
        return 4 * 16 * -(-length // 16)
    return 2 * 2 * (4 * -(-length // 4))


def _one_row(
    source: tuple[int, ...],
    width: int,
    result: tuple[int, ...],
    stride: int,
    padding: int,
    core: Core,
) -> int:
    channels = source[3]
    if core is not Core.MVE:
        return _columns(channels * width, core)
    missing = (result[2] - 1) * stride + width - source[2]
    # As C does: the remainder has the dividend's sign.
    odd = abs(missing) % 2 * (1 if missing >= 0 else -1)
    right = max(1, (padding + odd + stride - 1) // stride) if padding + odd else 0
    left = max(1, (padding + stride - 1) // stride) if padding else 0
    inner = max(result[2] - (right + left), 0)
    if right + inner + left != result[2]:
        return _columns(channels * width, core)
    right_bytes = right * channels if odd else padding * channels
    return max((width + padding) * channels, (width - 1) * channels + right_bytes)


def _one_channel(
    op: OperatorView,
    source: tuple[int, ...],
    weights: tuple[int, ...],
    result: tuple[int, ...],
) -> int:
    """Return the bytes for MVE where a depthwise convolution of one channel becomes a full one."""
    _, height, width, outputs = weights
    options = op.options
    undilated = (options["dilation_h_factor"], options["dilation_w_factor"]) == (1, 1)
    padding = [_padding(op, source, weights, result, axis) for axis in (1, 2)]
    copy = outputs * height * width
    if (height, width) == (1, 1) and padding == [0, 0] and undilated:
        return copy
    one_high = source[1] == 1 and height == 1
    if one_high and options["dilation_w_factor"] == 1 and options["stride_w"] % 4 == 0:
        return copy + _one_row(source, width, result, options["stride_w"], padding[1], Core.MVE)
    return copy + _columns(height * width, Core.MVE)
