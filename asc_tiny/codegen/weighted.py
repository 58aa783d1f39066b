"""Lowers convolution, depthwise convolution and dense layers to kernel calls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.codegen.layers import Array, Layer, Lowering, braces
from asc_tiny.codegen.quantise import INT32_MAX, multiplier, product_scale, same_padding
from asc_tiny.complexity.graph import Tensor


def lower_conv_2d(to: Lowering) -> list[Layer]:
    """CONV_2D with one weight scale per output channel or one in all."""
    weights = _weights(to, dimensions=4)
    _, height, width, depth = weights.shape
    if depth != to.image(to.input(0))[2]:
        to.fail("grouped convolutions are not supported")
    _check_channels(to, weights.shape[0])
    arrays = _constants(to, weights, channel_axis=0, fold=True)
    fields = {**_geometry(to, height, width), **_names(arrays)}
    note = f", {height}x{width}{_activation(to)}"
    return [to.layer("asc_conv", fields, arrays=arrays, note=note)]


def lower_depthwise_conv_2d(to: Lowering) -> list[Layer]:
    """DEPTHWISE_CONV_2D with any depth multiplier."""
    weights = _weights(to, dimensions=4)
    _, height, width, channels = weights.shape
    if channels % to.image(to.input(0))[2]:
        to.fail("output channels must be a multiple of the input's")
    _check_channels(to, channels)
    arrays = _constants(to, weights, channel_axis=3, fold=False)
    fields = {**_geometry(to, height, width), **_names(arrays)}
    note = f", {height}x{width}{_activation(to)}"
    return [to.layer("asc_depthwise_conv", fields, arrays=arrays, note=note)]


def lower_fully_connected(to: Lowering) -> list[Layer]:
    """FULLY_CONNECTED on every row of the input."""
    weights = _weights(to, dimensions=2)
    outputs, inputs = weights.shape
    if to.operator.options["weights_format"] != 0:
        to.fail("shuffled weights are not supported")
    if to.input(0).size % inputs or to.input(0).size // inputs * outputs != to.output.size:
        to.fail(f"{to.input(0).size} inputs do not fill rows of {inputs}")
    arrays = _constants(to, weights, channel_axis=0, fold=True)
    fields = {
        "rows": str(to.input(0).size // inputs),
        "inputs": str(inputs),
        "outputs": str(outputs),
        "range": to.range(),
        **_names(arrays),
    }
    return [to.layer("asc_dense", fields, arrays=arrays, note=_activation(to))]


def window_fields(to: Lowering, height: int, width: int) -> dict[str, str]:
    """Return shapes and window of a convolution or pooling layer as C text."""
    options = to.operator.options
    source, target = to.image(to.input(0)), to.image(to.output)
    strides = (int(options["stride_h"]), int(options["stride_w"]))
    before = []
    for axis, (size, stride) in enumerate(zip((height, width), strides, strict=True)):
        same = options["padding"] == "SAME"
        if stride < 1 or size < 1:
            to.fail(f"window of {height}x{width} with strides {list(strides)}")
        fitting = source[axis] if same else source[axis] - size + 1
        if target[axis] != -(-fitting // stride):
            to.fail(f"output size {target[axis]} does not fit input {source[axis]}")
        before.append(same_padding(source[axis], size, stride, target[axis]) if same else 0)
    return {
        "input": braces(*source),
        "output": braces(*target),
        "window": braces(height, width, *strides, *before),
    }


def _geometry(to: Lowering, height: int, width: int) -> dict[str, str]:
    options = to.operator.options
    if options["dilation_h_factor"] != 1 or options["dilation_w_factor"] != 1:
        to.fail("dilation other than 1 is not supported")
    return {
        **window_fields(to, height, width),
        "input_zero_point": str(to.quantisation(to.input(0))[1]),
        "range": to.range(),
    }


def _check_channels(to: Lowering, channels: int) -> None:
    if to.image(to.output)[2] != channels:
        to.fail(f"{channels} filters for {to.image(to.output)[2]} output channels")


def _weights(to: Lowering, *, dimensions: int) -> Tensor:
    weights = to.input(1)
    if weights.data is None or weights.dtype != "INT8" or len(weights.shape) != dimensions:
        to.fail(f"weights must be int8 constants of {dimensions} dimensions")
    if any(weights.zero_points) or not weights.scales:
        to.fail("weights must be quantised with zero point 0")
    return weights


def _constants(
    to: Lowering, weights: Tensor, *, channel_axis: int, fold: bool
) -> tuple[Array, Array, Array, Array]:
    """Return weights, bias, multipliers and shifts, the last three one per output channel."""
    data = to.constants(1)
    channels = weights.shape[channel_axis]
    per_channel = np.moveaxis(data, channel_axis, 0).reshape(channels, -1).astype(np.int64)
    bias = _bias(to, channels)
    if fold:
        bias = bias - to.quantisation(to.input(0))[1] * per_channel.sum(axis=1)
    reach = np.abs(bias) + 256 * np.abs(per_channel).sum(axis=1)
    if reach.max(initial=0) > INT32_MAX:
        to.fail("the sum of a channel may exceed 32 bits")
    pairs = [multiplier(scale) for scale in _real_multipliers(to, weights, channels, channel_axis)]
    if any(shift > 30 for _, shift in pairs):
        to.fail("the output's scale is too small for its input and weights")
    return (
        to.array("weights", "int8_t", data, aligned=True),
        to.array("bias", "int32_t", bias),
        to.array("multipliers", "int32_t", np.array([value for value, _ in pairs])),
        to.array("shifts", "int8_t", np.array([shift for _, shift in pairs])),
    )


def _bias(to: Lowering, channels: int) -> NDArray[Any]:
    bias = to.optional_input(2)
    if bias is None:
        return np.zeros(channels, dtype=np.int64)
    if bias.dtype != "INT32":
        to.fail(f"bias is {bias.dtype}, must be INT32")
    return to.constants(2, channels).ravel().astype(np.int64)


def _real_multipliers(
    to: Lowering, weights: Tensor, channels: int, channel_axis: int
) -> list[float]:
    """Return input scale times weight scale over output scale per output channel."""
    source, target = to.quantisation(to.input(0))[0], to.quantisation(to.output)[0]
    if len(weights.scales) == 1:
        # TFLite multiplies in single precision for dense layers only.
        dense = to.operator.name == "FULLY_CONNECTED"
        scale = weights.scales[0]
        product = product_scale(source, scale) if dense else source * scale
        return [product / target] * channels
    if len(weights.scales) != channels or weights.quantised_dimension != channel_axis:
        to.fail(f"{len(weights.scales)} weight scales for {channels} output channels")
    return [source * scale / target for scale in weights.scales]


def _names(arrays: tuple[Array, Array, Array, Array]) -> dict[str, str]:
    members = ("weights", "bias", "multipliers", "shifts")
    return {member: array.name for member, array in zip(members, arrays, strict=True)}


def _activation(to: Lowering) -> str:
    name = str(to.operator.options["fused_activation_function"])
    return "" if name == "NONE" else f", {name}"
