"""Batch normalisation that mixes channel statistics between clips while training."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="asc_tiny")
class MixupNormalisation(layers.BatchNormalization):  # type: ignore[misc]
    """The "mixup normalisation" that Bing et al. (DCASE2023 Task 1) name but do not define.

    Our reading: in training each clip's channel-wise mean and deviation over the feature map are
    replaced by their mixture with those of another clip of the batch (as in Zhou et al., "Domain
    Generalization with MixStyle", ICLR 2021), then batch normalisation follows. At inference
    only batch normalisation is left, which folds into the convolution before it.

    Args:
        alpha: parameter, above 0, of the symmetric beta distribution from which the share that
            a clip keeps of its own statistics is drawn.
        share: share of batches that are mixed, 0 to 1.
        seed: seed of the random numbers that mix; None for other ones in each run.
        options: passed to ``BatchNormalization``.
    """

    def __init__(
        self, *, alpha: float = 0.3, share: float = 0.1, seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.alpha = alpha
        self.share = share
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise (batch, height, width, channels); mix statistics first when training."""
        if training:
            inputs = self._mixed(inputs)
        return super().call(inputs, training=training, mask=mask)

    def _mixed(self, x: Any) -> Any:
        count = ops.shape(x)[0]
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        deviation = ops.sqrt(ops.var(x, axis=(1, 2), keepdims=True) + self.epsilon)
        kept = keras.random.beta(
            (count, 1, 1, 1), self.alpha, self.alpha, dtype=x.dtype, seed=self.seed_generator
        )
        active = keras.random.uniform((1, 1, 1, 1), dtype=x.dtype, seed=self.seed_generator)
        kept = ops.where(active < self.share, kept, ops.ones_like(kept))
        order = keras.random.shuffle(ops.arange(count), seed=self.seed_generator)

        def mix(statistics: Any) -> Any:
            # Another clip's style is an example, not something to learn.
            other = ops.stop_gradient(ops.take(statistics, order, axis=0))
            return kept * statistics + (1.0 - kept) * other

        return (x - mean) / deviation * mix(deviation) + mix(mean)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        options = {"alpha": self.alpha, "share": self.share, "seed": self.seed}
        return {**super().get_config(), **options}
