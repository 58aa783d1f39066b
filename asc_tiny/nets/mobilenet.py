"""MobileNet of Bing et al. (DCASE2023 Task 1).

The spectrum is split on frequency, then come depthwise separable convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from asc_tiny.nets.options import scaled
from asc_tiny.util.errors import AscError

_FILTERS = {
    "low_conv1": 8,
    "low_conv2": 16,
    "high_conv1": 8,
    "high_conv2": 16,
    "point1": 16,
    "expand": 96,
    "project": 16,
    "point3": 64,
}
"""Filters of the convolutions at width 1; depthwise ones follow their input."""


def build(
    input_shape: tuple[int, int, int] = (256, 36, 3),
    classes: int = 10,
    *,
    dropout: float = 0.2,
    width: float = 1.0,
) -> keras.Model:
    """Build MobileNet (the report's section 2.2): 7,946 parameters, 3,972,224 MACs by default.

    The report states these totals but not its layers. The layers here are a reconstruction that
    is consistent with the reported counts, not the authors' own. Nothing depends on the number
    of columns but the size of the feature maps, so weights trained on cropped clips fit.

    Args:
        input_shape: (n_mels, columns, channels); n_mels a multiple of 2.
        classes: number of outputs.
        dropout: share of pooled channels dropped in training, 0 to below 1.
        width: factor on the number of filters of each convolution, above 0.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: the number of mel bands cannot be split in two halves, or the width is not
            allowed.
    """
    n_mels = input_shape[0]
    if n_mels % 2:
        raise AscError(f"network mobilenet: n_mels = {n_mels}, must be even")
    filters = scaled(_FILTERS, width)
    inputs = keras.Input(input_shape, name="features")
    half = n_mels // 2
    bands = [
        _band(
            layers.Cropping2D(((start, half - start), (0, 0)), name=f"{name}_crop")(inputs),
            name,
            filters,
        )
        for name, start in (("low", 0), ("high", half))
    ]
    x = layers.Concatenate(axis=1, name="join")(bands)
    x = _depthwise(x, 2, "down1")
    x = _conv(x, filters["point1"], 1, "point1")
    x = _conv(x, filters["expand"], 1, "expand")
    x = _depthwise(x, 2, "down2")
    x = _conv(x, filters["project"], 1, "project", relu=False)
    x = _depthwise(x, 1, "depth3")
    x = _conv(x, filters["point3"], 1, "point3")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(classes, 1, name="classify")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name="mobilenet")


def _band(x: Any, name: str, filters: Mapping[str, int]) -> Any:
    first, second = f"{name}_conv1", f"{name}_conv2"
    x = _conv(x, filters[first], 3, first)
    x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    return _conv(x, filters[second], 1, second)


def _conv(x: Any, filters: int, size: int, name: str, *, relu: bool = True) -> Any:
    return _normalized(layers.Conv2D(filters, size, padding="same", name=name)(x), name, relu)


def _depthwise(x: Any, stride: int, name: str) -> Any:
    layer = layers.DepthwiseConv2D(3, strides=stride, padding="same", name=name)
    return _normalized(layer(x), name, True)


def _normalized(x: Any, name: str, relu: bool) -> Any:
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x
