"""BC-ResNet: broadcasted residual learning (Kim et al., 2021)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from asc_tiny.nets.blocks import conv, depthwise, frequency_mean, normalized, pooled_scores
from asc_tiny.nets.feature_norms import SubSpectralNormalization
from asc_tiny.nets.options import require
from asc_tiny.nets.strided_depthwise import StridedDepthwiseConv2D
from asc_tiny.util.errors import AscError

_BLOCKS = (2, 2, 4, 4)
_WIDTHS = (1.0, 1.5, 2.0, 2.5)
_HALVED = (1, 2)


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float = 0.1,
    width: float = 1.0,
    bands: int = 5,
) -> keras.Model:
    """Build BC-ResNet-``width``.

    Kim et al., "Broadcasted Residual Learning for Efficient Keyword Spotting", Interspeech 2021,
    arXiv:2106.04140, and the public code Qualcomm-AI-research/bcresnet. Table 3 there, on 40 mel
    bands, 101 columns and 12 classes, for widths 1, 1.5, 2, 3, 6 and 8: 9.2 K, 17.2 K, 27.3 K,
    54.2 K, 188 K and 321 K parameters, 3.1, 5.5, 8.5, 16.2, 53.1 and 89.1 million multiplies.
    Padding is TensorFlow's ``same``.

    Args:
        input_shape: (n_mels, columns, channels); n_mels a multiple of 8 and of twice ``bands``.
        classes: number of outputs.
        dropout: share of values dropped in each block's temporal branch in training.
        width: factor on the number of channels, tau in the paper; 0.5 to 16.
        bands: bands of the sub-spectral normalisation; 1 for batch-norm.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: an option is out of range, or the mel bands do not fit.
    """
    require("width", width, 0.5 <= width <= 16.0, "0.5 to 16")
    require("bands", bands, 1 <= bands <= 64, "1 to 64")
    n_mels = input_shape[0]
    if n_mels % 8 or n_mels < 40 or (n_mels // 8) % bands:
        raise AscError(
            f"network bc_resnet: n_mels = {n_mels}, must be a multiple of {8 * bands}, at least 40"
        )
    base = width * 8
    inputs = keras.Input(input_shape, name="features")
    x = conv(inputs, int(base * 2), 5, "stem", strides=(2, 1))
    for stage, (count, factor) in enumerate(zip(_BLOCKS, _WIDTHS, strict=True)):
        for number in range(count):
            halved = stage in _HALVED and number == 0
            name = f"stage{stage + 1}_{number + 1}"
            x = _block(x, int(base * factor), 2**stage, halved, bands, dropout, name)
    # Rows without padding, columns with it.
    x = layers.ZeroPadding2D((0, 2), name="last_pad")(x)
    x = layers.DepthwiseConv2D(5, use_bias=False, name="last_depth")(x)
    x = conv(x, int(base * 4), 1, "last")
    x = layers.Conv2D(classes, 1, name="classify")(x)
    return pooled_scores(inputs, x, "bc_resnet")


def _block(
    x: Any, channels: int, dilation: int, halved: bool, bands: int, dropout: float, name: str
) -> Any:
    before, changes = x, x.shape[-1] != channels
    if changes:
        x = conv(x, channels, 1, f"{name}_change")
    strides = (2, 1) if halved else (1, 1)
    kind = StridedDepthwiseConv2D if halved else layers.DepthwiseConv2D
    x = kind((3, 1), strides=strides, padding="same", use_bias=False, name=f"{name}_frequency")(x)
    if bands > 1:
        x = SubSpectralNormalization(bands, name=f"{name}_frequency_norm")(x)
    else:
        x = normalized(x, f"{name}_frequency", relu=False)
    wide = x
    x = frequency_mean(x, f"{name}_mean")
    x = depthwise(x, (1, 3), f"{name}_time", dilation=(1, dilation), relu=False)
    x = layers.Activation("silu", name=f"{name}_swish")(x)
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_point")(x)
    x = layers.SpatialDropout2D(dropout, name=f"{name}_dropout")(x)
    x = layers.Add(name=f"{name}_broadcast")([wide, x])
    if not changes:
        x = layers.Add(name=f"{name}_sum")([x, before])
    return layers.ReLU(name=f"{name}_relu")(x)
