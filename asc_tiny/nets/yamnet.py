"""The first layers of YAMNet, which are MobileNet's (v1), on 64 mel bands."""

from __future__ import annotations

import re

import keras
import numpy as np
from keras import layers

from asc_tiny.nets.network import StoredWeights
from asc_tiny.nets.options import require

# Names of layers in the public code, and what stands for their kinds in those here.
_PUBLIC = re.compile(
    r"(.*/)?layer(?P<number>\d+)/(?P<kind>(depthwise_|pointwise_)?conv)(?P<norm>/bn)?"
)
_KINDS = {"conv": "", "depthwise_conv": "_depth", "pointwise_conv": "_point"}

# Filters and stride of each layer after the first.
_LAYERS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *(((512, 1),) * 5),
    (1024, 2),
    (1024, 1),
)


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float = 0.2,
    depth: int = 14,
    width: float = 1.0,
) -> keras.Model:
    """Build YAMNet up to a layer, with a classifier of its own.

    Plakal and Ellis, YAMNet, in the public code tensorflow/models (research/audioset/yamnet):
    3.7 million weights and 69.2 million multiplies for 96 columns and its 521 classes; Howard et
    al., "MobileNets", arXiv:1704.04861. YAMNet has time along the rows and the bands along the
    columns: its kernels fit when rows and columns of each are exchanged, as ``translate_weights``
    does. Layers are named ``layer1``, ``layer2_depth``, ``layer2_point`` and so on.

    Args:
        input_shape: (n_mels, columns, channels); YAMNet's are (64, 96, 1).
        classes: number of outputs.
        dropout: share of channels dropped before the classifier in training, 0 to below 1.
        depth: number of layers, 1 to 14; a layer is a depthwise convolution and one of size 1, but
            the first is one convolution.
        width: factor on the number of filters, above 0.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: an option is out of range.
    """
    require("depth", depth, 1 <= depth <= len(_LAYERS) + 1, f"1 to {len(_LAYERS) + 1}")
    require("width", width, 0.0 < width <= 4.0, "above 0, up to 4")
    inputs = keras.Input(input_shape, name="features")
    x = _conv(inputs, max(1, round(32 * width)), 3, 2, "layer1")
    for number, (filters, stride) in enumerate(_LAYERS[: depth - 1], 2):
        name = f"layer{number}_depth"
        layer = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=name)
        x = _normalized(layer(x), name)
        x = _conv(x, max(1, round(filters * width)), 1, 1, f"layer{number}_point")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, name="classify")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name="yamnet")


def translate_weights(stored: StoredWeights) -> StoredWeights:
    """Return weights of the public code's layers for the layers here.

    Names there are ``layer1/conv``, ``layer2/depthwise_conv``, ``layer2/pointwise_conv`` and, of
    the batch-norm behind each, ``layer1/conv/bn``. Their kernels have time along the rows.

    Args:
        stored: arrays of each layer by its name; names that are none of these stay as they are.
    """
    translated: StoredWeights = {}
    for name, values in stored.items():
        match = _PUBLIC.fullmatch(name)
        if match is None:
            translated[name] = values
            continue
        ours = f"layer{match['number']}{_KINDS[match['kind']]}"
        if match["norm"]:
            translated[f"{ours}_norm"] = values
        else:
            translated[ours] = [
                np.swapaxes(each, 0, 1) if each.ndim == 4 else each for each in values
            ]
    return translated


def _conv(x: object, filters: int, size: int, stride: int, name: str) -> object:
    layer = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, name=name)
    return _normalized(layer(x), name)


def _normalized(x: object, name: str) -> object:
    norm = layers.BatchNormalization(scale=False, epsilon=1e-4, name=f"{name}_norm")
    return layers.ReLU(name=f"{name}_relu")(norm(x))
