"""DS-CNN: a convolution over the features, then depthwise separable ones (Zhang et al., 2017)."""

from __future__ import annotations

import keras
from keras import layers

from asc_tiny.nets.blocks import conv, depthwise
from asc_tiny.nets.options import require

# Of each size: filters, separable convolutions, strides of the first convolution and of the first
# separable one, (frequency, time).
_SIZES = {
    "s": (64, 4, (2, 2), (1, 1)),
    "m": (172, 4, (1, 2), (2, 2)),
    "l": (276, 5, (1, 2), (2, 2)),
}


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float = 0.2,
    size: str = "s",
    channels: int = 0,
    depth: int = 0,
) -> keras.Model:
    """Build DS-CNN in one of its three sizes.

    Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers", arXiv:1711.07128, and the
    public code ARM-software/ML-KWS-for-MCU. Size ``s`` on 10 coefficients and 49 columns is the
    keyword spotting of MLPerf Tiny (Banbury et al., arXiv:2106.07597): 22,604 weights and biases,
    2,656,768 MACs for 12 classes. Time runs along the columns here, along the rows there.

    Args:
        input_shape: (n_mels, columns, channels).
        classes: number of outputs.
        dropout: share of channels dropped before the classifier in training, 0 to below 1.
        size: size in the paper, ``s``, ``m`` or ``l``.
        channels: filters of all convolutions; 0 for those of the size.
        depth: number of depthwise separable convolutions; 0 for those of the size.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: an option is out of range.
    """
    require("size", size, size in _SIZES, ", ".join(_SIZES))
    require("channels", channels, 0 <= channels <= 1024, "0 to 1024")
    require("depth", depth, 0 <= depth <= 32, "0 to 32")
    filters, count, first, second = _SIZES[size]
    filters, count = channels or filters, depth or count
    inputs = keras.Input(input_shape, name="features")
    x = conv(inputs, filters, (4, 10), "first", strides=first, bias=True)
    for number in range(1, count + 1):
        strides = second if number == 1 else 1
        x = depthwise(x, 3, f"depth{number}", strides=strides, bias=True)
        x = conv(x, filters, 1, f"point{number}", bias=True)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, name="classify")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name="ds_cnn")
