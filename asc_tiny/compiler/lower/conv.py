"""Lowers convolution, depthwise convolution and dense layers to stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import Array, Rows, Stage
from asc_tiny.compiler.lower.context import Lowering, braces
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
    column_size,
    padded_channels,
    padded_depth,
)
from asc_tiny.tflite.graph import Tensor

_NARROW_BITS = 16
_POINTER_BYTES = 8


def lower_conv_2d(to: Lowering) -> list[Stage]:
    """CONV_2D with one weight scale per output channel or one in all."""
    weights = weights_of(to, dimensions=4)
    filters, height, width, channels = weights.shape
    values = to.constants(1)
    if channels != to.image(to.input(0))[2]:
        values = _without_groups(to, values)
        channels = values.shape[3]
    _check_channels(to, filters)
    window = Window.of(to, height, width)
    source = upsampling(to)
    if source is not None:
        return [_upsampled(to, weights, values, window, source)]
    column = column_size(height, channels)
    columns = (to.image(to.output)[1] - 1) * window.stride_x + (width - 1) * window.dilation_x + 1
    # Column by column, as the kernel arranges its windows
    data = np.zeros((filters, width, column), np.int8)
    by_column = values.transpose(0, 2, 1, 3).reshape(filters, width, -1)
    data[:, :, : height * channels] = by_column
    matrix = paired(data.reshape(filters, -1))
    arrays = (
        to.array("weights", "int8_t", matrix, weights=True),
        _channels(to, weights, channel_axis=0),
    )
    depth = matrix.shape[1] * GROUP
    fields = {
        **window.fields(to),
        "columns": str(columns),
        "column_size": str(column),
        "depth": str(depth),
        "input_zero_point": str(to.quantization(to.input(0))[1]),
        "range": to.range(narrow=_is_narrow(to, arrays[1])),
        "weights": arrays[0].name,
        "channels": arrays[1].name,
    }
    dilated = depth if window.dilation_x != 1 else 0
    return [
        to.stage(
            "asc_conv",
            fields,
            inputs=[window.rows(to)],
            arrays=arrays,
            scratch=2 * (columns * column + 2 * GROUP + dilated),
            scratch_row=2 * columns * column,
            scales=("input_width", "output_width", "columns") if window.is_pixel else (),
            work=to.output.size * height * width * channels,
            windows=to.image(to.output)[1],
            note=f", {height}x{width}{activation_note(to)}",
        )
    ]


def _upsampled(
    to: Lowering, weights: Tensor, values: NDArray[Any], window: Window, source: Upsampling
) -> Stage:
    """Return a convolution whose input's pixels are repeated; see ``upsampling``.

    Every column of the window is a filter of its own over columns of the source.
    """
    filters, height, width, channels = values.shape
    column = column_size(height, channels)
    by_column = values.transpose(2, 0, 1, 3)
    data = np.zeros((width * filters, column), np.int8)
    data[:, : height * channels] = by_column.reshape(width * filters, -1)
    matrix = paired(data)
    depth = matrix.shape[1] * GROUP
    zero_point = to.quantization(to.input(0))[1]
    arrays = (
        to.array("weights", "int8_t", matrix, weights=True),
        _channels(to, weights, channel_axis=0),
        to.array("padding", "int32_t", zero_point * data.astype(np.int64).sum(axis=1)),
    )
    columns = to.image(source.source)[1]
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
        "output_width": str(to.image(to.output)[1]),
        "output_channels": str(filters),
        "width": str(width),
        "left": str(window.left),
        "factor": str(source.factor),
        "range": to.range(narrow=_is_narrow(to, arrays[1])),
        "channels": arrays[1].name,
        "padding": arrays[2].name,
    }
    return to.stage(
        "asc_upsampled_conv",
        fields,
        inputs=[
            source.row(to, k * window.dilation_y - window.top, window.stride_y)
            for k in range(height)
        ],
        arrays=arrays,
        scratch=upsampled_scratch(fields),
        work=to.image(to.output)[0] * columns * width * filters * height * channels,
        windows=columns,
        note=f", {height}x{width}, pixels repeated {source.factor} times{activation_note(to)}",
    )


def upsampled_scratch(fields: Mapping[str, str]) -> int:
    """Return the bytes for the taps' places, then sums, then columns."""
    columns, sums, column = (
        int(fields[f"columns.{name}"]) for name in ("columns", "output_channels", "column_size")
    )
    places = _POINTER_BYTES * int(fields["width"]) * int(fields["output_width"])
    return places + columns * (4 * padded_channels(sums) + 2 * column) + 4 * GROUP


def _without_groups(to: Lowering, weights: NDArray[Any]) -> NDArray[np.int8]:
    """Return the filters of a grouped convolution with zeros for all channels of other groups."""
    filters, height, width, depth = weights.shape
    channels = to.image(to.input(0))[2]
    groups = channels // depth
    if groups * depth != channels or filters % groups:
        to.fail(f"{filters} filters of {depth} channels for {channels}")
    to.check_expanded(filters * height * width * channels)
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


