"""What training minimises: cross-entropy, and what the recipe adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from asc_tiny.train import distil
from asc_tiny.train.augmentation import noise_mask
from asc_tiny.train.distil import Teacher
from asc_tiny.train.fake_quantization import fake_quantized
from asc_tiny.train.recipe import Recipe


class Objective:
    """The loss of a network in training.

    (1 - w) cross-entropy + w distillation loss + v noise-mask loss, with the weights w of the
    recipe's table ``distillation`` (0 without a teacher) and v of ``noise_mask``.

    Args:
        recipe: its tables.
        network: network in training, from features to probabilities; the recipe's table
            ``quantization_aware`` says whether its weights and activations are rounded.
        teachers: trained networks to learn from.
        has_given: whether targets have what files of teachers' scores add as further columns.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: keras.Model,
        teachers: Sequence[keras.Model] = (),
        has_given: bool = False,
    ) -> None:
        self._mask_weight = recipe.noise_mask.weight
        self._rounding = recipe.quantization_aware
        self._rounds = tf.Variable(0.0, trainable=False) if self._rounding.enabled else None
        if self._rounding.enabled:
            decay = self._rounding.range_decay
            network = fake_quantized(network, range_decay=decay, switch=self._rounds)
        self._model = noise_mask.with_head(network) if self._mask_weight else network
        self._label_smoothing = recipe.loss.label_smoothing
        table = self._table = recipe.distillation
        self._epochs = recipe.schedule.epochs
        self._given_from = network.output_shape[-1] if has_given else None
        self._is_taught = bool(teachers or has_given) and table.weight > 0.0
        self._temperature = _Scheduled(table.temperature, table.final_temperature_factor)
        self._teacher_weight = _Scheduled(table.weight, table.final_weight_factor)
        plain = not has_given and not table.teacher_weights
        shares = None if plain else distil.shares(recipe, len(teachers))[0]
        self._teacher = Teacher(teachers, recipe.train_shape, self._temperature.value, shares)

    def begin(self, epoch: int) -> None:
        """Set the teachers' share and temperature, and rounding, for an epoch from 0 on."""
        temperature, weight = distil.at_epoch(self._table, epoch, self._epochs)
        self._temperature.set(temperature)
        self._teacher_weight.set(weight)
        if self._rounds is not None:
            self._rounds.assign(float(epoch >= self._rounding.start_epoch))

    @property
    def trainable_variables(self) -> list[Any]:
        """What the optimiser changes: the network's variables and the mask head's."""
        return list(self._model.trainable_variables)

    @property
    def variables(self) -> list[Any]:
        """Every variable of the network, the mask head, random generators and rounded ranges."""
        return list(self._model.variables)

    def __call__(self, x: Any, y: Any) -> Any:
        """Return the mean loss of a batch.

        Args:
            x: features, shape (clips, n_mels, columns, channels), and as one channel more the
                clips' share of the power where the recipe has a noise mask.
            y: targets, shape (clips, classes), or twice as many columns with what is given.
        """
        given = None
        if self._given_from is not None:
            y, given = y[:, : self._given_from], y[:, self._given_from :]
        if self._mask_weight:
            x, ratio = x[..., :-1], x[..., -1]
            scores, mask = self._model(x, training=True)
        else:
            scores = self._model(x, training=True)
        smoothing = self._label_smoothing
        losses = keras.losses.categorical_crossentropy(y, scores, label_smoothing=smoothing)
        loss = tf.reduce_mean(losses)
        if self._is_taught:
            taught = tf.reduce_mean(self._teacher.loss(x, scores, given))
            weight = self._teacher_weight.value
            loss = (1.0 - weight) * loss + weight * taught
        if self._mask_weight:
            loss += self._mask_weight * tf.reduce_mean(noise_mask.loss(ratio, mask))
        return loss


class _Scheduled:
    """A number of the loss: a constant of the graph unless it changes along the training."""

    def __init__(self, start: float, final_factor: float) -> None:
        self._changes = final_factor != 1.0
        self.value: Any = tf.Variable(start, trainable=False) if self._changes else start

    def set(self, value: float) -> None:
        if self._changes:
            self.value.assign(value)
