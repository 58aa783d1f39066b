"""Parts that several networks share: convolution with batch-norm, and the end of a classifier."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from asc_tiny.nets.strided_depthwise import StridedDepthwiseConv2D


def conv(
    x: Any,
    filters: int,
    size: int | tuple[int, int],
    name: str,
    *,
    strides: int | tuple[int, int] = 1,
    relu: bool = True,
    bias: bool = False,
) -> Any:
    """Return a convolution of ``same`` padding, batch-norm and, with ``relu``, ReLU."""
    layer = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=bias, name=name)
    return normalized(layer(x), name, relu=relu)


def depthwise(
    x: Any,
    size: int | tuple[int, int],
    name: str,
    *,
    strides: int | tuple[int, int] = 1,
    multiplier: int = 1,
    dilation: int | tuple[int, int] = 1,
    relu: bool = True,
    bias: bool = False,
) -> Any:
    """Return a depthwise convolution of ``same`` padding, batch-norm and, with ``relu``, ReLU."""
    unequal = isinstance(strides, tuple) and strides[0] != strides[1]
    kind = StridedDepthwiseConv2D if unequal else layers.DepthwiseConv2D
    layer = kind(
        size,
        strides=strides,
        padding="same",
        depth_multiplier=multiplier,
        dilation_rate=dilation,
        use_bias=bias,
        name=name,
    )
    return normalized(layer(x), name, relu=relu)


def normalized(x: Any, name: str, *, relu: bool = True) -> Any:
    """Return batch-norm and, with ``relu``, ReLU behind a convolution of this name."""
    x = layers.BatchNormalization(epsilon=1e-5, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def frequency_mean(x: Any, name: str) -> Any:
    """Return the mean over the height, (batch, 1, width, channels)."""
    return layers.AveragePooling2D((x.shape[1], 1), name=name)(x)


def pooled_scores(inputs: Any, x: Any, name: str) -> keras.Model:
    """Return the network whose class scores are the mean of a map of logits, and softmax."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name=name)
