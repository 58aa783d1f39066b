"""Lowers convolution, depthwise convolution and dense layers to stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import Array, RowAccess, Stage
from asc_tiny.compiler.lower.context import LoweringContext, braces
from asc_tiny.compiler.lower.requantization import (
    INT32_MAX,
    multiplier,
    product_scale,
    same_padding,
)
from asc_tiny.compiler.lower.upsample_fusion import Upsampling, upsampling
from asc_tiny.compiler.weight_packing import (
    GROUP,
    PAIR,
    im2col_column_size,
    padded_channels,
    padded_depth,
)
from asc_tiny.tflite.graph import Tensor

_NARROW_BITS = 16
_POINTER_BYTES = 8


def lower_conv_2d(ctx: LoweringContext) -> list[Stage]:
    """CONV_2D with one weight scale per output channel or one in all."""
    weights = weights_of(ctx, dimensions=4)
    filters, height, width, channels = weights.shape
    values = ctx.constants(1)
    if channels != ctx.image(ctx.input(0))[2]:
        values = _without_groups(ctx, values)
        channels = values.shape[3]
    _check_channels(ctx, filters)
    window = Window.of(ctx, height, width)
    source = upsampling(ctx)
    if source is not None:
        return [_upsampled(ctx, weights, values, window, source)]
    column = im2col_column_size(height, channels)
    columns = (ctx.image(ctx.output)[1] - 1) * window.stride_x + (width - 1) * window.dilation_x + 1
    # Column by column, as the kernel arranges its windows
    data = np.zeros((filters, width, column), np.int8)
    by_column = values.transpose(0, 2, 1, 3).reshape(filters, width, -1)
    data[:, :, : height * channels] = by_column
    matrix = paired(data.reshape(filters, -1))
    arrays = (
        ctx.array("weights", "int8_t", matrix, weights=True),
        _channels(ctx, weights, channel_axis=0),
    )
    depth = matrix.shape[1] * GROUP
    fields = {
        **window.fields(ctx),
        "columns": str(columns),
        "column_size": str(column),
        "depth": str(depth),
        "input_zero_point": str(ctx.quantization(ctx.input(0))[1]),
        "range": ctx.range(narrow=_is_narrow(ctx, arrays[1])),
        "weights": arrays[0].name,
        "channels": arrays[1].name,
    }
    dilated = depth if window.dilation_x != 1 else 0
    return [
        ctx.stage(
            "asc_conv",
            fields,
            inputs=[window.rows(ctx)],
            arrays=arrays,
            scratch=2 * (columns * column + 2 * GROUP + dilated),
            scratch_per_row=2 * columns * column,
            scales=("input_width", "output_width", "columns") if window.is_pixel else (),
            macs=ctx.output.size * height * width * channels,
            windows_per_run=ctx.image(ctx.output)[1],
            note=f", {height}x{width}{activation_note(ctx)}",
        )
    ]


def _upsampled(
    ctx: LoweringContext, weights: Tensor, values: NDArray[Any], window: Window, source: Upsampling
) -> Stage:
    """Return a convolution whose input's pixels are repeated; see ``upsampling``.

    Every column of the window is a filter of its own over columns of the source.
    """
    filters, height, width, channels = values.shape
    column = im2col_column_size(height, channels)
    by_column = values.transpose(2, 0, 1, 3)
    data = np.zeros((width * filters, column), np.int8)
    data[:, : height * channels] = by_column.reshape(width * filters, -1)
    matrix = paired(data)
    depth = matrix.shape[1] * GROUP
    zero_point = ctx.quantization(ctx.input(0))[1]
    arrays = (
        ctx.array("weights", "int8_t", matrix, weights=True),
        _channels(ctx, weights, channel_axis=0),
        ctx.array("padding", "int32_t", zero_point * data.astype(np.int64).sum(axis=1)),
    )
    columns = ctx.image(source.source)[1]
    conv = {
        "input_width": columns,
        "input_channels": channels,
        "output_width": columns,
        "output_channels": width * filters,
        "window": braces(height, 1, 1, 1, 0),
        "columns": columns,
        "column_size": column,
        "depth": depth,
        "input_zero_point": zero_point,
        "weights": arrays[0].name,
    }
    fields = {
        **{f"columns.{name}": str(value) for name, value in conv.items()},
        "output_width": str(ctx.image(ctx.output)[1]),
        "output_channels": str(filters),
        "width": str(width),
        "left": str(window.left),
        "factor": str(source.factor),
        "range": ctx.range(narrow=_is_narrow(ctx, arrays[1])),
        "channels": arrays[1].name,
        "padding": arrays[2].name,
    }
    return ctx.stage(
        "asc_upsampled_conv",
        fields,
        inputs=[
            source.row(ctx, k * window.dilation_y - window.top, window.stride_y)
            for k in range(height)
        ],
        arrays=arrays,
        scratch=upsampled_scratch(fields),
        macs=ctx.image(ctx.output)[0] * columns * width * filters * height * channels,
        windows_per_run=columns,
        note=f", {height}x{width}, pixels repeated {source.factor} times{activation_note(ctx)}",
    )


def upsampled_scratch(fields: Mapping[str, str]) -> int:
    """Return the bytes for the taps' places, then sums, then columns."""
    columns, sums, column = (
        int(fields[f"columns.{name}"]) for name in ("columns", "output_channels", "column_size")
    )
    places = _POINTER_BYTES * int(fields["width"]) * int(fields["output_width"])
    return places + columns * (4 * padded_channels(sums) + 2 * column) + 4 * GROUP


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


