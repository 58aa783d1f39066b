"""CP-Mobile of Schmid et al., the best system of DCASE2023 Task 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from asc_tiny.nets.blocks import conv, depthwise, normalized, pooled_scores
from asc_tiny.nets.feature_norms import GlobalResponseNormalization
from asc_tiny.nets.options import divisible, require

_STRIDES = {2: (2, 2), 4: (2, 1)}


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float = 0.0,
    base_channels: int = 32,
    channels_multiplier: float = 2.3,
    expansion_rate: float = 3.0,
    blocks: tuple[int, ...] = (3, 2, 1),
    response_norm: bool = True,
) -> keras.Model:
    """Build CP-Mobile: inverted residual blocks, each with global response normalisation.

    Schmid et al., "Distilling the knowledge of transformers and CNNs with CP-Mobile", DCASE
    Workshop 2023, and the public code fschmid56/cpjku_dcase23, whose options and defaults these
    are. Padding is TensorFlow's ``same``, where theirs is one row or column on both sides, and
    averages of the shortcut leave the padding out.

    Args:
        input_shape: (n_mels, columns, channels).
        classes: number of outputs.
        dropout: share of channels dropped before the classifier in training; the source has none.
        base_channels: channels of the first stage, a multiple of 8 or rounded to one.
        channels_multiplier: factor on the channels from a stage to the next, 1 or more.
        expansion_rate: factor on the channels inside of a block, 1 or more.
        blocks: number of blocks of each stage.
        response_norm: whether blocks have global response normalisation.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: an option is out of range.
    """
    return inverted_residuals(
        input_shape,
        classes,
        dropout=dropout,
        base_channels=base_channels,
        channels_multiplier=channels_multiplier,
        expansion_rate=expansion_rate,
        blocks=blocks,
        response_norm=response_norm,
        strides=_STRIDES,
        name="cp_mobile",
    )


def inverted_residuals(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float,
    base_channels: int,
    channels_multiplier: float,
    expansion_rate: float,
    blocks: tuple[int, ...],
    response_norm: bool,
    strides: Mapping[int, tuple[int, int]],
    name: str,
) -> keras.Model:
    """Build the network with blocks, counted from 1, of the given strides."""
    require("base_channels", base_channels, 8 <= base_channels <= 512, "8 to 512")
    require("channels_multiplier", channels_multiplier, 1.0 <= channels_multiplier <= 8.0, "1 to 8")
    require("expansion_rate", expansion_rate, 1.0 <= expansion_rate <= 8.0, "1 to 8")
    sizes = 1 <= len(blocks) <= 8 and all(1 <= count <= 32 for count in blocks)
    require("blocks", blocks, sizes, "1 to 8 stages of 1 to 32 blocks")
    base = divisible(base_channels)
    inputs = keras.Input(input_shape, name="features")
    x = conv(inputs, base // 4, 3, "stem1", strides=2)
    x = conv(x, base, 3, "stem2", strides=2)
    number = 0
    for stage, count in enumerate(blocks):
        channels = divisible(base * channels_multiplier**stage)
        for _ in range(count):
            number += 1
            step = strides.get(number, (1, 1))
            x = _block(x, channels, expansion_rate, step, response_norm, f"block{number}")
    x = layers.Dropout(dropout, name="dropout")(x) if dropout else x
    x = layers.Conv2D(classes, 1, use_bias=False, name="classify")(x)
    return pooled_scores(inputs, normalized(x, "classify", relu=False), name)


def _block(
    x: Any, channels: int, rate: float, strides: tuple[int, int], response_norm: bool, name: str
) -> Any:
    before, inside = x, divisible(x.shape[-1] * rate)
    x = conv(x, inside, 1, f"{name}_expand")
    x = depthwise(x, 3, f"{name}_depth", strides=strides)
    x = conv(x, channels, 1, f"{name}_project", relu=False)
    if before.shape[-1] == channels:
        if strides != (1, 1):
            before = layers.AveragePooling2D(3, strides, padding="same", name=f"{name}_pool")(
                before
            )
        x = layers.Add(name=f"{name}_sum")([x, before])
    if response_norm:
        x = GlobalResponseNormalization(name=f"{name}_response")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
