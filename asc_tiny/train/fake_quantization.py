"""Fake quantisation: a network that computes like its int8 form, on the float network's variables.

Weights and activations are rounded in the forward pass as TensorFlow Lite's int8 operators round
them, and gradients pass straight through (Jacob et al., "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference", arXiv:1712.05877, section 3;
Krishnamoorthi, arXiv:1806.08342, section 3.2).

Both papers fold batch-norm into the kernel before they round it. Here the bare kernel is rounded,
which is the same: folding multiplies each output channel by one factor, codes are symmetric and
have a scale per output channel, and the rounding of a channel does not see a factor that its scale
has, too. So batch-norm may go on with the statistics of each batch while training.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from asc_tiny.nets.channel_halves import ChannelHalf, ChannelShuffle
from asc_tiny.nets.layer_groups import WEIGHTED, Group, groups

_SAME_CODES = (
    keras.layers.Concatenate,
    keras.layers.Cropping2D,
    keras.layers.Flatten,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.MaxPooling2D,
    keras.layers.Permute,
    keras.layers.RepeatVector,
    keras.layers.Reshape,
    keras.layers.Resizing,
    keras.layers.UpSampling2D,
    keras.layers.ZeroPadding2D,
    ChannelHalf,
    ChannelShuffle,
)
"""Layers that hand on the codes they get; a concatenation is taken to do so."""

_DROPOUT = (keras.layers.Dropout, keras.layers.SpatialDropout2D, keras.layers.GaussianNoise)
_FUSED = (keras.activations.linear, keras.activations.relu, keras.activations.relu6)
"""Activations that an int8 operator has at its end."""


def fake_quantized(
    model: keras.Model,
    *,
    frozen: bool = False,
    range_decay: float | None = None,
    switch: Any = None,
) -> keras.Model:
    """Return a network that computes like the int8 form of ``model``, on its variables.

    Outputs of layers with weights, of sums, of average poolings and of whatever else computes new
    values are rounded; max-pooling, cropping and the like hand on the codes they get. The scores
    at the end stay as they are. Inside of layers that are several operators in the end, such as
    ``ResidualNormalization``, nothing is rounded, and neither are weights other than kernels of
    convolutions and dense layers.

    Args:
        model: a functional model of one output.
        frozen: whether batch-norm and dropout stay as they are at inference while training.
        range_decay: share of an activation's range that a batch keeps of the range before, a
            moving average of the smallest and the largest value; None for the range of all
            batches since ``forget_ranges``.
        switch: variable that is 0 while nothing is to be rounded, though ranges are taken; None
            for rounding always.
    """
    by_layer = {id(layer): group for group in groups(model) for layer in group.layers}
    last = model.output._keras_history.operation
    rules = _Rules(frozen, range_decay, switch)

    def replaced(layer: Any) -> Any:
        group = by_layer.get(id(layer), Group(layer))
        if layer is not group.first:
            return _Passing(name=layer.name)
        if isinstance(layer, _DROPOUT):
            return _Passing(name=layer.name) if frozen else _Kept(layer, rules)
        rounds = last not in group.layers
        if isinstance(layer, WEIGHTED):
            return _Weighted(group, rules, rounds)
        if isinstance(layer, _SAME_CODES) or not rounds:
            return _Kept(layer, rules)
        return _Rounded(group, rules)

    return keras.models.clone_model(model, clone_function=replaced)


def forget_ranges(network: keras.Model) -> None:
    """Let the activations' ranges start anew: weights have moved since they were taken."""
    for layer in network.layers:
        if isinstance(layer, _Rounding):
            for low, high in layer.ranges:
                low.assign(0.0)
                high.assign(0.0)


def round_weights(kernel: Any, channel_axes: tuple[int, ...] = (-1,)) -> Any:
    """Round weights to int8 codes and back, symmetric and per output channel.

    scale = max |w| / 127 (TFLite 8-bit quantisation specification).

    Args:
        kernel: weights.
        channel_axes: axes whose places have a scale each.
    """
    rank = len(kernel.shape)
    kept = {axis % rank for axis in channel_axes}
    others = [axis for axis in range(rank) if axis not in kept]
    largest = ops.max(ops.abs(kernel), axis=others, keepdims=True)
    scale = ops.where(largest > 0.0, largest / 127.0, 1.0)
    return _straight_through(kernel, ops.round(kernel / scale) * scale)


def _straight_through(values: Any, rounded: Any) -> Any:
    return values + ops.stop_gradient(rounded - values)


class _Rules:
    """What all layers of a network have in common; as ``fake_quantized`` takes it."""

    def __init__(self, frozen: bool, range_decay: float | None, switch: Any) -> None:
        self.frozen, self.range_decay, self.switch = frozen, range_decay, switch

    def called(self, layer: Any, *arguments: Any, training: bool | None, **options: Any) -> Any:
        """Return what a layer gives; whether it trains is said to those that want to know."""
        if "training" in inspect.signature(layer.call).parameters:
            options["training"] = False if self.frozen else training
        return layer(*arguments, **options)

    def chosen(self, rounded: Any, values: Any) -> Any:
        """Return the rounded values, or the others while the switch is off."""
        return rounded if self.switch is None else ops.where(self.switch > 0.5, rounded, values)


