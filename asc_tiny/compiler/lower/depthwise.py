"""Lowers DEPTHWISE_CONV_2D."""

from __future__ import annotations

import numpy as np

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import DepthwiseConvParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import EITHER, WEIGHTED, WEIGHTS, WINDOWED, lowering
from asc_tiny.compiler.lower.weighted_s16 import depthwise_stage
from asc_tiny.compiler.lower.weights import (
    activation_note,
    channels_of,
    check_channels,
    is_narrow,
    sums_of,
    weights_of,
)
from asc_tiny.compiler.lower.window import Window2D


@lowering(
    "DEPTHWISE_CONV_2D",
    conditions=f"{WINDOWED}; any dilation and multiplier; {WEIGHTS}",
    dsp="four channels at once where the multiplier is 1",
    types=WEIGHTED + "int64",
    inputs=(2, 3),
    reads_by_row=True,
    signatures=EITHER,
)
def lower_depthwise_conv_2d(ctx: LoweringContext) -> list[Stage]:
    """DEPTHWISE_CONV_2D with any depth multiplier."""
    weights = weights_of(ctx, dimensions=4)
    _, height, width, channels = weights.shape
    depth = ctx.image(ctx.input(0))[2]
    if channels % depth:
        ctx.error("output channels must be a multiple of the input's")
    check_channels(ctx, channels)
    window = Window2D.of(ctx, height, width)
    if ctx.has_int16:
        return [depthwise_stage(ctx, window)]
    taps = height * width
    # Two taps side by side, a zero behind an odd one
    pairs = np.zeros((-(-taps // 2), 2, channels), np.int16)
    pairs.reshape(-1, channels)[:taps] = ctx.constants(1).reshape(taps, channels)
    filters, per_channel = (
        ctx.array("weights", pairs.transpose(0, 2, 1), weights=True),
        channels_of(ctx, weights, sums_of(ctx, 3), channel_axis=3),
    )
    params = DepthwiseConvParams(
        **vars(window.params(ctx)),
        input_zero_point=ctx.quantization(ctx.input(0))[1],
        range=ctx.range(narrow=is_narrow(per_channel, sums_of(ctx, 3))),
        weights=filters,
        channels=per_channel,
    )
    return [
        ctx.stage(
            "asc_depthwise_conv",
            params,
            inputs=[window.rows(ctx)],
            macs=ctx.output.size * taps,
            note=f", {height}x{width}{activation_note(ctx)}",
        )
    ]
