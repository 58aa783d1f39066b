"""Which axes of which weights carry the same channels: what must be cut together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray

from asc_tiny.nets.channel_halves import ChannelHalf, ChannelShuffle
from asc_tiny.util.errors import AscError

IntArray = NDArray[np.int64]

FIXED = 0
"""The channel of everything that cannot be removed: inputs, outputs, what is not understood."""

_KEEPS_CHANNELS = (
    layers.Activation,
    layers.AveragePooling2D,
    layers.Cropping2D,
    layers.Dropout,
    layers.ELU,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling2D,
    layers.LeakyReLU,
    layers.MaxPooling2D,
    layers.ReLU,
    layers.Resizing,
    layers.SpatialDropout2D,
    layers.UpSampling2D,
    layers.ZeroPadding2D,
)
_TIES_CHANNELS = (layers.Add, layers.Average, layers.Maximum, layers.Multiply, layers.Subtract)

Axes = tuple[tuple[tuple[int, IntArray], ...], ...]
"""Per weight of a layer: (axis, channel of each index on that axis)."""


@dataclass(frozen=True)
class Channels:
    """The channels of a network; two indices have the same number if they must go together.

    Attributes:
        producers: channel of each filter of each convolution and dense layer, by name.
        axes: axes of each layer's weights that channels index, by name, in the order of
            ``layer.weights``; a producer's kernel has its inputs first, then its filters.
        norms: name of the batch-norm that follows a producer directly, by the producer's name.
    """

    producers: dict[str, IntArray]
    axes: dict[str, Axes]
    norms: dict[str, str]


def trace(model: Any) -> Channels:
    """Follow the channels of a functional Keras model from the layers that make them.

    Every filter of a convolution or dense layer starts a channel. Element-wise layers, pooling,
    resizing, batch-norm and depthwise convolution pass it on; sums and concatenation on height
    or width make one channel of two; concatenation on channels puts them side by side. The
    input's channels, the output's and those of a layer that is not known here are ``FIXED``.

    Args:
        model: functional, channels last, without models inside.

    Raises:
        AscError: not a functional model.
    """
    if not hasattr(model, "_nodes_by_depth"):
        raise AscError(f"model {model.name}: not a functional Keras model, cannot be pruned")
    tracer = _Tracer()
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            tracer.call(node.operation, node.arguments.keras_tensors, node.outputs)
    return tracer.result(model.outputs)


class _Tracer:
    def __init__(self) -> None:
        self._parent = [FIXED]
        self._channels: dict[int, IntArray] = {}
        self._source: dict[int, str] = {}
        self._producers: dict[str, IntArray] = {}
        self._axes: dict[str, Axes] = {}
        self._norms: dict[str, str] = {}

    def call(self, layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Give the outputs of a layer's call their channels."""
        taken = [self._channels[id(tensor)] for tensor in inputs]
        if len(outputs) == 1 and _channels_last(layer):
            made = self._rule(layer)(layer, inputs, taken, len_channels(outputs[0]))
        else:
            made = self._unknown(layer, inputs, taken, 0)
        for tensor in outputs:
            fits = len(made) == len_channels(tensor)
            self._channels[id(tensor)] = made if fits else _fixed(len_channels(tensor))
            if layer.name in self._producers:
                self._source[id(tensor)] = layer.name

    def result(self, outputs: Sequence[Any]) -> Channels:
        """Return the channels, numbered by their first filter."""
        for tensor in outputs:
            self._tie(self._channels[id(tensor)], _fixed(len_channels(tensor)))
        return Channels(
            {name: self._roots(channels) for name, channels in self._producers.items()},
            {
                name: tuple(tuple((axis, self._roots(ids)) for axis, ids in weight) for weight in a)
                for name, a in self._axes.items()
            },
            self._norms,
        )

    def _rule(self, layer: Any) -> Callable[..., IntArray]:
        if isinstance(layer, layers.DepthwiseConv2D):
            return self._depthwise
        if type(layer) in (layers.Conv2D, layers.Conv2DTranspose, layers.Dense):
            return self._producer if getattr(layer, "groups", 1) == 1 else self._unknown
        if isinstance(layer, layers.BatchNormalization):
            return self._norm
        if isinstance(layer, layers.Concatenate):
            return self._concatenate
        if isinstance(layer, layers.Flatten):
            return self._flatten
        if isinstance(layer, _TIES_CHANNELS):
            return self._tied
        if isinstance(layer, ChannelShuffle | ChannelHalf):
            return self._halves
        if getattr(layer, "keeps_channels", False) is True:
            return self._kept
        return self._same if isinstance(layer, _KEEPS_CHANNELS) else self._unknown

    def _producer(self, layer: Any, _: Any, taken: list[IntArray], count: int) -> IntArray:
        if layer.name not in self._producers:
            first = len(self._parent)
            self._parent += range(first, first + count)
            self._producers[layer.name] = np.arange(first, first + count)
        made = self._producers[layer.name]
        last = layer.kernel.ndim - 1
        into, out = (last, last - 1) if type(layer) is layers.Conv2DTranspose else (last - 1, last)
        bias = [((0, made),)] if layer.use_bias else []
        self._index(layer, (((into, taken[0]), (out, made)), *bias))
        return made

    def _depthwise(self, layer: Any, _: Any, taken: list[IntArray], count: int) -> IntArray:
        made = np.repeat(taken[0], layer.depth_multiplier)
        bias = [((0, made),)] if layer.use_bias else []
        self._index(layer, (((2, taken[0]),), *bias))
        return made

    def _norm(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        if layer.axis not in (-1, len(inputs[0].shape) - 1):
            return self._unknown(layer, inputs, taken, count)
        source = self._source.get(id(inputs[0]))
        if source is not None:
            self._norms[source] = layer.name
        self._index(layer, tuple(((0, taken[0]),) for _ in layer.weights))
        return taken[0]

    def _concatenate(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        if layer.axis in (-1, len(inputs[0].shape) - 1):
            return np.concatenate(taken)
        return self._tied(layer, inputs, taken, count)

    def _flatten(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        return np.tile(taken[0], count // len(taken[0]))

    def _tied(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        if any(len(channels) != count for channels in taken):
            return self._unknown(layer, inputs, taken, count)
        for other in taken[1:]:
            self._tie(taken[0], other)
        return taken[0]

    def _halves(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        """Tie the halves, so that both are of one size when channels go."""
        halves = taken[0].reshape(2, -1)
        self._tie(halves[0], halves[1])
        return halves[layer.half] if isinstance(layer, ChannelHalf) else halves.T.ravel()

    def _kept(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        """Take each weight whose last axis is a multiple of the channels to go with them."""
        axes: list[tuple[tuple[int, IntArray], ...]] = []
        for weight in layer.weights:
            size = weight.shape[-1] if len(weight.shape) > 0 else 0
            times, rest = divmod(size, count)
            last = len(weight.shape) - 1
            axes.append(((last, np.tile(taken[0], times)),) if times and not rest else ())
        self._index(layer, tuple(axes))
        return taken[0]

    def _same(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        return taken[0]

    def _unknown(self, layer: Any, inputs: Any, taken: list[IntArray], count: int) -> IntArray:
        for channels in taken:
            self._tie(channels, _fixed(len(channels)))
        return _fixed(count)

    def _index(self, layer: Any, axes: Axes) -> None:
        """Note the axes of a layer's weights; a layer that is called again ties its channels."""
        for before, after in zip(self._axes.setdefault(layer.name, axes), axes, strict=True):
            for (_, first), (_, second) in zip(before, after, strict=True):
                self._tie(first, second)

    def _tie(self, some: IntArray, others: IntArray) -> None:
        for pair in zip(some.tolist(), others.tolist(), strict=True):
            low, high = sorted(self._root(channel) for channel in pair)
            # The smaller number stands for both: FIXED, the smallest, spreads to all it meets.
            self._parent[high] = low

    def _root(self, channel: int) -> int:
        while self._parent[channel] != channel:
            channel = self._parent[channel]
        return channel

    def _roots(self, channels: IntArray) -> IntArray:
        return np.array([self._root(channel) for channel in channels.tolist()], np.int64)


def len_channels(tensor: Any) -> int:
    """Return the size of a symbolic tensor's last axis, 1 for a scalar per clip."""
    return int(tensor.shape[-1]) if len(tensor.shape) > 1 else 1


def _fixed(count: int) -> IntArray:
    return np.full(count, FIXED, np.int64)


def _channels_last(layer: Any) -> bool:
    return getattr(layer, "data_format", "channels_last") in (None, "channels_last")
