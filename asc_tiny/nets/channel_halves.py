"""Channel shuffle and halves of channels, which pruning can follow."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="asc_tiny")
class ChannelShuffle(layers.Layer):  # type: ignore[misc]
    """Channels of both halves in turn: 0, C/2, 1, C/2 + 1, ... (Zhang et al., arXiv:1707.01083)."""

    operations_per_output = 0

    def call(self, x: Any) -> Any:
        """Shuffle (batch, height, width, an even number of channels)."""
        _, height, width, channels = x.shape
        pairs = ops.reshape(x, (-1, height * width, 2, channels // 2))
        return ops.reshape(ops.transpose(pairs, (0, 1, 3, 2)), (-1, height, width, channels))


@keras.saving.register_keras_serializable(package="asc_tiny")
class ChannelHalf(layers.Layer):  # type: ignore[misc]
    """One half of the channels.

    Args:
        half: half to take, 0 for the first and 1 for the second.
        options: passed to ``Layer``.
    """

    operations_per_output = 0

    def __init__(self, half: int, **options: Any) -> None:
        super().__init__(**options)
        self.half = half

    def call(self, x: Any) -> Any:
        """Take a half of (batch, height, width, an even number of channels)."""
        size = x.shape[-1] // 2
        return x[:, :, :, self.half * size : (self.half + 1) * size]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "half": self.half}
