"""Removes channels that no input changes, and channels that nothing reads.

Training leaves filters without effect: whatever the input, their output is one code. Which ones
these are follows from the range of codes of each channel, which goes through the layers by interval
arithmetic. The code of such a channel times its weights becomes part of the bias of the layers that
read it, and the channel goes from the layer that makes it and from all in between that keep
channels apart. Sums are of integers, so results are the same to the bit.

A convolution with padding reads the zero point beyond the border, so only a channel of this code
can become part of its bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.lower.context import LoweringContext, TensorViews
from asc_tiny.compiler.lower.requantization import INT8_MAX, INT8_MIN, INT32_MAX, INT32_MIN
from asc_tiny.compiler.lower.weights import (
    Channel,
    channels_of,
    check_channels,
    code_of,
    weights_of,
)
from asc_tiny.compiler.lower.window import Window2D
from asc_tiny.compiler.weight_packing import GROUP
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.util.errors import AscError

_Numbers = NDArray[np.int64]

_FILTER_AXES = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""The axis of the filters in the weights of each operator that has filters."""

_SAME_ROWS = ("AVERAGE_POOL_2D", "MAX_POOL_2D", "PAD", "RESIZE_NEAREST_NEIGHBOR")
_SAME_BYTES = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")


def without_constant_channels(graph: Graph) -> Graph:
    """Return a graph without channels whose codes are known or unread; else the same graph."""
    removal = _Removal.of(graph)
    return removal.rebuilt() if removal.kept else graph


@dataclass(frozen=True)
class _Range:
    """The codes that the channels of a tensor may have, one number for each channel."""

    lows: _Numbers
    highs: _Numbers

    def tiled(self, channels: int) -> _Range:
        """Return the ranges of a row of several pixels, which has that number of channels."""
        copies = channels // len(self.lows)
        return _Range(np.tile(self.lows, copies), np.tile(self.highs, copies))

    def with_code(self, code: int) -> _Range:
        """Return the ranges of channels that may have another code, too."""
        return _Range(np.minimum(self.lows, code), np.maximum(self.highs, code))


