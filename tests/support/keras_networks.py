"""Networks in Keras as people build them, in small, and random ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RELEASED = ("mobilenet_esc10", "mini_segnet_esc10")


def keyword_spotting() -> Any:
    """DS-CNN in small: a wide first kernel, depthwise and pointwise layers."""
    from keras import Input, Model, layers

    source = Input((49, 10, 1), batch_size=1)
    x = layers.Conv2D(16, (10, 4), strides=2, padding="same", activation="relu")(source)
    for _ in range(2):
        x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
        x = layers.Conv2D(16, 1, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(source, layers.Softmax()(layers.Dense(12)(x)))


def residual() -> Any:
    """ResNet-8 in small: sums of branches of different depth and stride."""
    from keras import Input, Model, layers

    source = Input((16, 16, 3), batch_size=1)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(source)
    for filters, stride in ((8, 1), (12, 2)):
        y = layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu")(x)
        y = layers.Conv2D(filters, 3, padding="same")(y)
        shortcut = x if stride == 1 else layers.Conv2D(filters, 1, strides=stride)(x)
        x = layers.ReLU()(layers.Add()([y, shortcut]))
    x = layers.AveragePooling2D(8)(x)
    return Model(source, layers.Dense(10)(layers.Flatten()(x)))


def autoencoder() -> Any:
    """Dense layers only."""
    from keras import Input, Model, layers

    source = x = Input((64,), batch_size=1)
    for size in (33, 8, 33):
        x = layers.Dense(size, activation="relu")(x)
    return Model(source, layers.Dense(64)(x))


def baseline() -> Any:
    """The DCASE baseline: 7x7 kernels, depth multiplier 16, large pools."""
    from keras import Input, Model, layers

    source = Input((40, 51, 1), batch_size=1)
    x = layers.DepthwiseConv2D(7, depth_multiplier=16, padding="same", activation="relu")(source)
    x = layers.Conv2D(16, 7, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(5)(x)
    x = layers.Conv2D(32, 7, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D((4, 10))(x)
    x = layers.Dense(20, activation="relu")(layers.Flatten()(x))
    return Model(source, layers.Softmax()(layers.Dense(10)(x)))


def dilated() -> Any:
    """Windows with gaps, along both axes."""
    from keras import Input, Model, layers

    source = Input((15, 13, 3), batch_size=1)
    x = layers.Conv2D(5, 3, dilation_rate=2, padding="same", activation="relu")(source)
    x = layers.Conv2D(6, (2, 3), dilation_rate=(3, 2), padding="valid")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)
    return Model(source, layers.Flatten()(x))


def single() -> Any:
    """Layers of one filter, windows one by one and in pairs."""
    from keras import Input, Model, layers

    source = Input((11, 7, 2), batch_size=1)
    x = layers.Conv2D(1, 3, padding="same", activation="relu")(source)
    x = layers.Conv2D(3, (1, 3), padding="same")(x)
    x = layers.Conv2D(1, (2, 7))(x)
    return Model(source, layers.Flatten()(x))


def upsampled() -> Any:
    """Convolutions over repeated pixels: windows of one to five columns, padded and not."""
    from keras import Input, Model, layers

    def resized(x: Any, height: int, width: int) -> Any:
        return layers.Resizing(height, width, interpolation="nearest")(x)

    source = Input((5, 4, 3), batch_size=1)
    x = layers.Conv2D(5, (2, 3), padding="same", activation="relu")(resized(source, 10, 8))
    x = layers.Conv2D(9, (3, 4), padding="valid", activation="relu6")(resized(x, 11, 24))
    x = layers.Conv2D(2, 1)(resized(x, 9, 42))
    x = layers.Conv2D(6, (2, 5), dilation_rate=(3, 1), padding="same")(layers.MaxPooling2D(3)(x))
    x = layers.Conv2D(7, (3, 2), padding="same")(resized(x, 7, 28))
    # With two readers, the resized tensor is needed.
    y = resized(x, 14, 56)
    y = layers.Add()([y, layers.Conv2D(7, 3, padding="same")(y)])
    return Model(source, layers.Dense(3)(layers.GlobalAveragePooling2D()(y)))


COMMON: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        keyword_spotting,
        residual,
        autoencoder,
        baseline,
        dilated,
        single,
        upsampled,
    )
}


def random_network(seed: int) -> Any:
    """A chain of random layers with odd sizes, now and then a branch that is added or joined."""
    from keras import Input, Model, layers

    rng = np.random.default_rng(seed)

    def one_of(*choices: Any) -> Any:
        return choices[rng.integers(len(choices))]

    def layer(x: Any) -> Any:
        _, height, width, channels = x.shape
        kernel = (int(rng.integers(1, min(4, height) + 1)), int(rng.integers(1, min(4, width) + 1)))
        stride = int(rng.integers(1, 3)) if min(height, width) > 3 else 1
        padding = one_of("same", "valid")
        activation = one_of(None, "relu", "relu6")
        kind = one_of("conv", "conv", "depthwise", "max", "average", "resize", "pad", "branch")
        if kind == "conv":
            filters = int(rng.integers(1, 11))
            return layers.Conv2D(
                filters, kernel, strides=stride, padding=padding, activation=activation
            )(x)
        if kind == "depthwise":
            multiplier = int(rng.integers(1, 3)) if channels < 8 else 1
            return layers.DepthwiseConv2D(
                kernel, strides=stride, depth_multiplier=multiplier, padding=padding
            )(x)
        if kind == "max":
            return layers.MaxPooling2D(kernel, strides=stride, padding=padding)(x)
        if kind == "average":
            return layers.AveragePooling2D(kernel, strides=stride, padding=padding)(x)
        if kind == "resize" and height * width < 80:
            return layers.Resizing(height + 1, 2 * width, interpolation="nearest")(x)
        if kind == "pad" and height * width < 80:
            return layers.ZeroPadding2D(((1, 0), (0, 2)))(x)
        y = layers.Conv2D(channels, 3, padding="same", activation=activation)(x)
        if rng.random() < 0.5:
            return layers.Add()([x, y])
        return layers.Concatenate(axis=int(rng.integers(1, 4)))([x, y])

    shape = (int(rng.integers(5, 14)), int(rng.integers(4, 12)), int(rng.integers(1, 6)))
    source = x = Input(shape, batch_size=1)
    for _ in range(int(rng.integers(2, 7))):
        x = layer(x)
    if rng.random() < 0.5:
        x = layers.GlobalAveragePooling2D()(x)
        return Model(source, layers.Dense(int(rng.integers(1, 9)))(x))
    return Model(source, layers.Flatten()(x))