def paired(matrix: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return weights (channels, depth) as kernels read them.

    Two channels side by side, four values of each at a time. Zeros fill up depth and channels.

    Returns:
        Shape (pairs of channels, groups, 2, 4).
    """
    channels, depth = matrix.shape
    full = np.zeros((padded_channels(channels), padded_depth(depth)), np.int8)
    full[:channels, :depth] = matrix
    return full.reshape(-1, PAIR, full.shape[1] // GROUP, GROUP).transpose(0, 2, 1, 3)


def unpaired(values: NDArray[np.int8], channels: int, depth: int) -> NDArray[np.int8]:
    """Return weights (channels, depth) from what ``paired`` returns."""
    shaped = values.reshape(-(-channels // 2), -1, 2, GROUP)
    matrix = shaped.transpose(0, 2, 1, 3).reshape(-(-channels // 2) * 2, -1)
    return matrix[:channels, :depth]


def lower_depthwise_conv_2d(ctx: LoweringContext) -> list[Stage]:
    """DEPTHWISE_CONV_2D with any depth multiplier."""
    weights = weights_of(ctx, dimensions=4)
    _, height, width, channels = weights.shape
    depth = ctx.image(ctx.input(0))[2]
    if channels % depth:
        ctx.error("output channels must be a multiple of the input's")
    _check_channels(ctx, channels)
    window = Window.of(ctx, height, width)
    taps = height * width
    # Two taps side by side, a zero behind an odd one
    pairs = np.zeros((-(-taps // 2), 2, channels), np.int64)
    pairs.reshape(-1, channels)[:taps] = ctx.constants(1).reshape(taps, channels)
    arrays = (
        ctx.array("weights", "int16_t", pairs.transpose(0, 2, 1), weights=True),
        _channels(ctx, weights, channel_axis=3),
    )
    fields = {
        **window.fields(ctx),
        "input_zero_point": str(ctx.quantization(ctx.input(0))[1]),
        "range": ctx.range(narrow=_is_narrow(ctx, arrays[1])),
        "weights": arrays[0].name,
        "channels": arrays[1].name,
    }
    return [
        ctx.stage(
            "asc_depthwise_conv",
            fields,
            inputs=[window.rows(ctx)],
            arrays=arrays,
            # The taps' places, and a pixel of padding
            scratch=_POINTER_BYTES * 2 * len(pairs) + depth,
            macs=ctx.output.size * taps,
            note=f", {height}x{width}{activation_note(ctx)}",
        )
    ]


def lower_fully_connected(ctx: LoweringContext) -> list[Stage]:
    """FULLY_CONNECTED on every row of the input."""
    weights = weights_of(ctx, dimensions=2)
    outputs, inputs = weights.shape
    if ctx.operator.options["weights_format"] != 0:
        ctx.error("shuffled weights are not supported; convert anew for microcontrollers")
    if ctx.input(0).size % inputs or ctx.input(0).size // inputs * outputs != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} inputs do not fill rows of {inputs}")
    _check_bias_scale(ctx, weights)
    matrix = paired(ctx.constants(1))
    padded = matrix.shape[1] * GROUP
    arrays = (
        ctx.array("weights", "int8_t", matrix, weights=True),
        _channels(ctx, weights, channel_axis=0),
    )
    source, target = ctx.view(ctx.input(0)), ctx.view(ctx.output)
    if source.rows != target.rows or source.row_bytes * outputs != target.row_bytes * inputs:
        source = ctx.reshaped(source, 1, source.rows * source.row_bytes)
    if source.rows != target.rows:
        ctx.error(
            f"shape {list(ctx.input(0).shape)} into {list(ctx.output.shape)} is not supported"
        )
    fields = {
        "rows": str(source.row_bytes // inputs),
        "inputs": str(inputs),
        "outputs": str(outputs),
        "depth": str(padded),
        "range": ctx.range(narrow=_is_narrow(ctx, arrays[1])),
        "weights": arrays[0].name,
        "channels": arrays[1].name,
    }
    return [
        ctx.stage(
            "asc_dense",
            fields,
            inputs=[RowAccess(source)],
            arrays=arrays,
            scratch=2 * padded,
            macs=ctx.output.size * inputs,
            windows_per_run=1,
            note=activation_note(ctx),
        )
    ]


_BIAS_TOLERANCE = 0.02


def _check_bias_scale(ctx: LoweringContext, weights: Tensor) -> None:
    """Check that the bias counts in steps of the sums, as TensorFlow Lite Micro does here.

    Like it, take no scale for 0, and leave biases of weights with scales per channel.
    """
    bias = ctx.optional_input(2)
    if bias is None or len(weights.scales) != 1:
        return
    stated = bias.scales[0] if len(bias.scales) == len(bias.zero_points) == 1 else 0.0
    step = ctx.quantization(ctx.input(0))[0] * weights.scales[0]
    if abs(step - stated) / ctx.quantization(ctx.output)[0] > _BIAS_TOLERANCE:
        ctx.error(f"the bias has the scale {stated:g}, input and weights have {step:g}")


@dataclass(frozen=True)
class Window:
    """A window that slides over the input of an operator; ``top`` and ``left`` are padding."""

    height: int
    width: int
    stride_y: int
    stride_x: int
    dilation_y: int
    dilation_x: int
    top: int
    left: int

    @property
    def is_pixel(self) -> bool:
        """Whether each window is one pixel, and all pixels have one."""
        return self.height == self.width == self.stride_y == self.stride_x == 1

    @classmethod
    def of(cls, ctx: LoweringContext, height: int, width: int) -> Window:
        """Return the window of a convolution or pooling operator."""
        options = ctx.operator.options
        source, target = ctx.image(ctx.input(0)), ctx.image(ctx.output)
        strides = (int(options["stride_h"]), int(options["stride_w"]))
        dilations = (
            int(options.get("dilation_h_factor", 1)),
            int(options.get("dilation_w_factor", 1)),
        )
        before = []
        for axis, size in enumerate((height, width)):
            stride, dilation = strides[axis], dilations[axis]
            if stride < 1 or size < 1 or dilation < 1:
                ctx.error(f"window of {height}x{width}, strides {strides}, dilations {dilations}")
            reach = (size - 1) * dilation + 1
            same = options["padding"] == "SAME"
            fitting = source[axis] if same else source[axis] - reach + 1
            if target[axis] != -(-fitting // stride):
                ctx.error(f"output size {target[axis]} does not fit input {source[axis]}")
            before.append(same_padding(source[axis], reach, stride, target[axis]) if same else 0)
        return cls(height, width, *strides, *dilations, *before)

    def rows(self, ctx: LoweringContext) -> RowAccess:
        """Return the rows of input 0 under the window."""
        view = ctx.view(ctx.input(0))
        return RowAccess(
            view, count=self.height, step=self.dilation_y, factor=self.stride_y, offset=-self.top
        )

    def fields(self, ctx: LoweringContext) -> dict[str, str]:
        """Return the members that window kernels have in common, as C text."""
        _, input_width, input_channels = ctx.image(ctx.input(0))
        _, output_width, output_channels = ctx.image(ctx.output)
        return {
            "input_width": str(input_width),
            "input_channels": str(input_channels),
            "output_width": str(output_width),
            "output_channels": str(output_channels),
            "window": braces(self.height, self.width, self.stride_x, self.dilation_x, self.left),
        }


def _check_channels(ctx: LoweringContext, channels: int) -> None:
    if ctx.image(ctx.output)[2] != channels:
        ctx.error(f"{channels} filters for {ctx.image(ctx.output)[2]} output channels")


def weights_of(ctx: LoweringContext, *, dimensions: int) -> Tensor:
    """Return input 1, which must be symmetric int8 constants of so many dimensions."""
    weights = ctx.input(1)
    if weights.data is None or weights.dtype != "INT8" or len(weights.shape) != dimensions:
        ctx.error(
            f"weights must be int8 constants of {dimensions} dimensions; convert anew as full int8"
        )
    if any(weights.zero_points) or not weights.scales or not weights.zero_points:
        ctx.error("weights must be quantised with zero point 0; convert anew as full int8")
    return weights


def _channels(ctx: LoweringContext, weights: Tensor, *, channel_axis: int) -> Array:
    return channels_of(ctx, weights, _per_channel(ctx, channel_axis), channel_axis=channel_axis)


def _per_channel(ctx: LoweringContext, axis: int) -> NDArray[Any]:
    data = ctx.constants(1)
    return np.moveaxis(data, axis, 0).reshape(data.shape[axis], -1)


def channels_of(
    ctx: LoweringContext,
    weights: Tensor,
    per_channel: NDArray[Any],
    *,
    source: int = 0,
    bias: int = 2,
    channel_axis: int,
) -> Array:
    """Return bias, multiplier and shift of each row of weights.

    The bias includes what the input's zero point adds to each sum: padding has its code.

    Args:
        to: the operator.
        weights: of the operator.
        per_channel: the weights of each sum, shape (sums, values); a multiple of the filters.
        source, bias: positions of these inputs.
        channel_axis: of the filters in ``weights``.
    """
    filters = weights.shape[channel_axis]
    copies = len(per_channel) // filters
    sums = per_channel.astype(np.int64)
    zero_point = ctx.quantization(ctx.input(source))[1]
    biases = np.tile(_bias(ctx, bias, filters), copies) - zero_point * sums.sum(axis=1)
    reach = np.abs(biases) + 256 * np.abs(sums).sum(axis=1)
    if reach.max(initial=0) > INT32_MAX:
        ctx.error("the sum of a channel may exceed 32 bits; use fewer inputs or smaller biases")
    scale = ctx.quantization(ctx.input(source))[0]
    reals = _real_multipliers(ctx, scale, weights, filters, channel_axis)
    pairs = [multiplier(real) for real in reals] * copies
    if any(shift > 30 for _, shift in pairs):
        ctx.error("the output's scale is too small for its input and weights")
    rows = [
        (value, factor, -1 - shift)
        for value, (factor, shift) in zip(biases.tolist(), pairs, strict=True)
    ]
    return ctx.array("channels", "asc_channel_t", np.array(rows, np.int64))


def _is_narrow(ctx: LoweringContext, channels: Array) -> bool:
    axis = 3 if ctx.operator.name == "DEPTHWISE_CONV_2D" else 0
    return is_narrow(channels, _per_channel(ctx, axis))


def is_narrow(channels: Array, per_channel: NDArray[Any]) -> bool:
    """Whether no input can bring a sum to 2^30, and shifts are few bits to the right."""
    total = np.abs(per_channel.astype(np.int64)).sum(axis=1)
    bias, _, bits = channels.values.reshape(-1, 3).T
    is_below = bool((np.abs(bias) + 128 * total).max() < 2**30)
    return is_below and 0 <= int(bits.min()) <= int(bits.max()) <= _NARROW_BITS


def _bias(ctx: LoweringContext, position: int, channels: int) -> NDArray[Any]:
    bias = ctx.optional_input(position)
    if bias is None:
        if position < len(ctx.operator.inputs) and ctx.operator.name != "FULLY_CONNECTED":
            # TensorFlow Lite Micro's convolutions read it all the same.
            ctx.error("the bias is absent; leave it out of the inputs")
        return np.zeros(channels, dtype=np.int64)
    if bias.dtype != "INT32":
        ctx.error(f"bias is {bias.dtype}, must be INT32")
    return ctx.constants(position, channels).ravel().astype(np.int64)


def _real_multipliers(
    ctx: LoweringContext, source: float, weights: Tensor, channels: int, channel_axis: int
) -> list[float]:
    """Return input scale times weight scale over output scale per output channel."""
    target = ctx.quantization(ctx.output)[0]
    if len(weights.scales) == 1:
        # TFLite multiplies in single precision for dense layers only.
        dense = ctx.operator.name == "FULLY_CONNECTED"
        scale = weights.scales[0]
        product = product_scale(source, scale) if dense else source * scale
        return [product / target] * channels
    if len(weights.scales) != channels or weights.quantized_dimension != channel_axis:
        ctx.error(f"{len(weights.scales)} weight scales for {channels} output channels")
    return [source * scale / target for scale in weights.scales]


def activation_note(ctx: LoweringContext) -> str:
    """Return the fused activation for a stage's comment."""
    name = str(ctx.operator.options["fused_activation_function"])
    return "" if name == "NONE" else f", {name}"