class _Passing(keras.layers.Layer):  # type: ignore[misc]
    """Stands for a layer that another one has taken in; it takes the arguments of any."""

    def call(self, x: Any, **_arguments: Any) -> Any:
        return x


class _Kept(keras.layers.Layer):  # type: ignore[misc]
    """A layer as it is."""

    def __init__(self, layer: Any, rules: _Rules) -> None:
        super().__init__(name=layer.name)
        self.layer, self.rules = layer, rules

    def call(self, *arguments: Any, training: bool | None = None, **options: Any) -> Any:
        return self.rules.called(self.layer, *arguments, training=training, **options)


class _Rounding(keras.layers.Layer):  # type: ignore[misc]
    """Rounds values to int8 codes of a range that covers them, and 0."""

    def __init__(self, group: Group, rules: _Rules, outputs: int) -> None:
        super().__init__(name=group.first.name)
        self.group_layers = group.layers
        self.rules = rules
        self.ranges = [(self._bound("low", n), self._bound("high", n)) for n in range(outputs)]

    def _bound(self, name: str, number: int) -> Any:
        return self.add_weight(
            shape=(),
            initializer="zeros",
            trainable=False,
            aggregation="mean",
            name=f"{name}{number or ''}",
        )

    def rounded(self, x: Any, training: bool | None, output: int = 0) -> Any:
        """Return ``x`` rounded; in training its range changes the layer's first."""
        low, high = self.ranges[output]
        if training:
            self._take(ops.stop_gradient(x), low, high)
        span = high - low
        scale = ops.where(span > 0.0, span / 255.0, 1.0)
        zero_point = ops.round(-128.0 - low / scale)
        codes = ops.clip(ops.round(x / scale) + zero_point, -128.0, 127.0)
        # What is beyond the range has no gradient.
        inside = ops.where(span > 0.0, ops.clip(x, low, high), x)
        return self.rules.chosen(_straight_through(inside, (codes - zero_point) * scale), x)

    def _take(self, x: Any, low: Any, high: Any) -> None:
        least, most = ops.minimum(ops.min(x), 0.0), ops.maximum(ops.max(x), 0.0)
        if self.rules.range_decay is None:
            least, most = ops.minimum(low, least), ops.maximum(high, most)
        else:
            kept = ops.where(high - low > 0.0, self.rules.range_decay, 0.0)
            least, most = kept * low + (1.0 - kept) * least, kept * high + (1.0 - kept) * most
        low.assign(least)
        high.assign(most)


class _Rounded(_Rounding):
    """A layer whose int8 form has a range of its own, with the ReLU behind it."""

    def __init__(self, group: Group, rules: _Rules) -> None:
        super().__init__(group, rules, outputs=1)

    def call(self, *arguments: Any, training: bool | None = None, **options: Any) -> Any:
        first, *others = self.group_layers
        x = self.rules.called(first, *arguments, training=training, **options)
        for layer in others:
            x = layer(x)
        # Such as a layer of several outputs.
        return self.rounded(x, training) if ops.is_tensor(x) or hasattr(x, "shape") else x


class _Weighted(_Rounding):
    """Convolution or dense layer with batch-norm, ReLU and rounding."""

    def __init__(self, group: Group, rules: _Rules, rounds: bool) -> None:
        self._fused = group.first.activation in _FUSED
        super().__init__(group, rules, outputs=1 if self._fused else 2)
        self.first, self.norm, self.relu = group.first, group.norm, group.relu
        self._rounds = rounds

    def call(self, x: Any, training: bool | None = None) -> Any:
        layer = self.first
        activation = layer.activation
        kernel = self.rules.chosen(self._rounded_kernel(), ops.convert_to_tensor(layer.kernel))
        with _without_activation(layer), keras.StatelessScope([(layer.kernel, kernel)]):
            x = layer(x)
        if not self._fused:
            x = self.rounded(x, training, output=1)
        x = activation(x)
        if self.norm is not None:
            x = self.rules.called(self.norm, x, training=training)
        if self.relu is not None:
            x = self.relu(x)
        return self.rounded(x, training) if self._rounds else x

    def _rounded_kernel(self) -> Any:
        depthwise = isinstance(self.first, keras.layers.DepthwiseConv2D)
        return round_weights(self.first.kernel, (-2, -1) if depthwise else (-1,))


@contextmanager
def _without_activation(layer: Any) -> Iterator[None]:
    """Have a layer leave out its activation, which follows behind a rounding of its own."""
    activation, layer.activation = layer.activation, keras.activations.linear
    try:
        yield
    finally:
        layer.activation = activation
