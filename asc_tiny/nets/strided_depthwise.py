"""Depthwise convolution whose strides along height and width differ."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable(package="asc_tiny")
class StridedDepthwiseConv2D(layers.DepthwiseConv2D):  # type: ignore[misc]
    """Depthwise convolution of ``same`` padding and of any strides.

    TensorFlow Lite has an operator for it; TensorFlow itself runs one with equal strides only. So
    the layer computes all places and takes those that the strides ask for, but where ``native`` is
    set, as the conversion to TensorFlow Lite does.
    """

    native = False

    def call(self, x: Any) -> Any:
        """Convolve (batch, height, width, channels)."""
        x = strided_depthwise(x, self.kernel, self.strides, native=self.native)
        if self.use_bias:
            x = x + self.bias
        return self.activation(x)


def strided_depthwise(
    x: Any, kernel: Any, strides: tuple[int, int], *, native: bool = False
) -> Any:
    """Return the depthwise convolution of ``same`` padding, without bias.

    Args:
        x: input, shape (batch, height, width, channels).
        kernel: weights, shape (rows, columns, channels, outputs per channel).
        strides: steps along height and width, 1 or more.
        native: whether the operator itself is used, which TensorFlow cannot run.
    """
    if native:
        return tf.nn.depthwise_conv2d(x, kernel, [1, *strides, 1], "SAME")
    if strides[0] == strides[1]:
        return ops.depthwise_conv(x, kernel, strides, "same")
    whole = ops.depthwise_conv(x, kernel, 1, "same")
    rows, columns = (
        _places(size, taps, step)
        for size, taps, step in zip(x.shape[1:3], kernel.shape[:2], strides, strict=True)
    )
    return whole[:, rows, columns]


def prepare_conversion(model: keras.Model) -> None:
    """Have all layers of this kind use the operator itself, in place."""
    for layer in model.layers:
        if isinstance(layer, StridedDepthwiseConv2D):
            layer.native = True


def _places(size: int, taps: int, step: int) -> slice:
    """Return the outputs of step 1 that those of a larger step are, with ``same`` padding."""
    count = -(-size // step)
    padding = max((count - 1) * step + taps - size, 0) // 2
    first = (taps - 1) // 2 - padding
    return slice(first, first + (count - 1) * step + 1, step)
