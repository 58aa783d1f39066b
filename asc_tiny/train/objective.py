"""What training minimises: cross-entropy, and what the recipe adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from asc_tiny.train.augmentation import noise_mask
from asc_tiny.train.distil import Teacher
from asc_tiny.train.recipe import Recipe


class Objective:
    """The loss of a network in training.

    (1 - w) cross-entropy + w distillation loss + v noise-mask loss, with the weights w of the
    recipe's table ``distillation`` (0 without a teacher) and v of ``noise_mask``.

    Args:
        recipe: its tables.
        network: network in training, from features to probabilities.
        teachers: trained networks to learn from.
    """

    def __init__(
        self, recipe: Recipe, network: keras.Model, teachers: Sequence[keras.Model] = ()
    ) -> None:
        self._mask_weight = recipe.noise_mask.weight
        self._model = noise_mask.with_head(network) if self._mask_weight else network
        self._label_smoothing = recipe.loss.label_smoothing
        table = recipe.distillation
        self._teacher_weight = table.weight if teachers else 0.0
        self._teacher = Teacher(teachers, recipe.train_shape, table.temperature)

    @property
    def trainable_variables(self) -> list[Any]:
        """What the optimiser changes: the network's variables and the mask head's."""
        return list(self._model.trainable_variables)

    @property
    def variables(self) -> list[Any]:
        """Every variable of the network, the mask head and their random generators."""
        return list(self._model.variables)

    def __call__(self, x: Any, y: Any) -> Any:
        """Return the mean loss of a batch.

        Args:
            x: features, shape (clips, n_mels, columns, channels), and as one channel more the
                clips' share of the power where the recipe has a noise mask.
            y: targets, shape (clips, classes).
        """
        if self._mask_weight:
            x, ratio = x[..., :-1], x[..., -1]
            scores, mask = self._model(x, training=True)
        else:
            scores = self._model(x, training=True)
        smoothing = self._label_smoothing
        losses = keras.losses.categorical_crossentropy(y, scores, label_smoothing=smoothing)
        loss = tf.reduce_mean(losses)
        if self._teacher_weight:
            taught = tf.reduce_mean(self._teacher.loss(x, scores))
            loss = (1.0 - self._teacher_weight) * loss + self._teacher_weight * taught
        if self._mask_weight:
            loss += self._mask_weight * tf.reduce_mean(noise_mask.loss(ratio, mask))
        return loss