def lower_depthwise_conv_2d(to: Lowering) -> list[Stage]:
    """DEPTHWISE_CONV_2D with any depth multiplier."""
    weights = weights_of(to, dimensions=4)
    _, height, width, channels = weights.shape
    depth = to.image(to.input(0))[2]
    if channels % depth:
        to.fail("output channels must be a multiple of the input's")
    _check_channels(to, channels)
    window = Window.of(to, height, width)
    taps = height * width
    # Two taps side by side, a zero behind an odd one
    pairs = np.zeros((-(-taps // 2), 2, channels), np.int64)
    pairs.reshape(-1, channels)[:taps] = to.constants(1).reshape(taps, channels)
    arrays = (
        to.array("weights", "int16_t", pairs.transpose(0, 2, 1), weights=True),
        _channels(to, weights, channel_axis=3),
    )
    fields = {
        **window.fields(to),
        "input_zero_point": str(to.quantization(to.input(0))[1]),
        "range": to.range(narrow=_is_narrow(to, arrays[1])),
        "weights": arrays[0].name,
        "channels": arrays[1].name,
    }
    return [
        to.stage(
            "asc_depthwise_conv",
            fields,
            inputs=[window.rows(to)],
            arrays=arrays,
            # The taps' places, and a pixel of padding
            scratch=_POINTER_BYTES * 2 * len(pairs) + depth,
            work=to.output.size * taps,
            note=f", {height}x{width}{activation_note(to)}",
        )
    ]


def lower_fully_connected(to: Lowering) -> list[Stage]:
    """FULLY_CONNECTED on every row of the input."""
    weights = weights_of(to, dimensions=2)
    outputs, inputs = weights.shape
    if to.operator.options["weights_format"] != 0:
        to.fail("shuffled weights are not supported; convert anew for microcontrollers")
    if to.input(0).size % inputs or to.input(0).size // inputs * outputs != to.output.size:
        to.fail(f"{to.input(0).size} inputs do not fill rows of {inputs}")
    _check_bias_scale(to, weights)
    matrix = paired(to.constants(1))
    padded = matrix.shape[1] * GROUP
    arrays = (
        to.array("weights", "int8_t", matrix, weights=True),
        _channels(to, weights, channel_axis=0),
    )
    source, target = to.view(to.input(0)), to.view(to.output)
    if source.rows != target.rows or source.row_size * outputs != target.row_size * inputs:
        source = to.reshaped(source, 1, source.rows * source.row_size)
    if source.rows != target.rows:
        to.fail(f"shape {list(to.input(0).shape)} into {list(to.output.shape)} is not supported")
    fields = {
        "rows": str(source.row_size // inputs),
        "inputs": str(inputs),
        "outputs": str(outputs),
        "depth": str(padded),
        "range": to.range(narrow=_is_narrow(to, arrays[1])),
        "weights": arrays[0].name,
        "channels": arrays[1].name,
    }
    return [
        to.stage(
            "asc_dense",
            fields,
            inputs=[Rows(source)],
            arrays=arrays,
            scratch=2 * padded,
            work=to.output.size * inputs,
            windows=1,
            note=activation_note(to),
        )
    ]


_BIAS_TOLERANCE = 0.02


def _check_bias_scale(to: Lowering, weights: Tensor) -> None:
    """Check that the bias counts in steps of the sums, as TensorFlow Lite Micro does here.

    Like it, take no scale for 0, and leave biases of weights with scales per channel.
    """
    bias = to.optional_input(2)
    if bias is None or len(weights.scales) != 1:
        return
    stated = bias.scales[0] if len(bias.scales) == len(bias.zero_points) == 1 else 0.0
    step = to.quantization(to.input(0))[0] * weights.scales[0]
    if abs(step - stated) / to.quantization(to.output)[0] > _BIAS_TOLERANCE:
        to.fail(f"the bias has the scale {stated:g}, input and weights have {step:g}")


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
    def of(cls, to: Lowering, height: int, width: int) -> Window:
        """Return the window of a convolution or pooling operator."""
        options = to.operator.options
        source, target = to.image(to.input(0)), to.image(to.output)
        strides = (int(options["stride_h"]), int(options["stride_w"]))
        dilations = (
            int(options.get("dilation_h_factor", 1)),
            int(options.get("dilation_w_factor", 1)),
        )
        before = []
        for axis, size in enumerate((height, width)):
            stride, dilation = strides[axis], dilations[axis]
            if stride < 1 or size < 1 or dilation < 1:
                to.fail(f"window of {height}x{width}, strides {strides}, dilations {dilations}")
            reach = (size - 1) * dilation + 1
            same = options["padding"] == "SAME"
            fitting = source[axis] if same else source[axis] - reach + 1
            if target[axis] != -(-fitting // stride):
                to.fail(f"output size {target[axis]} does not fit input {source[axis]}")
            before.append(same_padding(source[axis], reach, stride, target[axis]) if same else 0)
        return cls(height, width, *strides, *dilations, *before)

    def rows(self, to: Lowering) -> Rows:
        """Return the rows of input 0 under the window."""
        view = to.view(to.input(0))
        return Rows(
            view, count=self.height, step=self.dilation_y, factor=self.stride_y, offset=-self.top
        )

    def fields(self, to: Lowering) -> dict[str, str]:
        """Return the members that window kernels have in common, as C text."""
        _, input_width, input_channels = to.image(to.input(0))
        _, output_width, output_channels = to.image(to.output)
        return {
            "input_width": str(input_width),
            "input_channels": str(input_channels),
            "output_width": str(output_width),
            "output_channels": str(output_channels),
            "window": braces(self.height, self.width, self.stride_x, self.dilation_x, self.left),
        }


def _check_channels(to: Lowering, channels: int) -> None:
    if to.image(to.output)[2] != channels:
        to.fail(f"{channels} filters for {to.image(to.output)[2]} output channels")


def weights_of(to: Lowering, *, dimensions: int) -> Tensor:
    """Return input 1, which must be symmetric int8 constants of so many dimensions."""
    weights = to.input(1)
    if weights.data is None or weights.dtype != "INT8" or len(weights.shape) != dimensions:
        to.fail(
            f"weights must be int8 constants of {dimensions} dimensions; convert anew as full int8"
        )
    if any(weights.zero_points) or not weights.scales or not weights.zero_points:
        to.fail("weights must be quantised with zero point 0; convert anew as full int8")
    return weights


def _channels(to: Lowering, weights: Tensor, *, channel_axis: int) -> Array:
    return channels_of(to, weights, _per_channel(to, channel_axis), channel_axis=channel_axis)


def _per_channel(to: Lowering, axis: int) -> NDArray[Any]:
    data = to.constants(1)
    return np.moveaxis(data, axis, 0).reshape(data.shape[axis], -1)


def channels_of(
    to: Lowering,
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
    zero_point = to.quantization(to.input(source))[1]
    biases = np.tile(_bias(to, bias, filters), copies) - zero_point * sums.sum(axis=1)
    reach = np.abs(biases) + 256 * np.abs(sums).sum(axis=1)
    if reach.max(initial=0) > INT32_MAX:
        to.fail("the sum of a channel may exceed 32 bits; use fewer inputs or smaller biases")
    scale = to.quantization(to.input(source))[0]
    reals = _real_multipliers(to, scale, weights, filters, channel_axis)
    pairs = [multiplier(real) for real in reals] * copies
    if any(shift > 30 for _, shift in pairs):
        to.fail("the output's scale is too small for its input and weights")
    rows = [
        (value, factor, -1 - shift)
        for value, (factor, shift) in zip(biases.tolist(), pairs, strict=True)
    ]
    return to.array("channels", "asc_channel_t", np.array(rows, np.int64))


def _is_narrow(to: Lowering, channels: Array) -> bool:
    axis = 3 if to.operator.name == "DEPTHWISE_CONV_2D" else 0
    return is_narrow(channels, _per_channel(to, axis))


def is_narrow(channels: Array, per_channel: NDArray[Any]) -> bool:
    """Whether no input can bring a sum to 2^30, and shifts are few bits to the right."""
    total = np.abs(per_channel.astype(np.int64)).sum(axis=1)
    bias, _, bits = channels.values.reshape(-1, 3).T
    is_below = bool((np.abs(bias) + 128 * total).max() < 2**30)
    return is_below and 0 <= int(bits.min()) <= int(bits.max()) <= _NARROW_BITS


def _bias(to: Lowering, position: int, channels: int) -> NDArray[Any]:
    bias = to.optional_input(position)
    if bias is None:
        if position < len(to.operator.inputs) and to.operator.name != "FULLY_CONNECTED":
            # TensorFlow Lite Micro's convolutions read it all the same.
            to.fail("the bias is absent; leave it out of the inputs")
        return np.zeros(channels, dtype=np.int64)
    if bias.dtype != "INT32":
        to.fail(f"bias is {bias.dtype}, must be INT32")
    return to.constants(position, channels).ravel().astype(np.int64)


def _real_multipliers(
    to: Lowering, source: float, weights: Tensor, channels: int, channel_axis: int
) -> list[float]:
    """Return input scale times weight scale over output scale per output channel."""
    target = to.quantization(to.output)[0]
    if len(weights.scales) == 1:
        # TFLite multiplies in single precision for dense layers only.
        dense = to.operator.name == "FULLY_CONNECTED"
        scale = weights.scales[0]
        product = product_scale(source, scale) if dense else source * scale
        return [product / target] * channels
    if len(weights.scales) != channels or weights.quantized_dimension != channel_axis:
        to.fail(f"{len(weights.scales)} weight scales for {channels} output channels")
    return [source * scale / target for scale in weights.scales]


def activation_note(to: Lowering) -> str:
    """Return the fused activation for a stage's comment."""
    name = str(to.operator.options["fused_activation_function"])
    return "" if name == "NONE" else f", {name}"
