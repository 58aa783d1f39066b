"""Well-known small networks in Keras at their full size, with the layers of their papers.

Most end in scores before the softmax, which of random weights makes the same codes every time.
Those with a batch size of None have an input as Keras makes it by default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def ds_cnn(batch_size: int | None = 1) -> Any:
    """Keyword spotting of MLPerf Tiny: 49 frames of 10 coefficients, 64 channels."""
    from keras import Input, Model, layers

    source = Input((49, 10, 1), batch_size=batch_size)
    x = layers.Conv2D(64, (10, 4), strides=2, padding="same", use_bias=False)(source)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for _ in range(4):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2D(64, 1, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.AveragePooling2D((25, 5))(x)
    return Model(source, layers.Dense(12)(layers.Flatten()(x)))


def resnet_8(batch_size: int | None = 1) -> Any:
    """Image classification of MLPerf Tiny: three stacks of two convolutions with a shortcut."""
    from keras import Input, Model, layers

    def conv(x: Any, filters: int, size: int, stride: int) -> Any:
        x = layers.Conv2D(filters, size, strides=stride, padding="same")(x)
        return layers.BatchNormalization()(x) if size > 1 else x

    source = Input((32, 32, 3), batch_size=batch_size)
    x = layers.ReLU()(conv(source, 16, 3, 1))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = conv(layers.ReLU()(conv(x, filters, 3, stride)), filters, 3, 1)
        shortcut = x if stride == 1 else conv(x, filters, 1, stride)
        x = layers.ReLU()(layers.Add()([shortcut, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return Model(source, layers.Dense(10)(x))


def autoencoder(batch_size: int | None = 1) -> Any:
    """Anomaly detection of MLPerf Tiny: dense layers around a code of 8 values."""
    from keras import Input, Model, layers

    source = x = Input((640,), batch_size=batch_size)
    for size in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(size)(x)))
    return Model(source, layers.Dense(640)(x))


def dcase_baseline() -> Any:
    """Acoustic scenes, DCASE 2021 task 1A: 7x7 kernels on 40 bands and 500 frames, here 100."""
    from keras import Input, Model, layers

    source = x = Input((40, 100, 1), batch_size=1)
    for filters, pool in ((16, 0), (16, 5), (32, 4)):
        x = layers.Conv2D(filters, 7, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        if pool:
            x = layers.MaxPooling2D((pool, 5 if pool == 5 else 20))(x)
    x = layers.Dense(100, activation="relu")(layers.Flatten()(x))
    return Model(source, layers.Dense(10)(x))


def depth_multiplier() -> Any:
    """One band image that becomes 16 channels by 7x7 depthwise kernels."""
    from keras import Input, Model, layers

    source = Input((40, 51, 1), batch_size=1)
    x = layers.DepthwiseConv2D(7, depth_multiplier=16, padding="same", activation="relu")(source)
    x = layers.Conv2D(16, 7, padding="same", activation="relu")(layers.MaxPooling2D(2)(x))
    return Model(source, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def squeeze_excite() -> Any:
    """Inverted residuals of MobileNet v3: hard swish, and gates by a mean over the whole map."""
    from keras import Input, Model, layers

    def gated(x: Any, activation: str) -> Any:
        channels = x.shape[-1]
        gates = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gates = layers.Conv2D(channels // 4, 1, activation="relu")(gates)
        gates = layers.Conv2D(channels, 1, activation=activation)(gates)
        return layers.Multiply()([x, gates])

    source = Input((32, 24, 2), batch_size=1)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="hard_silu")(source)
    for stride, activation in ((2, "sigmoid"), (1, "hard_sigmoid")):
        y = layers.Conv2D(32, 1, activation="hard_silu")(x)
        y = layers.DepthwiseConv2D(3, strides=stride, padding="same", activation="relu6")(y)
        y = layers.Conv2D(16, 1)(gated(y, activation))
        x = layers.Add()([x, y]) if stride == 1 else y
    x = layers.Conv2D(24, 1, activation="tanh")(x)
    return Model(source, layers.Dense(10, activation="softmax")(layers.GlobalMaxPooling2D()(x)))


def u_net(batch_size: int | None = 1) -> Any:
    """Down by pools, up by transposed convolutions and bilinear resizing, joined across."""
    from keras import Input, Model, layers

    def conv(x: Any, filters: int) -> Any:
        x = layers.Conv2D(filters, 3, padding="same")(x)
        return layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(x))

    source = Input((32, 24, 1), batch_size=batch_size)
    first = conv(source, 8)
    second = conv(layers.MaxPooling2D(2)(first), 12)
    x = conv(layers.MaxPooling2D(2)(second), 16)
    x = layers.Conv2DTranspose(12, 3, strides=2, padding="same", activation="relu")(x)
    x = conv(layers.Concatenate()([x, second]), 12)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = conv(layers.Concatenate()([x, first]), 8)
    x = layers.Conv2DTranspose(4, 2, strides=2, padding="valid")(x)
    return Model(source, layers.Conv2D(1, 1, activation="sigmoid")(x))


def one_dimensional() -> Any:
    """Convolutions along time alone, with parametric slopes."""
    from keras import Input, Model, layers

    source = Input((64, 5), batch_size=1)
    x = layers.Conv1D(12, 5, strides=2, padding="causal", activation="relu")(source)
    x = layers.PReLU(shared_axes=[1])(layers.Conv1D(16, 3, dilation_rate=2, padding="same")(x))
    x = layers.MaxPooling1D(2)(layers.ZeroPadding1D(1)(x))
    y = layers.Maximum()([x, layers.Conv1D(16, 1)(x)])
    x = layers.Permute((2, 1))(layers.Subtract()([x, y]))
    return Model(source, layers.Dense(6)(layers.GlobalAveragePooling1D()(x)))


def mobilenet_v1(batch_size: int | None = 1) -> Any:
    """MobileNet with a quarter of its channels on 96x96 pixels, as for person detection."""
    from keras import Input
    from keras.applications import MobileNet

    source = Input((96, 96, 3), batch_size=batch_size)
    return MobileNet(
        input_tensor=source, alpha=0.25, weights=None, classes=2, classifier_activation=None
    )


def mobilenet_v2(batch_size: int | None = 1) -> Any:
    """MobileNet v2 with a quarter of its channels on 96x96 pixels."""
    from keras import Input
    from keras.applications import MobileNetV2

    source = Input((96, 96, 3), batch_size=batch_size)
    return MobileNetV2(
        input_tensor=source, alpha=0.25, weights=None, classes=10, classifier_activation=None
    )


NETWORKS: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        ds_cnn,
        resnet_8,
        autoencoder,
        dcase_baseline,
        depth_multiplier,
        squeeze_excite,
        u_net,
        one_dimensional,
        mobilenet_v1,
        mobilenet_v2,
    )
}