@dataclass(frozen=True)
class _Layer:
    """An int8 layer with filters whose numbers are known.

    Attributes:
        ctx: the operator.
        weights: the weights as they are stored.
        values: the weights with the shape (filters, taps, inputs); each filter of a depthwise
            convolution has one input.
        channels: bias, multiplier and bits of each filter.
        is_depthwise: whether each filter reads the channel of its own number.
        pads: whether the window reaches beyond the border of the input.
    """

    ctx: LoweringContext
    weights: Tensor
    values: _Numbers
    channels: list[Channel]
    is_depthwise: bool
    pads: bool

    @classmethod
    def of(cls, views: TensorViews, operator: Operator) -> _Layer | None:
        """Return the layer of an operator, None if it is another or not as a layer must be.

        Lowering says what is wrong with one that is not.
        """
        if operator.name not in _FILTER_AXES:
            return None
        try:
            return _layer(LoweringContext(views, operator))
        except AscError:
            return None

    @property
    def axis(self) -> int:
        """The axis of the filters in the stored weights."""
        return _FILTER_AXES[self.ctx.name]

    @property
    def zero_point(self) -> int:
        """The code of the input that stands for 0, and for all beyond its border."""
        return self.ctx.quantization(self.ctx.input(0))[1]

    def output_range(self, source: _Range) -> _Range:
        """Return the codes that the outputs may have."""
        if self.pads:
            source = source.with_code(self.zero_point)
        positive = np.maximum(self.values, 0).sum(axis=1)
        negative = np.minimum(self.values, 0).sum(axis=1)
        if self.is_depthwise:
            positive, negative = positive[:, 0], negative[:, 0]
            lows = positive * source.lows + negative * source.highs
            highs = positive * source.highs + negative * source.lows
        else:
            source = source.tiled(self.values.shape[2])
            lows = positive @ source.lows + negative @ source.highs
            highs = positive @ source.highs + negative @ source.lows
        ends = zip(self.channels, lows.tolist(), highs.tolist(), strict=True)
        codes = np.array([self._codes(*each) for each in ends], np.int64)
        return _Range(codes[:, 0], codes[:, 1])

    def _codes(self, channel: Channel, low: int, high: int) -> tuple[int, int]:
        """Return the first and the last code of a filter whose products add up to low to high."""
        bias, _, bits = channel
        left = max(-1 - bits, 0)
        if (bias + low) << left < INT32_MIN or (bias + high) << left > INT32_MAX:
            return self.ctx.codes()
        return code_of(self.ctx, channel, low), code_of(self.ctx, channel, high)

    def needed(self, source: _Range, filters: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which inputs some filters need, since they cannot become part of the biases."""
        source = source.tiled(self.values.shape[2])
        is_known = source.lows == source.highs
        if self.pads:
            is_known &= source.lows == self.zero_point
        is_read = (self.values[filters] != 0).any(axis=(0, 1))
        needed: NDArray[np.bool_] = is_read & ~is_known
        return needed

    def bias(self, source: _Range, filters: NDArray[Any], inputs: NDArray[Any]) -> _Numbers:
        """Return the biases of some filters which read only some of the inputs."""
        stored = self.ctx.optional_input(2)
        values = np.zeros(len(self.values), np.int64)
        if stored is not None:
            values = self.ctx.constants(2).ravel().astype(np.int64)
        source = source.tiled(self.values.shape[2])
        known = source.lows - self.zero_point
        known[inputs] = 0
        total: _Numbers = values[filters] + self.values[filters].sum(axis=1) @ known
        return total


def _layer(ctx: LoweringContext) -> _Layer | None:
    """Return the layer of an operator with filters, None if it is of no kind that is known here.

    Raises:
        AscError: it is not as it must be.
    """
    source, output, axis = ctx.input(0), ctx.output, _FILTER_AXES[ctx.name]
    is_dense = ctx.name == "FULLY_CONNECTED"
    if source.dtype != "INT8" or output.dtype != "INT8" or source.is_constant or not source.size:
        return None
    weights = weights_of(ctx, dimensions=2 if is_dense else 4)
    filters, depth = weights.shape[axis], weights.shape[-1]
    data = np.moveaxis(ctx.constants(1), axis, 0).astype(np.int64)
    is_depthwise = pads = False
    if is_dense:
        is_plain = ctx.options["weights_format"] == 0 and output.shape[-1:] == (filters,)
        if not is_plain or depth % source.shape[-1]:
            return None
    else:
        check_channels(ctx, filters)
        channels = ctx.image(source)[2]
        if ctx.name == "DEPTHWISE_CONV_2D":
            # All filters read the only channel as those of a convolution do.
            is_depthwise, depth = channels == filters, 1
            is_plain = weights.shape[0] == 1 and channels in (1, filters)
        else:
            is_plain = channels == depth
        if not is_plain:
            return None
        pads = _pads(ctx, weights)
    values = data.reshape(filters, -1, depth)
    rows = channels_of(ctx, weights, values.reshape(filters, -1), channel_axis=axis)
    return _Layer(ctx, weights, values, rows.values.tolist(), is_depthwise, pads)


def _pads(ctx: LoweringContext, weights: Tensor) -> bool:
    """Whether the window of a convolution reaches beyond the border of its input."""
    window = Window2D.of(ctx, *weights.shape[1:3])
    source, target = ctx.image(ctx.input(0)), ctx.image(ctx.output)
    down = (target[0] - 1) * window.stride_y + (window.height - 1) * window.dilation_y
    across = (target[1] - 1) * window.stride_x + (window.width - 1) * window.dilation_x
    return max(window.top, window.left) > 0 or down >= source[0] or across >= source[1]


def _copies(graph: Graph, operator: Operator) -> int | None:
    """Return how often all channels of its input lie in the last dimension of an output.

    None stands for an operator that is not known to keep channels apart and change no codes, but
    for those that a pooling makes of several of a channel and the zero point that PAD adds.
    """
    if operator.name not in (*_SAME_ROWS, *_SAME_BYTES) or len(operator.outputs) != 1:
        return None
    source, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    if source.dtype != "INT8" or _quantization(source) != _quantization(output):
        return None
    if source.is_constant or not source.size or not (source.shape and output.shape):
        return None
    activation = operator.options.get("fused_activation_function", "NONE")
    if len(source.zero_points) != 1 or activation != "NONE":
        return None
    before, behind = source.shape[-1], output.shape[-1]
    if operator.name in _SAME_BYTES:
        is_same = source.size == output.size and behind % before == 0
        return behind // before if is_same else None
    if before != behind or len(source.shape) != 4 or len(output.shape) != 4:
        return None
    return 1 if operator.name != "PAD" or _pads_pixels(graph, operator) else None


def _quantization(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.dtype, tensor.scales, tensor.zero_points


def _pads_pixels(graph: Graph, operator: Operator) -> bool:
    """Whether a PAD of an image adds no channels."""
    amounts = graph.tensor(operator.inputs[1])
    if amounts.dtype != "INT32" or amounts.data is None or amounts.shape != (4, 2):
        return False
    return not amounts.data[-1].any()


@dataclass
class _Removal:
    """What is removed from a graph.

    Attributes:
        graph: the graph.
        layers: the layers with filters, by their operators.
        ranges: the codes of the channels of each tensor, by its number.
        kept: the numbers of the channels that are left of each tensor that loses some.
    """

    graph: Graph
    layers: dict[Operator, _Layer]
    ranges: dict[int, _Range] = field(default_factory=dict)
    kept: dict[int, NDArray[np.intp]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph) -> _Removal:
        """Find what can be removed."""
        views = TensorViews(graph)
        layers = {each: layer for each in graph.operators if (layer := _Layer.of(views, each))}
        removal = cls(graph, layers)
        for operator in graph.operators:
            removal.find_ranges(operator)
        # What a layer's readers need is known before it is asked what the layer needs.
        for operator in reversed(layers):
            if not layers[operator].is_depthwise:
                removal.remove(operator.outputs[0])
        return removal

    def find_ranges(self, operator: Operator) -> None:
        """Find the codes of an operator's output."""
        layer = self.layers.get(operator)
        if layer is not None:
            source = self.range(operator.inputs[0])
            self.ranges[operator.outputs[0]] = layer.output_range(source)
        elif copies := _copies(self.graph, operator):
            source = self.range(operator.inputs[0])
            if operator.name == "PAD":
                (zero_point,) = self.graph.tensor(operator.inputs[0]).zero_points
                source = source.with_code(zero_point)
            self.ranges[operator.outputs[0]] = source.tiled(copies * len(source.lows))

    def range(self, index: int) -> _Range:
        """Return the codes that the channels of a tensor may have."""
        found = self.ranges.get(index)
        if found is None:
            channels = self.graph.tensor(index).shape[-1]
            found = _Range(np.full(channels, INT8_MIN), np.full(channels, INT8_MAX))
        return found

    def remove(self, root: int) -> None:
        """Remove channels of what a layer makes, and of all in which they are kept apart."""
        members = self._members(root)
        if members is None:
            return
        channels = self.graph.tensor(root).shape[-1]
        needed = np.zeros(channels, np.bool_)
        for layer in self.layers.values():
            source = layer.ctx.operator.inputs[0]
            if source in members and not layer.is_depthwise:
                own = layer.needed(self.range(source), self._filters(layer))
                needed |= own.reshape(-1, channels).any(axis=0)
        kept = _kept(needed)
        if len(kept) < channels:
            self.kept |= {index: _tiled(kept, channels, n) for index, n in members.items()}

    def _members(self, root: int) -> dict[int, int] | None:
        """Return how often all channels of a layer lie in a row of each tensor that has them.

        None stands for channels that others may read: they stay.
        """
        members = {root: 1}
        waiting = [root]
        while waiting:
            index = waiting.pop()
            if index in (*self.graph.inputs, *self.graph.outputs):
                return None
            for reader in self.graph.readers.get(index, ()):
                if reader.inputs[0] != index or reader.inputs.count(index) > 1:
                    return None
                layer = self.layers.get(reader)
                if layer is not None and not layer.is_depthwise:
                    continue
                copies = _copies(self.graph, reader) if layer is None else 1
                if copies is None:
                    return None
                members[reader.outputs[0]] = members[index] * copies
                waiting.append(reader.outputs[0])
        return members

    def _filters(self, layer: _Layer) -> NDArray[np.intp]:
        """Return the numbers of the filters that are left of a layer."""
        return self.kept.get(layer.ctx.operator.outputs[0], np.arange(len(layer.values)))

    def rebuilt(self) -> Graph:
        """Return the graph that is left."""
        tensors = [self._rest(tensor) for tensor in self.graph.tensors]
        operators = [self._smaller(operator, tensors) for operator in self.graph.operators]
        return replace(self.graph, operators=tuple(operators), tensors=tuple(tensors))

    def _rest(self, tensor: Tensor) -> Tensor:
        kept = self.kept.get(tensor.index)
        return tensor if kept is None else replace(tensor, shape=(*tensor.shape[:-1], len(kept)))

    def _smaller(self, operator: Operator, tensors: list[Tensor]) -> Operator:
        """Return an operator on what is left of its operands; new constants go to ``tensors``."""
        if self.kept.keys().isdisjoint((*operator.inputs, *operator.outputs)):
            return operator
        layer = self.layers.get(operator)
        if layer is None:
            # The shape of a RESHAPE's output says what the operand said.
            is_reshape = operator.name == "RESHAPE"
            return replace(operator, inputs=operator.inputs[:1]) if is_reshape else operator
        filters, weights = self._filters(layer), layer.ctx.constants(1)
        inputs = np.arange(layer.values.shape[2])
        weights = np.take(weights, filters, axis=layer.axis)
        source = operator.inputs[0]
        if source in self.kept and not layer.is_depthwise:
            channels = self.graph.tensor(source).shape[-1]
            inputs = _tiled(self.kept[source], channels, len(inputs) // channels)
            weights = np.take(weights, inputs, axis=-1)
        made = [_part(layer.weights, weights, filters)]
        if layer.is_depthwise:
            bias = layer.ctx.optional_input(2)
            if bias is not None:
                made.append(_part(bias, layer.ctx.constants(2).ravel()[filters], filters))
        else:
            values = layer.bias(self.range(source), filters, inputs)
            made.append(_part(_bias(layer), values.astype(np.int32), filters))
        first = len(tensors)
        tensors += [replace(each, index=first + number) for number, each in enumerate(made)]
        return replace(operator, inputs=(source, *range(first, len(tensors))))


def _kept(needed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the numbers of the channels that stay: what is needed, in whole groups.

    Kernels compute groups at once, so a channel more or less in the last one saves nothing.
    """
    count = max(1, -(-int(needed.sum()) // GROUP)) * GROUP
    # Needed ones first, and the others in their order
    return np.sort(np.argsort(~needed, kind="stable")[:count])


def _tiled(kept: NDArray[np.intp], channels: int, copies: int) -> NDArray[np.intp]:
    """Return the numbers of channels in a row of several pixels."""
    return (np.arange(copies)[:, None] * channels + kept).ravel()


def _bias(layer: _Layer) -> Tensor:
    """Return the tensor of a layer's bias, one of its scale if there is none."""
    bias = layer.ctx.optional_input(2)
    if bias is not None:
        return bias
    scale = layer.ctx.quantization(layer.ctx.input(0))[0]
    scales = tuple(scale * each for each in layer.weights.scales)
    name = f"{layer.weights.name}/bias"
    return Tensor(0, name, (len(layer.values),), "INT32", scales, (0,) * len(scales))


def _part(tensor: Tensor, values: NDArray[Any], filters: NDArray[Any]) -> Tensor:
    """Return a constant with the values and scales of some filters."""
    scales: Mapping[str, Any] = {}
    if len(tensor.scales) > 1:
        scales = {
            "scales": tuple(tensor.scales[number] for number in filters),
            "zero_points": tuple(tensor.zero_points[number] for number in filters),
        }
    return replace(tensor, shape=values.shape, content=values.tobytes(), **scales)
