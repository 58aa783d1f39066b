"""TF-SepNet: convolutions along frequency and along time, separately (Cai et al., 2024)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from asc_tiny.nets.blocks import conv, depthwise, frequency_mean, pooled_scores
from asc_tiny.nets.channel_halves import ChannelHalf, ChannelShuffle
from asc_tiny.nets.feature_norms import ResidualNormalization
from asc_tiny.nets.options import require
from asc_tiny.util.errors import AscError

_NORM, _POOL = "norm", "pool"
_NORMS = ("adaptive", "fixed", "none")
_PLANS = {
    16: (_NORM, 1, 1, _NORM, _POOL, 1.5, 1.5, _NORM, _POOL, 2, 2, _NORM, 2.5, 2.5, 2.5, _NORM),
    17: (
        *(_NORM, 1, 1, _NORM, _POOL, 1.5, 1.5, _NORM, _POOL, 2, 2, _NORM),
        *(_POOL, 2.5, 2.5, 2.5, _NORM),
    ),
}


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float = 0.1,
    base_channels: int = 64,
    depth: int = 17,
    residual_norm: str = "fixed",
) -> keras.Model:
    """Build TF-SepNet-``base_channels``.

    Cai et al., "TF-SepNet: An Efficient 1D Kernel Design in CNNs for Low-Complexity Acoustic
    Scene Classification", ICASSP 2024 (table 2: 53.4 K parameters and 7.0 million MACs for 40
    channels, 196.7 K and 24.2 for 80, both of depth 16 with adaptive normalisation), and the
    public code yqcai888/easy_dcase_task1, which is 64 channels of depth 17, a judges' award of
    DCASE2024 Task 1. Padding is TensorFlow's ``same``.

    Args:
        input_shape: (n_mels, columns, channels), 32 or more of the first two.
        classes: number of outputs.
        dropout: share of values dropped in each branch in training, 0 to below 1.
        base_channels: channels of the first stage, a multiple of 4; 40 and 80 in the paper.
        depth: 16 as in the paper, or 17 for one more pooling as in the challenge.
        residual_norm: residual normalisation between the stages: ``adaptive`` as in the paper,
            ``fixed`` as in the challenge, or ``none``.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: an option is out of range, or the input is too small.
    """
    ok = 4 <= base_channels <= 512 and base_channels % 4 == 0
    require("base_channels", base_channels, ok, "multiples of 4, 4 to 512")
    require("residual_norm", residual_norm, residual_norm in _NORMS, ", ".join(_NORMS))
    require("depth", depth, depth in _PLANS, ", ".join(map(str, _PLANS)))
    if min(input_shape[:2]) < 32:
        raise AscError(f"network tf_sepnet: input {input_shape[:2]}, at least 32 x 32 is needed")
    inputs = keras.Input(input_shape, name="features")
    x = conv(inputs, base_channels // 2, 3, "stem1", strides=2)
    x = depthwise(x, 3, "stem2", strides=2, multiplier=4)
    counts = {_NORM: 0, _POOL: 0, "block": 0}
    for part in _PLANS[depth]:
        kind = part if isinstance(part, str) else "block"
        counts[kind] += 1
        name = f"{kind}{counts[kind]}"
        if isinstance(part, int | float):
            x = _block(x, int(part * base_channels), dropout, name)
        elif kind == _POOL:
            x = layers.MaxPooling2D(2, name=name)(x)
        elif residual_norm != "none":
            x = ResidualNormalization(residual_norm == "adaptive", name=name)(x)
    x = layers.Conv2D(classes, 1, name="classify")(x)
    return pooled_scores(inputs, x, "tf_sepnet")


def _block(x: Any, channels: int, dropout: float, name: str) -> Any:
    if x.shape[-1] != channels:
        x = conv(x, channels, 1, f"{name}_change")
    x = ChannelShuffle(name=f"{name}_shuffle")(x)
    branches = []
    for half, (along, size) in enumerate((("frequency", (3, 1)), ("time", (1, 3)))):
        title = f"{name}_{along}"
        before = y = ChannelHalf(half, name=f"{title}_half")(x)
        y = depthwise(y, size, f"{title}_depth")
        if along == "frequency":
            y = frequency_mean(y, f"{title}_mean")
        else:
            y = layers.AveragePooling2D((1, y.shape[2]), name=f"{title}_mean")(y)
        y = conv(y, channels // 2, 1, f"{title}_point")
        y = layers.Dropout(dropout, name=f"{title}_dropout")(y)
        branches.append(layers.Add(name=f"{title}_sum")([before, y]))
    return layers.Concatenate(name=f"{name}_join")(branches)
