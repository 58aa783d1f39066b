"""Mean of the weights along the training.

``ema`` is the exponential mean over the steps (Polyak and Juditsky, "Acceleration of Stochastic
Approximation by Averaging", 1992; as the teacher of Tarvainen and Valpola, arXiv:1703.01780),
``swa`` the plain mean over the ends of the epochs (Izmailov et al., "Averaging Weights Leads to
Wider Optima and Better Generalization", arXiv:1803.05407). The statistics of batch-norm are
averaged as the weights are; a recipe with ``recalibrate`` measures them anew at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from asc_tiny.train.recipe_tables import Averaging


class WeightAverage:
    """The mean of a network's weights.

    Args:
        table: the recipe's table.
        weights: variables of the network in training, in the order of ``get_weights``.
    """

    def __init__(self, table: Averaging, weights: Sequence[Any]) -> None:
        self._table = table
        self._weights = list(weights)
        self._count = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._means = (
            [tf.Variable(v.numpy(), trainable=False) for v in weights]
            if table.kind != "none"
            else []
        )
        self._update = tf.function(self._blend)

    @property
    def variables(self) -> list[Any]:
        """What a checkpoint keeps of it; nothing where there is no averaging."""
        return [self._count, *self._means] if self._means else []

    def after_step(self, epoch: int) -> None:
        """Take in the weights after a step of an epoch, counted from 0.

        The exponential mean after step t, counted from 1, is d m + (1 - d) w with
        d = min(decay, t / (t + 9)), so that the first steps do not hold it back.
        """
        if self._table.kind == "ema" and epoch >= self._table.start_epoch:
            count = int(self._count) + 1
            self._take(min(self._table.decay, (count - 1.0) / (count + 8.0)))

    def after_epoch(self, epoch: int) -> None:
        """Take in the weights at the end of an epoch, counted from 0."""
        if self._table.kind == "swa" and epoch >= self._table.start_epoch:
            self._take(1.0 - 1.0 / (int(self._count) + 1))

    def values(self) -> list[NDArray[Any]]:
        """Return the mean of the weights, the weights themselves before there is one."""
        averaged = self._means and int(self._count) > 0
        return [np.asarray(v.numpy()) for v in (self._means if averaged else self._weights)]

    def _take(self, kept: float) -> None:
        self._update(tf.constant(kept, tf.float32))
        self._count.assign_add(1)

    def _blend(self, kept: Any) -> None:
        for mean, weight in zip(self._means, self._weights, strict=True):
            # Such as the state of a random generator: there is no mean of it.
            if mean.dtype.is_floating:
                mean.assign(kept * mean + (1.0 - kept) * tf.convert_to_tensor(weight))
            else:
                mean.assign(tf.convert_to_tensor(weight))
