"""Lowers CONV_2D, with nearest resizing of its input where it can do that itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import (
    MOSTLY_NARROW,
    ConvParams,
    UpsampledConvParams,
    Window,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import EITHER, WEIGHTED, WEIGHTS, WINDOWED, lowering
from asc_tiny.compiler.lower.upsample_fusion import Upsampling, upsampling
from asc_tiny.compiler.lower.weighted_s16 import conv_stage
from asc_tiny.compiler.lower.weights import (
    activation_note,
    channels_of,
    check_channels,
    rounded_sums,
    sums_of,
    weights_of,
)
from asc_tiny.compiler.lower.window import Window2D
from asc_tiny.compiler.weight_packing import GROUP, im2col_column_size, paired
from asc_tiny.tflite.graph import Tensor


@lowering(
    "CONV_2D",
    conditions=f"{WINDOWED}; any dilation; groups, which save nothing; {WEIGHTS}",
    dsp="pairs of windows and filters",
    types=WEIGHTED + "int64 or int32",
    inputs=(2, 3),
    reads_by_row=True,
    signatures=EITHER,
)
def lower_conv_2d(ctx: LoweringContext) -> list[Stage]:
    """CONV_2D with one weight scale per output channel or one in all."""
    weights = weights_of(ctx, dimensions=4)
    filters, height, width, channels = weights.shape
    values = ctx.constants(1)
    if channels != ctx.image(ctx.input(0))[2]:
        values = _without_groups(ctx, values)
        channels = values.shape[3]
    check_channels(ctx, filters)
    window = Window2D.of(ctx, height, width)
    if ctx.has_int16:
        return [conv_stage(ctx, values, window)]
    source = upsampling(ctx)
    if source is not None:
        return [_upsampled(ctx, weights, values, window, source)]
    return [convolution(ctx, weights, values, window, channel_axis=0)]


def convolution(
    ctx: LoweringContext,
    weights: Tensor,
    values: NDArray[Any],
    window: Window2D,
    *,
    channel_axis: int,
) -> Stage:
    """Return a convolution.

    Args:
        ctx: the operator.
        weights: the weights of the operator.
        values: their values with the shape (filters, height, width, channels).
        window: the window of the operator.
        channel_axis: the axis of the filters in ``weights``.
    """
    filters, height, width, channels = values.shape
    column = im2col_column_size(height, channels)
    columns = (ctx.image(ctx.output)[1] - 1) * window.stride_x + (width - 1) * window.dilation_x + 1
    # Column by column, as the kernel arranges its windows
    data = np.zeros((filters, width, column), np.int8)
    per_channel = values.reshape(filters, -1)
    own = channels_of(ctx, weights, per_channel, channel_axis=channel_axis)
    rounded = rounded_sums(ctx, own, per_channel)
    by_column = rounded.weights.reshape(values.shape).transpose(0, 2, 1, 3)
    data[:, :, : height * channels] = by_column.reshape(filters, width, -1)
    matrix = paired(data.reshape(filters, -1))
    params = ConvParams(
        **vars(window.params(ctx)),
        columns=columns,
        column_size=column,
        depth=matrix.shape[1] * GROUP,
        widens=0,
        input_zero_point=ctx.quantization(ctx.input(0))[1],
        range=ctx.range(narrow=rounded.narrow),
        weights=ctx.array("weights", matrix, weights=True),
        channels=rounded.channels,
    )
    return ctx.stage(
        "asc_conv",
        params,
        inputs=[window.rows(ctx)],
        macs=ctx.output.size * height * width * channels,
        note=f", {height}x{width}{activation_note(ctx)}",
    )


def _upsampled(
    ctx: LoweringContext,
    weights: Tensor,
    values: NDArray[Any],
    window: Window2D,
    source: Upsampling,
) -> Stage:
    """Return a convolution whose input's pixels are repeated; see ``upsampling``.

    Every column of the window is a filter of its own over columns of the source.
    """
    filters, height, width, channels = values.shape
    column = im2col_column_size(height, channels)
    per_channel = sums_of(ctx, 0)
    own = channels_of(ctx, weights, per_channel, channel_axis=0)
    rounded = rounded_sums(ctx, own, per_channel)
    by_column = rounded.weights.reshape(values.shape).transpose(2, 0, 1, 3)
    data = np.zeros((width * filters, column), np.int8)
    data[:, : height * channels] = by_column.reshape(width * filters, -1)
    matrix = paired(data)
    zero_point = ctx.quantization(ctx.input(0))[1]
    padding = zero_point * data.astype(np.int64).sum(axis=1)
    columns = ctx.image(source.source)[1]
    inner = ConvParams(
        input_width=columns,
        input_channels=channels,
        output_width=columns,
        output_channels=width * filters,
        window=Window(height, 1, 1, 1, 0),
        columns=columns,
        column_size=column,
        depth=matrix.shape[1] * GROUP,
        widens=0,
        input_zero_point=zero_point,
        range=None,
        weights=ctx.array("weights", matrix, weights=True),
        channels=None,
    )
    # These kernels know no mostly narrow layers.
    narrow = 0 if rounded.narrow == MOSTLY_NARROW else rounded.narrow
    params = UpsampledConvParams(
        columns=inner,
        output_width=ctx.image(ctx.output)[1],
        output_channels=filters,
        width=width,
        left=window.left,
        factor=source.factor,
        range=ctx.range(narrow=narrow),
        channels=rounded.channels,
        padding=ctx.array("padding", padding.astype(np.int32)),
    )
    return ctx.stage(
        "asc_upsampled_conv",
        params,
        inputs=[
            source.row(ctx, k * window.dilation_y - window.top, window.stride_y)
            for k in range(height)
        ],
        macs=ctx.image(ctx.output)[0] * columns * width * filters * height * channels,
        note=f", {height}x{width}, pixels repeated {source.factor} times{activation_note(ctx)}",
    )


def _without_groups(ctx: LoweringContext, weights: NDArray[Any]) -> NDArray[np.int8]:
    """Return the filters of a grouped convolution with zeros for all channels of other groups."""
    filters, height, width, depth = weights.shape
    channels = ctx.image(ctx.input(0))[2]
    groups = channels // depth
    if groups * depth != channels or filters % groups:
        ctx.error(f"{filters} filters of {depth} channels for {channels}")
    ctx.check_expanded(filters * height * width * channels)
    full = np.zeros((groups, filters // groups, height, width, groups, depth), np.int8)
    for group, part in enumerate(weights.reshape(groups, -1, height, width, depth)):
        full[group, ..., group, :] = part
    return full.reshape(filters, height, width, channels)
