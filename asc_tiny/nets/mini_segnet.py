"""Mini-SegNet of Bing et al. (DCASE2023 Task 1): encoder, decoder, then two dense layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from asc_tiny.nets.mixup_normalization import MixupNormalisation
from asc_tiny.nets.options import scaled
from asc_tiny.util.errors import AscError

_FILTERS = {
    "encoder1": 48,
    "encoder2": 48,
    "encoder3": 224,
    "decoder1": 96,
    "decoder2": 48,
    "decoder3": 16,
}
"""Filters of the convolutions at width 1."""

UNPRUNED = ("hidden",)

_KERNEL = (2, 3)
_HIDDEN = 1280


def build(
    input_shape: tuple[int, int, int] = (256, 36, 3),
    classes: int = 10,
    *,
    dropout: float = 0.2,
    width: float = 1.0,
) -> keras.Model:
    """Build Mini-SegNet (the report's section 2.2): 276,490 parameters, 237,437,440 MACs.

    The report states the parameters but not the layers' sizes. The layers here are a
    reconstruction that is consistent with the reported counts, before and after pruning, not the
    authors' own.

    Args:
        input_shape: (n_mels, columns, channels), n_mels and columns at least 8.
        classes: number of outputs.
        dropout: share of the hidden dense layer dropped in training, 0 to below 1.
        width: factor on the number of filters of each convolution, above 0.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: the input is too small for three poolings, or the width is not allowed.
    """
    if min(input_shape[:2]) < 8:
        raise AscError(f"network mini_segnet: input {input_shape[:2]}, at least 8 x 8 is needed")
    filters = scaled(_FILTERS, width)
    inputs = keras.Input(input_shape, name="features")
    x = _pool(_conv(inputs, filters, "encoder1", MixupNormalisation), "encoder1")
    x = _pool(_conv(x, filters, "encoder2"), "encoder2")
    x = _pool(_conv(x, filters, "encoder3"), "encoder3")
    x = _conv(_double(x, "decoder1"), filters, "decoder1")
    x = _conv(_double(x, "decoder2"), filters, "decoder2")
    x = _conv(_double(x, "decoder3"), filters, "decoder3", MixupNormalisation)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(_HIDDEN, activation="relu", name="hidden")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, name="classify")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name="mini_segnet")


def _conv(
    x: Any, filters: Mapping[str, int], name: str, norm: Any = layers.BatchNormalization
) -> Any:
    x = layers.Conv2D(filters[name], _KERNEL, padding="same", name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(norm(name=f"{name}_norm")(x))


def _pool(x: Any, name: str) -> Any:
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x)


def _double(x: Any, name: str) -> Any:
    _, height, width, _ = x.shape
    # UpSampling2D would convert to a TILE that TFLite Micro refuses.
    double = layers.Resizing(2 * height, 2 * width, interpolation="nearest", name=f"{name}_double")
    # Preprocessing layers put themselves, and all that follows, into training mode by default.
    return double(x, training=False)
