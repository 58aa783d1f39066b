"""Normalisations of other networks, written as operators that int8 conversion knows.

A layer here says two things about itself, as layers of a user's network may:

* ``keeps_channels``: its output's channels are its input's, so that pruning follows them through.
  Weights whose last axis is a multiple of the channels go with them.
* ``operations_per_output``: operations that the budget counts for an element of the output.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="asc_tiny")
class SubSpectralNormalization(layers.Layer):  # type: ignore[misc]
    """Batch normalisation of each of several bands of frequencies by itself.

    Chang et al., "SubSpectral Normalization for Neural Audio Data Processing", ICASSP 2021. At
    inference it is a multiplication and an addition of constants, (height, 1, channels); a
    depthwise convolution before it cannot take them in, since its weights are those of all rows.

    Args:
        bands: number of bands, a divisor of the height.
        options: passed to ``Layer``.
    """

    keeps_channels = True
    operations_per_output = 2

    def __init__(self, bands: int, **options: Any) -> None:
        super().__init__(**options)
        self.bands = bands
        self.norm = layers.BatchNormalization(name="norm", epsilon=1e-5)

    def build(self, input_shape: Any) -> None:
        """Make the weights: bands x channels of each of batch-norm's four."""
        if input_shape[1] % self.bands:
            raise ValueError(f"{input_shape[1]} rows, must be a multiple of {self.bands} bands")
        self.norm.build((None, None, None, self.bands * input_shape[-1]))
        super().build(input_shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Normalise (batch, height, width, channels)."""
        _, height, width, channels = x.shape
        rows = height // self.bands
        if training:
            split = self.norm(self.split(x), training=True)
            split = ops.reshape(split, (-1, rows, width, self.bands, channels))
            return ops.reshape(ops.transpose(split, (0, 3, 1, 2, 4)), (-1, height, width, channels))
        norm = self.norm
        scale = norm.gamma * ops.rsqrt(norm.moving_variance + norm.epsilon)
        offset = norm.beta - norm.moving_mean * scale
        scale, offset = (
            ops.repeat(ops.reshape(value, (1, self.bands, 1, channels)), rows, axis=1)
            for value in (scale, offset)
        )
        return x * scale + offset

    def split(self, x: Any) -> Any:
        """Return the bands of a map as channels, (batch, rows, width, bands x channels)."""
        _, height, width, channels = x.shape
        rows = height // self.bands
        split = ops.reshape(x, (-1, self.bands, rows, width, channels))
        split = ops.transpose(split, (0, 2, 3, 1, 4))
        return ops.reshape(split, (-1, rows, width, self.bands * channels))

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "bands": self.bands}


@keras.saving.register_keras_serializable(package="asc_tiny")
class GlobalResponseNormalization(layers.Layer):  # type: ignore[misc]
    """Global response normalisation with one gain and one offset, as CP-Mobile has it.

    Woo et al., "ConvNeXt V2", arXiv:2301.00808: x + gamma x n / mean(n) + beta, where n is the
    root of the mean of the squares of each channel and the mean is over the channels.
    """

    keeps_channels = True
    operations_per_output = 6

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta, 0 each at first."""
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")
        self.beta = self.add_weight(shape=(), initializer="zeros", name="beta")
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        """Normalise (batch, height, width, channels)."""
        power = ops.mean(x * x, axis=(1, 2), keepdims=True)
        # The root by RSQRT, which has an int8 form in both runtimes; SQRT has none.
        root = power * ops.rsqrt(power + 1e-6)
        share = root / (ops.mean(root, axis=-1, keepdims=True) + 1e-6)
        return x * (1.0 + self.gamma * share) + self.beta


@keras.saving.register_keras_serializable(package="asc_tiny")
class ResidualNormalization(layers.Layer):  # type: ignore[misc]
    """Residual normalisation: lambda x plus x normalised over channels and time, row by row.

    Kim et al., "QTI submission to DCASE 2021: residual normalization for device-imbalanced
    acoustic scene classification with efficient design", 2021. Each row (frequency) of each clip
    has its own mean and variance; nothing is learnt. The adaptive form (Cai et al., ICASSP 2024)
    is gamma (rho x + (1 - rho) n) + beta, where n is x normalised and each channel learns its
    rho, 0.5 at first, gamma and beta.

    Args:
        adaptive: whether rho, gamma and beta are learnt.
        identity: lambda, the share of x that stays where nothing is learnt, 0 or more.
        options: passed to ``Layer``.
    """

    keeps_channels = True
    operations_per_output = 6

    def __init__(self, adaptive: bool = False, identity: float = 0.1, **options: Any) -> None:
        super().__init__(**options)
        self.adaptive = adaptive
        self.identity = identity

    def build(self, input_shape: Any) -> None:
        """Make the weights of each channel, if there are any."""
        if self.adaptive:
            starts = {"rho": 0.5, "gamma": 1.0, "beta": 0.0}
            self.rho, self.gamma, self.beta = (
                self.add_weight(
                    shape=(input_shape[-1],),
                    initializer=keras.initializers.Constant(start),
                    name=name,
                )
                for name, start in starts.items()
            )
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        """Normalise (batch, height, width, channels)."""
        centered = x - ops.mean(x, axis=(2, 3), keepdims=True)
        variance = ops.mean(centered * centered, axis=(2, 3), keepdims=True)
        normalized = centered * ops.rsqrt(variance + 1e-5)
        if not self.adaptive:
            return normalized + self.identity * x
        # Gains by channel first: what is left is a sum of two products.
        kept, made = self.gamma * self.rho, self.gamma * (1.0 - self.rho)
        return x * kept + normalized * made + self.beta

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "adaptive": self.adaptive, "identity": self.identity}
