"""Quantisation-aware fine-tuning: a network learns to be what it was, with int8 arithmetic.

Weights and activations are rounded as in quantisation-aware training from the start
(``train.fake_quantization``). The target is the float network's own scores, so that no label is
learnt twice. Batch-norm statistics stay as they are.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from asc_tiny.features.cache import FeatureSet
from asc_tiny.frontend.config import Quantization
from asc_tiny.train.augmentation import augment
from asc_tiny.train.distil import Teacher
from asc_tiny.train.fake_quantization import fake_quantized, forget_ranges
from asc_tiny.util import progress
from asc_tiny.util.errors import AscError

_BATCH = 32
_RATE = 1e-4


def finetune(
    model: keras.Model,
    features: FeatureSet,
    quantization: Quantization,
    *,
    epochs: int,
    seed: int = 1,
) -> None:
    """Change a trained network's weights so that its int8 form follows the float one.

    Adam with a rate that falls from 1e-4 to 0 by a cosine. The result is converted as any other
    network, by ``quantize.quantize``.

    Args:
        model: float features to probabilities; changed in place.
        features: clips to fine-tune on, without augmentation; their labels are not needed.
        quantization: scale and zero point of the network's int8 input.
        epochs: passes over ``features``.
        seed: seed of the random order of the clips, 0 or more.

    Raises:
        AscError: the loss is not finite.
    """
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    before = keras.models.clone_model(model)
    before.set_weights(model.get_weights())
    teacher = Teacher([before], model.input_shape[1:], 1.0)
    network = fake_quantized(model, frozen=True)
    optimizer = keras.optimizers.Adam(_RATE)
    optimizer.build(network.trainable_variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(teacher.loss(x, network(x, training=True)))
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    steps = augment.step_count(len(features), _BATCH)
    with progress.bar(epochs * steps, "fine-tuning", "step", stays=True) as bar:
        for epoch in range(epochs):
            forget_ranges(network)
            order = augment.generator(seed, epoch).permutation(len(features))
            for number, indices in enumerate(np.array_split(order, steps)):
                passed = (epoch + number / steps) / epochs
                optimizer.learning_rate.assign(_RATE * (1.0 + math.cos(math.pi * passed)) / 2.0)
                loss = float(
                    step(tf.constant(augment.rounded(features.take(indices), quantization)))
                )
                if not math.isfinite(loss):
                    raise AscError(f"fine-tuning, epoch {epoch + 1}: the loss is {loss}")
                bar.update()
