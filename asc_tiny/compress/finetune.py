"""Quantisation-aware fine-tuning: a network learns to be what it was, with int8 arithmetic.

Weights and activations are rounded in the forward pass as the int8 network rounds them and
gradients pass straight through (Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", arXiv:1712.05877). The target is the float network's
own scores, so that no label is learnt twice. Batch-norm statistics stay as they are and are
folded into the weights before these are rounded.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from tqdm import tqdm

from asc_tiny.compress.layer_groups import WEIGHTED, Group, groups
from asc_tiny.features.cache import FeatureSet
from asc_tiny.frontend.config import Quantization
from asc_tiny.nets.strided_depthwise import strided_depthwise
from asc_tiny.train.augmentation import augment
from asc_tiny.train.distil import Teacher
from asc_tiny.util.errors import AscError

_BATCH = 32
_RATE = 1e-4
_AVERAGED = (keras.layers.GlobalAveragePooling2D, keras.layers.AveragePooling2D)


def finetune(
    model: keras.Model,
    features: FeatureSet,
    quantization: Quantization,
    *,
    epochs: int,
    seed: int = 1,
) -> None:
    """Change a trained network's weights so that its int8 form follows the float one.

    Adam with a rate that falls from 1e-4 to 0 by a cosine. The result is converted as any other
    network, by ``quantize.quantize``.

    Args:
        model: float features to probabilities; changed in place.
        features: clips to fine-tune on, without augmentation; their labels are not needed.
        quantization: scale and zero point of the network's int8 input.
        epochs: passes over ``features``.
        seed: seed of the random order of the clips, 0 or more.

    Raises:
        AscError: the loss is not finite.
    """
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    before = keras.models.clone_model(model)
    before.set_weights(model.get_weights())
    teacher = Teacher([before], model.input_shape[1:], 1.0)
    network = fake_quantized(model)
    optimizer = keras.optimizers.Adam(_RATE)
    optimizer.build(network.trainable_variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(teacher.loss(x, network(x, training=True)))
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    steps = augment.step_count(len(features), _BATCH)
    with tqdm(total=epochs * steps, desc="fine-tuning", unit="step", disable=None) as bar:
        for epoch in range(epochs):
            forget_ranges(network)
            order = augment.generator(seed, epoch).permutation(len(features))
            for number, indices in enumerate(np.array_split(order, steps)):
                passed = (epoch + number / steps) / epochs
                optimizer.learning_rate.assign(_RATE * (1.0 + math.cos(math.pi * passed)) / 2.0)
                loss = float(
                    step(tf.constant(augment.rounded(features.take(indices), quantization)))
                )
                if not math.isfinite(loss):
                    raise AscError(f"fine-tuning, epoch {epoch + 1}: the loss is {loss}")
                bar.update()


def fake_quantized(model: keras.Model) -> keras.Model:
    """Return a network that computes like the int8 form of ``model``, on its variables.

    Outputs of layers with weights and of average poolings are rounded; max-pooling, cropping and
    the like hand on the codes they get, and a concatenation is taken to do so.
    """
    by_layer = {id(layer): group for group in groups(model) for layer in group.layers}

    def replaced(layer: Any) -> Any:
        group = by_layer[id(layer)]
        if isinstance(group.first, WEIGHTED):
            return _Weighted(group) if layer is group.first else _Passing(name=layer.name)
        if isinstance(layer, _AVERAGED):
            return _Rounded(layer)
        if isinstance(layer, keras.layers.Dropout):
            return _Passing(name=layer.name)
        if layer.weights:
            return _Frozen(layer)
        return type(layer).from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=replaced)


def forget_ranges(network: keras.Model) -> None:
    """Let the activations' ranges start anew: weights have moved since they were taken."""
    for layer in network.layers:
        if isinstance(layer, _Rounding):
            layer.low.assign(0.0)
            layer.high.assign(0.0)


