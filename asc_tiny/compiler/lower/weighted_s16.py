"""Stages of operators with weights whose codes have 16 bits: weights lie as in the file.

Zero points are 0, so kernels read windows where they lie, and need neither columns nor phases.
Source of the arithmetic: TFLite Micro, ConvPerChannel and its like in
kernels/internal/reference/integer_ops, MultiplyByQuantizedMultiplier in kernels/internal/common.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    CHANNEL_S16,
    Array,
    ConvS16Params,
    DenseS16Params,
    DepthwiseConvS16Params,
    OutputRangeS16,
    TransposeConvS16Params,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import MOST_WIDE_SHIFT, multiplier, wide_multiplier
from asc_tiny.compiler.lower.weights import activation_note, real_multipliers, sums_of
from asc_tiny.compiler.lower.window import Window2D
from asc_tiny.tflite.graph import Tensor
from asc_tiny.tflm.resolver import reads_absent_bias

BIASES = ("INT64", "INT32")
"""The types of biases; sums have as many bits."""

_INT32_TYPE = 2
"""INT32 in the schema's list of types."""

# Where TensorFlow Lite Micro's function is defined for 64 bits
_MOST_SUM = 2**47
_MOST_SHIFT_32 = 30


def conv_stage(ctx: LoweringContext, values: NDArray[Any], window: Window2D) -> Stage:
    """Return the stage of a convolution.

    Args:
        ctx: the operator.
        values: weights, shape (filters, height, width, channels), without groups.
        window: the window.
    """
    _, height, width, channels = values.shape
    output_range, own = _sums(ctx, sums_of(ctx, 0))
    params = ConvS16Params(
        **vars(window.params(ctx)),
        range=output_range,
        weights=ctx.array("weights", values),
        channels=own,
    )
    return ctx.stage(
        "asc_conv_s16",
        params,
        inputs=[window.rows(ctx)],
        macs=ctx.output.size * height * width * channels,
        note=f", {height}x{width}{activation_note(ctx)}",
    )


def depthwise_stage(ctx: LoweringContext, window: Window2D) -> Stage:
    """Return the stage of a depthwise convolution."""
    values = ctx.constants(1)
    _, height, width, _ = values.shape
    output_range, own = _sums(ctx, sums_of(ctx, 3), axis=3, biases=("INT64",))
    params = DepthwiseConvS16Params(
        **vars(window.params(ctx)),
        range=output_range,
        weights=ctx.array("weights", values),
        channels=own,
    )
    return ctx.stage(
        "asc_depthwise_conv_s16",
        params,
        inputs=[window.rows(ctx)],
        macs=ctx.output.size * height * width,
        note=f", {height}x{width}{activation_note(ctx)}",
    )


