"""Architectures that people bring, converted by the converter's defaults: float ends, any batch.

Weights are random. Each is built in Keras as it is found in papers and in the networks' own
repositories, but for the streaming one, which keeps its state in variables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from support import common_networks, session_cache
from support.network_models import set_random_weights

_SMALL = "small"
"""Beginning of the names of batch norms whose results are small.

Trained blocks of a deep network add a little each; sums of 48 as large as their input would leave
no bit to the biases.
"""


def ds_cnn_small() -> Any:
    """DS-CNN of "Hello Edge" in its small size: 64 channels, the first layer's strides 2 and 2."""
    from keras import Input, Model, layers

    def normalized(x: Any) -> Any:
        return layers.ReLU()(layers.BatchNormalization()(x))

    source = Input((49, 10, 1))
    x = normalized(layers.Conv2D(64, (10, 4), strides=(2, 2), padding="same")(source))
    for _ in range(4):
        x = normalized(layers.DepthwiseConv2D(3, padding="same")(x))
        x = normalized(layers.Conv2D(64, 1)(x))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return Model(source, layers.Dense(12, activation="softmax")(x))


def mobilenet_v1_half() -> Any:
    """MobileNet with half of its channels on 96x96 pixels."""
    from keras.applications import MobileNet

    return MobileNet((96, 96, 3), alpha=0.5, weights=None, classes=10)


def mobilenet_v2_35() -> Any:
    """MobileNet v2 with 0.35 of its channels on 96x96 pixels."""
    from keras.applications import MobileNetV2

    return MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=10)


def mobilenet_v3_small() -> Any:
    """MobileNet v3 small on 96x96 pixels: hard swish, and gates by a mean over the whole map."""
    from keras.applications import MobileNetV3Small

    return MobileNetV3Small((96, 96, 3), weights=None, classes=10, include_preprocessing=False)


_EFFICIENTNET_BLOCKS = (
    # filters, repeats, kernel, stride, expansion: EfficientNet-B0 and -lite0 have the same.
    (16, 1, 3, 1, 1),
    (24, 2, 3, 2, 6),
    (40, 2, 5, 2, 6),
    (80, 3, 3, 2, 6),
    (112, 3, 5, 1, 6),
    (192, 4, 5, 2, 6),
    (320, 1, 3, 1, 6),
)