def round_weights(kernel: Any, axis: int) -> Any:
    """Round weights to int8 codes and back, symmetric and per channel along ``axis``.

    scale = max |w| / 127 (TFLite 8-bit quantisation specification).
    """
    others = [number for number in range(len(kernel.shape)) if number != axis % len(kernel.shape)]
    largest = ops.max(ops.abs(kernel), axis=others, keepdims=True)
    scale = ops.where(largest > 0.0, largest / 127.0, 1.0)
    return _straight_through(kernel, ops.round(kernel / scale) * scale)


def _straight_through(values: Any, rounded: Any) -> Any:
    return values + ops.stop_gradient(rounded - values)


class _Passing(keras.layers.Layer):  # type: ignore[misc]
    """Stands for a layer that another one has taken in; it takes the arguments of any."""

    def call(self, x: Any, **_arguments: Any) -> Any:
        return x


class _Frozen(keras.layers.Layer):  # type: ignore[misc]
    """A layer with weights that nothing takes in, as it is at inference."""

    def __init__(self, layer: Any) -> None:
        super().__init__(name=layer.name)
        self.layer = layer
        self._takes_training = "training" in inspect.signature(layer.call).parameters

    def call(self, x: Any) -> Any:
        return self.layer(x, training=False) if self._takes_training else self.layer(x)


class _Rounding(keras.layers.Layer):  # type: ignore[misc]
    """Rounds its output to the int8 codes of the range that it had since ``forget_ranges``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.low = self.add_weight(shape=(), initializer="zeros", trainable=False, name="low")
        self.high = self.add_weight(shape=(), initializer="zeros", trainable=False, name="high")

    def rounded(self, x: Any, training: bool | None) -> Any:
        """Return ``x`` rounded; in training its range widens the layer's first."""
        if training:
            self.low.assign(ops.minimum(self.low, ops.stop_gradient(ops.min(x))))
            self.high.assign(ops.maximum(self.high, ops.stop_gradient(ops.max(x))))
        span = self.high - self.low
        scale = ops.where(span > 0.0, span / 255.0, 1.0)
        zero_point = ops.round(-128.0 - self.low / scale)
        codes = ops.clip(ops.round(x / scale) + zero_point, -128.0, 127.0)
        return _straight_through(x, (codes - zero_point) * scale)


class _Rounded(_Rounding):
    """A layer without weights whose int8 form has a range of its own."""

    def __init__(self, layer: Any) -> None:
        super().__init__(name=layer.name)
        self.layer = type(layer).from_config(layer.get_config())

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.rounded(self.layer(x), training)


class _Weighted(_Rounding):
    """Convolution or dense layer with batch-norm folded in, ReLU and rounding."""

    def __init__(self, group: Group) -> None:
        super().__init__(name=group.first.name)
        self.first, self.norm, self.relu = group.first, group.norm, group.relu

    def call(self, x: Any, training: bool | None = None) -> Any:
        layer = self.first
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        kernel, bias = self._folded(2 if depthwise else -1)
        if depthwise:
            if layer.strides[0] == layer.strides[1]:
                options = (layer.strides, layer.padding, None, layer.dilation_rate)
                x = ops.depthwise_conv(x, kernel, *options)
            else:
                x = strided_depthwise(x, kernel, layer.strides)
        elif isinstance(layer, keras.layers.Conv2D):
            x = ops.conv(x, kernel, layer.strides, layer.padding, None, layer.dilation_rate)
        else:
            x = ops.matmul(x, kernel)
        x = layer.activation(x + bias)
        if self.relu is not None:
            x = ops.relu(x)
        return self.rounded(x, training)

    def _folded(self, axis: int) -> tuple[Any, Any]:
        kernel, norm = self.first.kernel, self.norm
        bias = self.first.bias if self.first.use_bias else 0.0
        if norm is not None:
            factor = ops.rsqrt(norm.moving_variance + norm.epsilon)
            factor = norm.gamma * factor if norm.scale else factor
            bias = (bias - norm.moving_mean) * factor
            bias = bias + norm.beta if norm.center else bias
            kernel = kernel * (factor[:, None] if axis == 2 else factor)
        return round_weights(kernel, axis), bias
