"""Weights and channels of convolutions and dense layers, as kernels read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler import single_rounding
from asc_tiny.compiler.kernel_params import (
    CHANNEL,
    MOSTLY_NARROW,
    NARROW,
    ONCE,
    ONCE_CHANNEL,
    Array,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.gemmlowp import requantize
from asc_tiny.compiler.lower.requantization import INT8_MAX, INT8_MIN, INT32_MAX, multiplier
from asc_tiny.tflite.graph import Tensor
from asc_tiny.tflm.resolver import reads_absent_bias

_NARROW_BITS = 22
_MOST_OTHERS = 4
"""Channels of a mostly narrow layer that are not narrow, at most: they are computed twice."""

_OTHERS_SHARE = 8
"""One of so many channels at most is not narrow in a mostly narrow layer."""

_NARROW_SUM = 2**30
_LEAST_MULTIPLIER = 2**30

Channel = tuple[int, int, int]
"""Bias, multiplier and bits of a channel, as in ``CHANNEL``."""

Once = tuple[int, int]
"""Bias and multiplier of a channel that is rounded once, as in ``ONCE_CHANNEL``."""


def weights_of(ctx: LoweringContext, *, dimensions: int) -> Tensor:
    """Return input 1, which must be symmetric int8 constants with this number of dimensions."""
    weights = ctx.input(1)
    if weights.data is None or weights.dtype != "INT8" or len(weights.shape) != dimensions:
        ctx.error(
            f"weights must be int8 constants of {dimensions} dimensions; convert anew as full int8"
        )
    if any(weights.zero_points) or not weights.scales or not weights.zero_points:
        ctx.error("weights must be quantised with zero point 0; convert anew as full int8")
    return weights


def check_channels(ctx: LoweringContext, channels: int) -> None:
    """Check that the output has a channel for each filter."""
    if ctx.image(ctx.output)[2] != channels:
        ctx.error(f"{channels} filters for {ctx.image(ctx.output)[2]} output channels")


def sums_of(ctx: LoweringContext, axis: int) -> NDArray[Any]:
    """Return the weights of each sum, shape (sums, values); ``axis`` is that of the sums."""
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

    The bias includes what the input's zero point adds to each sum: padding has its code. A channel
    whose output is the same for all inputs has other numbers with the same output where its own
    are not narrow (see ``is_narrow``): filters that training has left without effect have huge
    biases or shifts.

    Args:
        ctx: the operator.
        weights: the weights of the operator.
        per_channel: the weights of each sum, shape (sums, values); a multiple of the filters.
        source, bias: positions of these inputs.
        channel_axis: the axis of the filters in ``weights``.
    """
    filters = weights.shape[channel_axis]
    copies = len(per_channel) // filters
    sums = per_channel.astype(np.int64)
    zero_point = ctx.quantization(ctx.input(source))[1]
    biases = np.tile(_bias(ctx, bias, filters), copies) - zero_point * sums.sum(axis=1)
    reach = np.abs(biases) + 256 * np.abs(sums).sum(axis=1)
    if reach.max(initial=0) > INT32_MAX:
        ctx.error("the sum of a channel may exceed 32 bits; use fewer inputs or smaller biases")
    reals = real_multipliers(ctx, ctx.input(source), weights, filters, channel_axis)
    pairs = [multiplier(real) for real in reals] * copies
    if any(shift > 30 for _, shift in pairs):
        ctx.error("the output's scale is too small for its input and weights")
    lows, highs = _reach_of(sums)
    rows: list[Channel] = []
    for value, (factor, shift), *ends in zip(biases.tolist(), pairs, lows, highs, strict=True):
        channel = (value, factor, -1 - shift)
        if not _is_narrow(channel, *ends):
            channel = _narrow_constant(ctx, channel, *ends) or channel
        rows.append(channel)
    return ctx.array("channels", np.array(rows, CHANNEL))


def is_narrow(channels: Array, per_channel: NDArray[Any]) -> bool:
    """Whether no input can bring a sum to 2^30, and shifts are few bits to the right."""
    ends = zip(channels.values.tolist(), *_reach_of(per_channel.astype(np.int64)), strict=True)
    return all(_is_narrow(*each) for each in ends)