def transpose_stage(
    ctx: LoweringContext, strides: tuple[int, int], before: tuple[int, int]
) -> Stage:
    """Return the stage of a transposed convolution.

    Args:
        ctx: the operator.
        strides: rows and columns from one place of the kernel to the next.
        before: rows and columns of the full result before the output.
    """
    values = ctx.constants(1)
    filters, height, width, channels = values.shape
    (source_height, source_width, _), target = ctx.image(ctx.input(2)), ctx.image(ctx.output)
    output_range, own = _sums(ctx, sums_of(ctx, 0), source=2, bias=3, biases=("INT64", "INT16"))
    params = TransposeConvS16Params(
        input_width=source_width,
        input_channels=channels,
        output_width=target[1],
        output_channels=filters,
        height=height,
        width=width,
        stride_y=strides[0],
        stride_x=strides[1],
        top=before[0],
        left=before[1],
        range=output_range,
        weights=ctx.array("weights", values),
        channels=own,
    )
    rows = RowAccess(
        ctx.view(ctx.input(2)),
        count=-(-height // strides[0]),
        step=-1,
        offset=before[0],
        divisor=strides[0],
    )
    return ctx.stage(
        "asc_transpose_conv_s16",
        params,
        inputs=[rows],
        macs=source_height * source_width * values.size,
        note=f", {height}x{width}{activation_note(ctx)}",
    )


def dense_stage(ctx: LoweringContext, source: RowAccess, weights: Tensor) -> Stage:
    """Return the stage of a dense layer on each of the inputs in a row."""
    outputs, inputs = weights.shape
    output_range, own = _sums(ctx, sums_of(ctx, 0))
    params = DenseS16Params(
        rows=source.view.row_elements // inputs,
        inputs=inputs,
        outputs=outputs,
        range=output_range,
        weights=ctx.array("weights", ctx.constants(1)),
        channels=own,
    )
    return ctx.stage(
        "asc_dense_s16",
        params,
        inputs=[source],
        macs=ctx.output.size * inputs,
        note=activation_note(ctx),
    )


def _sums(
    ctx: LoweringContext,
    per_channel: NDArray[Any],
    *,
    source: int = 0,
    bias: int = 2,
    axis: int = 0,
    biases: Sequence[str] = BIASES,
) -> tuple[OutputRangeS16, Array]:
    """Return the codes of the output, and bias, multiplier and shift of each channel.

    Args:
        ctx: the operator.
        per_channel: the weights of each channel, shape (channels, values).
        source, bias: positions of these inputs.
        axis: the axis of the channels in the weights.
        biases: the types that the bias may have.
    """
    values, bits = _bias(ctx, bias, len(per_channel), biases)
    reals = real_multipliers(ctx, ctx.input(source), ctx.input(1), len(per_channel), axis)
    pairs = _factors(ctx, reals, bits)
    reach = np.abs(values) + 2**15 * np.abs(per_channel.astype(np.int64)).sum(axis=1)
    if bits == 64 and int(reach.max()) >= _MOST_SUM:
        ctx.error("the sum of a channel may exceed 47 bits; use smaller biases")
    rows = [
        (value, factor, shift)
        for value, (factor, shift) in zip(values.tolist(), pairs, strict=True)
    ]
    low, high = ctx.codes()
    return OutputRangeS16(low, high, bits), ctx.array("channels", np.array(rows, CHANNEL_S16))


def _factors(ctx: LoweringContext, reals: Sequence[float], bits: int) -> list[tuple[int, int]]:
    """Return multiplier and shift of each channel, for sums of 32 or 64 bits."""
    pairs = [multiplier(real) for real in reals]
    if max(shift for _, shift in pairs) > (MOST_WIDE_SHIFT if bits == 64 else _MOST_SHIFT_32):
        ctx.error("the output's scale is too small for its input and weights")
    return [wide_multiplier(*pair) for pair in pairs] if bits == 64 else pairs


def _bias(
    ctx: LoweringContext, position: int, channels: int, types: Sequence[str]
) -> tuple[NDArray[np.int64], int]:
    """Return the bias of each channel, and the bits of sums that go with its type."""
    bias = ctx.optional_input(position)
    if bias is None:
        if position < len(ctx.operator.inputs) and reads_absent_bias(ctx.name):
            ctx.error("the bias is absent; leave it out of the inputs")
        if ctx.name == "DEPTHWISE_CONV_2D":
            ctx.error("has no bias, which TensorFlow Lite Micro needs with 16-bit activations")
        stated = int(ctx.options.get("quantized_bias_type", 0))
        return np.zeros(channels, np.int64), 32 if stated == _INT32_TYPE else 64
    if bias.dtype == "INT32" and "INT32" not in types:
        ctx.error(
            "bias is INT32, which TensorFlow Lite Micro reads as INT64, so that its results mean "
            "nothing; convert anew with biases of 64 bits"
        )
    if bias.dtype not in types:
        ctx.error(f"bias is {bias.dtype}, must be {' or '.join(types)}")
    values = ctx.constants(position, channels).ravel().astype(np.int64)
    return values, 32 if bias.dtype == "INT32" else 64
