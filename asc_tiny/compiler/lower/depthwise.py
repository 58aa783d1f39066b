"""Lowers DEPTHWISE_CONV_2D."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import DepthwiseConvParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.conv import convolution
from asc_tiny.compiler.lower.rule import EITHER, WEIGHTED, WEIGHTS, WINDOWED, lowering
from asc_tiny.compiler.lower.weighted_s16 import depthwise_stage
from asc_tiny.compiler.lower.weights import (
    activation_note,
    channels_of,
    check_channels,
    rounded_sums,
    sums_of,
    weights_of,
)
from asc_tiny.compiler.lower.window import Window2D

_TAPS_AT_ONCE = 72
"""Taps of those pixels for which weights are widened once: their addresses take scratch memory."""


@lowering(
    "DEPTHWISE_CONV_2D",
    conditions=f"{WINDOWED}; any dilation and multiplier; {WEIGHTS}",
    dsp="four channels at once where the multiplier is 1, as CONV_2D for one channel",
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
    if depth == 1:
        # Every filter reads all of the pixel
        values = ctx.constants(1).transpose(3, 1, 2, 0)
        return [convolution(ctx, weights, values, window, channel_axis=3)]
    taps = height * width
    per_channel = sums_of(ctx, 3)
    own = channels_of(ctx, weights, per_channel, channel_axis=3)
    rounded = rounded_sums(ctx, own, per_channel)
    params = DepthwiseConvParams(
        **vars(window.params(ctx)),
        pixels=max(1, min(ctx.image(ctx.output)[1], _TAPS_AT_ONCE // taps)),
        input_zero_point=ctx.quantization(ctx.input(0))[1],
        range=ctx.range(narrow=rounded.narrow),
        weights=ctx.array("weights", rounded.weights.T),
        channels=rounded.channels,
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