def narrowness(channels: Array, per_channel: NDArray[Any]) -> int:
    """Return how the channels of a layer may be rounded.

    Returns:
        ``NARROW`` if all are narrow, ``MOSTLY_NARROW`` if those that are not show it by their
        shifts, else 0.
    """
    if is_narrow(channels, per_channel):
        return NARROW
    ends = zip(channels.values.tolist(), *_reach_of(per_channel.astype(np.int64)), strict=True)
    others = [channel for channel, *reach in ends if not _is_narrow(channel, *reach)]
    show = all(not 0 <= bits <= _NARROW_BITS for _, _, bits in others)
    are_few = len(others) <= min(_MOST_OTHERS, len(channels.values) // _OTHERS_SHARE)
    return MOSTLY_NARROW if show and are_few else 0


@dataclass(frozen=True)
class RoundedSums:
    """Weights and channels of a layer whose kernel may round once.

    Attributes:
        weights: the weights of each sum, shape (sums, values); zeros where no input changes the
            output of a layer that is rounded once.
        channels: bias, multiplier and shift of each, with those for one rounding.
        narrow: how channels may be rounded, as ``OutputRange`` has it.
    """

    weights: NDArray[Any]
    channels: Array
    narrow: int


def rounded_sums(ctx: LoweringContext, channels: Array, per_channel: NDArray[Any]) -> RoundedSums:
    """Return a layer that is rounded once, if all of its channels can be, else as it is."""
    made, weights = np.empty(len(channels.values), ONCE_CHANNEL), per_channel.copy()
    found = RoundedSums(per_channel, channels, narrowness(channels, per_channel))
    ends = zip(channels.values.tolist(), *_reach_of(per_channel.astype(np.int64)), strict=True)
    for number, (channel, low, high) in enumerate(ends):
        code = code_of(ctx, channel, low)
        once: Once | None
        if code == code_of(ctx, channel, high):
            once, weights[number] = single_rounding.constant(code), 0
        else:
            once = _once(ctx, channel, low, high)
        if once is None:
            return found
        made[number] = once
    if not is_narrow(channels, weights):
        return found
    return RoundedSums(weights, replace(channels, once=made), ONCE)


def _once(ctx: LoweringContext, channel: Channel, low: int, high: int) -> Once | None:
    """Return what rounds a channel once whose sums of products are from ``low`` to ``high``."""
    bias, factor, bits = channel
    if not _is_narrow(channel, low, high) or factor < _LEAST_MULTIPLIER:
        return None
    sums = bias + low, bias + high
    zero_point = ctx.quantization(ctx.output)[1]
    return single_rounding.Channel(factor, bits, bias, sums, zero_point, ctx.codes()).once()


def _reach_of(sums: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Return the smallest and the largest sum of each row of weights with int8 codes."""
    positive, negative = np.maximum(sums, 0).sum(axis=1), np.minimum(sums, 0).sum(axis=1)
    lows = INT8_MIN * positive + INT8_MAX * negative
    highs = INT8_MAX * positive + INT8_MIN * negative
    return lows.tolist(), highs.tolist()


def _is_narrow(channel: Channel, low: int, high: int) -> bool:
    """Whether a channel is narrow whose sums without the bias are from ``low`` to ``high``."""
    bias, _, bits = channel
    is_below = max(abs(bias + low), abs(bias + high), abs(bias)) < _NARROW_SUM
    return is_below and 0 <= bits <= _NARROW_BITS


def _narrow_constant(ctx: LoweringContext, channel: Channel, low: int, high: int) -> Channel | None:
    """Return a narrow channel with the output of one whose output is constant, None if it is not.

    The output grows with the sum, so its ends are those of the sum. For another code than the zero
    point, the new bias is so large a multiple of what makes a step of the output that no sum of
    products reaches the next one.
    """
    code = code_of(ctx, channel, low)
    if code != code_of(ctx, channel, high):
        return None
    steps = code - ctx.quantization(ctx.output)[1]
    if steps == 0:
        return 0, 0, 0
    step_bits = max(2, max(-low, high).bit_length() + 1)
    bits = min(step_bits - 2, _NARROW_BITS)
    made = (steps << step_bits, 1 << 30 - (step_bits - 2 - bits), bits)
    is_same = (
        _is_narrow(made, low, high) and code_of(ctx, made, low) == code_of(ctx, made, high) == code
    )
    return made if is_same else None


def code_of(ctx: LoweringContext, channel: Channel, products: int) -> int:
    """Return the output of a channel for a sum of products."""
    bias, factor, bits = channel
    low, high = ctx.codes()
    value = requantize(bias + products, factor, -1 - bits)
    return min(max(value + ctx.quantization(ctx.output)[1], low), high)


def _bias(ctx: LoweringContext, position: int, channels: int) -> NDArray[Any]:
    bias = ctx.optional_input(position)
    if bias is None:
        if position < len(ctx.operator.inputs) and reads_absent_bias(ctx.name):
            ctx.error("the bias is absent; leave it out of the inputs")
        return np.zeros(channels, dtype=np.int64)
    if bias.dtype != "INT32":
        ctx.error(f"bias is {bias.dtype}, must be INT32")
    return ctx.constants(position, channels).ravel().astype(np.int64)


def real_multipliers(
    ctx: LoweringContext, tensor: Tensor, weights: Tensor, channels: int, channel_axis: int
) -> list[float]:
    """Return input scale times weight scale over output scale per output channel."""
    source, target = ctx.quantization(tensor)[0], ctx.quantization(ctx.output)[0]
    if len(weights.scales) == 1:
        return [source * weights.scales[0] / target] * channels
    if len(weights.scales) != channels or weights.quantized_dimension != channel_axis:
        ctx.error(f"{len(weights.scales)} weight scales for {channels} output channels")
    return [source * scale / target for scale in weights.scales]


def activation_note(ctx: LoweringContext) -> str:
    """Return the fused activation for a stage's comment."""
    name = str(ctx.options["fused_activation_function"])
    return "" if name == "NONE" else f", {name}"