def efficientnet_lite0() -> Any:
    """EfficientNet-lite0 on 96x96 pixels: B0 with ReLU6 and without squeeze and excitation."""
    from keras import Input, Model, layers

    def conv(x: Any, filters: int, size: int = 1, stride: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    def block(x: Any, filters: int, kernel: int, stride: int, expansion: int) -> Any:
        y = layers.ReLU(6.0)(conv(x, x.shape[-1] * expansion)) if expansion > 1 else x
        y = layers.DepthwiseConv2D(kernel, strides=stride, padding="same", use_bias=False)(y)
        y = conv(layers.ReLU(6.0)(layers.BatchNormalization()(y)), filters)
        return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == filters else y

    source = Input((96, 96, 3))
    x = layers.ReLU(6.0)(conv(source, 32, 3, 2))
    for filters, repeats, kernel, stride, expansion in _EFFICIENTNET_BLOCKS:
        for number in range(repeats):
            x = block(x, filters, kernel, 1 if number else stride, expansion)
    x = layers.GlobalAveragePooling2D()(layers.ReLU(6.0)(conv(x, 1280)))
    return Model(source, layers.Dense(10, activation="softmax")(x))


def resnet_100() -> Any:
    """ResNet for CIFAR-10 of 3 stacks of 16 blocks: 97 convolutions in a row, a dense layer."""
    from keras import Input, Model, layers

    def conv(x: Any, filters: int, size: int, stride: int, name: str | None = None) -> Any:
        x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization(name=name)(x)

    source = Input((32, 32, 3))
    x = layers.ReLU()(conv(source, 8, 3, 1))
    for filters in (8, 16, 32):
        for number in range(16):
            stride = 2 if number == 0 and filters > 8 else 1
            y = layers.ReLU()(conv(x, filters, 3, stride))
            y = conv(y, filters, 3, 1, f"{_SMALL}_{filters}_{number}")
            shortcut = conv(x, filters, 1, stride) if stride > 1 else x
            x = layers.ReLU()(layers.Add()([shortcut, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(source, layers.Dense(10, activation="softmax")(x))


def yamnet_like() -> Any:
    """YAMNet's layers on its patch of 96 frames and 64 bands, with a quarter of its channels."""
    from keras import Input, Model, layers

    def normalized(x: Any) -> Any:
        return layers.ReLU()(layers.BatchNormalization(scale=False)(x))

    source = Input((96, 64))
    x = layers.Reshape((96, 64, 1))(source)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = normalized(x)
    widths = (16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256)
    for number, filters in enumerate(widths):
        stride = 2 if number in (1, 3, 5, 11) else 1
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
        x = normalized(layers.Conv2D(filters, 1, use_bias=False)(normalized(x)))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(source, layers.Dense(521, activation="sigmoid")(x))


def lstm() -> Any:
    """An LSTM over 12 frames, unrolled: Keras 3 has no fused one.

    Its first state would be filled to the size of any batch, which TensorFlow Lite Micro refuses.
    """
    from keras import Input, Model, layers

    source = Input((12, 8), batch_size=1)
    return Model(source, layers.Dense(6)(layers.LSTM(16, unroll=True)(source)))


def convolutional_autoencoder() -> Any:
    """An autoencoder of images: down by strides, up by transposed convolutions."""
    from keras import Input, Model, layers

    source = x = Input((32, 32, 1))
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    for filters in (16, 8):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
    return Model(source, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x))


KERAS: dict[str, Callable[[], Any]] = {
    "mlperf_kws": lambda: common_networks.ds_cnn(None),
    "mlperf_ic": lambda: common_networks.resnet_8(None),
    "mlperf_vww": lambda: common_networks.mobilenet_v1(None),
    "mlperf_ad": lambda: common_networks.autoencoder(None),
    "ds_cnn_small": ds_cnn_small,
    "mobilenet_v1_half": mobilenet_v1_half,
    "mobilenet_v2_35": mobilenet_v2_35,
    "mobilenet_v3_small": mobilenet_v3_small,
    "efficientnet_lite0": efficientnet_lite0,
    "resnet_100": resnet_100,
    "yamnet_like": yamnet_like,
    "lstm": lstm,
    "convolutional_autoencoder": convolutional_autoencoder,
    "u_net": lambda: common_networks.u_net(None),
}
"""Architectures by name, each with the function that builds it in Keras."""

STREAMING = "streaming_kws"
"""Name of the architecture that keeps its state in variables."""

QUICK = ("mlperf_ad", "ds_cnn_small", "lstm", "convolutional_autoencoder", STREAMING)
"""Those that are converted in a few seconds."""


def converted_by_defaults(name: str) -> bytes:
    """Return an architecture as int8, converted once in a run of the tests."""
    made = session_cache.entry(
        f"{session_cache.key('by defaults', name)}.tflite",
        lambda path: path.write_bytes(_streaming() if name == STREAMING else _converted(name)),
    )
    return made.read_bytes()


def _converted(name: str) -> bytes:
    import tensorflow as tf

    model, rng = KERAS[name](), np.random.default_rng(0)
    set_random_weights(model, rng)
    for layer in model.layers:
        if layer.name.startswith(_SMALL):
            layer.gamma.assign(0.1 * layer.gamma)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    return _int8(converter, (1, *model.input_shape[1:]), rng)


def _int8(converter: Any, shape: tuple[int, ...], rng: np.random.Generator) -> bytes:
    """Convert with nothing but what the documentation of full integer quantisation names."""
    import tensorflow as tf

    samples = [rng.normal(size=shape).astype(np.float32) for _ in range(8)]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    data = converter.convert()
    assert isinstance(data, bytes)
    return data


STREAMING_SHAPES = ((5, 1, 40, 32), (9, 1, 32, 1), (1, 1, 32, 48), (4 * 48, 3))
"""Weights of a convolution, a depthwise one, a pointwise one, a dense layer."""
STREAMING_STATES = ((1, 4, 1, 40), (1, 8, 1, 32), (1, 3, 1, 48))
"""Frames that the first, the second and the last of them remember."""


def _streaming() -> bytes:
    """Return a keyword network that takes a frame at a time, as microWakeWord converts its own."""
    import tensorflow as tf

    rng = np.random.default_rng(0)

    def random(*shape: int) -> Any:
        width = float(np.prod(shape[:-1])) ** -0.5
        return tf.Variable(rng.normal(0.0, width, shape).astype(np.float32))

    class Network(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.weights = [random(*shape) for shape in STREAMING_SHAPES]
            self.biases = [random(size) for size in (32, 32, 48, 3)]
            self.states = [tf.Variable(tf.zeros(shape)) for shape in STREAMING_STATES]

        def pushed(self, number: int, x: Any) -> Any:
            """Return what a state remembers with the new frame, and remember the frame."""
            state = self.states[number]
            whole = tf.concat([state, x], axis=1)
            state.assign(whole[:, 1:])
            return whole

        @tf.function(input_signature=[tf.TensorSpec((1, 1, 40))])
        def infer(self, frame: Any) -> Any:
            first, depthwise, pointwise, dense = self.weights
            x = self.pushed(0, tf.reshape(frame, (1, 1, 1, 40)))
            x = tf.nn.relu(tf.nn.conv2d(x, first, 1, "VALID") + self.biases[0])
            x = tf.nn.depthwise_conv2d(self.pushed(1, x), depthwise, [1, 1, 1, 1], "VALID")
            x = tf.nn.conv2d(x + self.biases[1], pointwise, 1, "VALID")
            x = self.pushed(2, tf.nn.relu(x + self.biases[2]))
            return tf.nn.softmax(tf.matmul(tf.reshape(x, (1, -1)), dense) + self.biases[3])

    network = Network()
    function = network.infer.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], network)
    converter._experimental_variable_quantization = True
    return _int8(converter, (1, 1, 40), rng)
