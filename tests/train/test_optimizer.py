"""Optimizers against their update rules written out in NumPy, with rates of each variable."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.train.recipe_tables import Schedule

pytest.importorskip("tensorflow")

import keras

from asc_tiny.train import optimizer

GRADIENTS = np.random.default_rng(0).normal(size=(5, 2, 3))


def trained(schedule, factors):
    """Return a kernel and a bias after five steps on the same gradients."""
    kernel = keras.Variable(np.ones((2, 3), np.float32))
    bias = keras.Variable(np.ones(3, np.float32))
    made = optimizer.build(schedule, [kernel, bias], factors)
    for gradient in GRADIENTS:
        made.apply([gradient.astype(np.float32), gradient[0].astype(np.float32)], [kernel, bias])
    return kernel.numpy(), bias.numpy()


def by_hand(schedule, gradients, decay, factor):
    w, m, v = np.ones(gradients.shape[1:]), 0.0, 0.0
    rate = schedule.rate_max * factor
    for t, g in enumerate(gradients, 1):
        w = w - rate * decay * w
        if schedule.optimizer == "sgd":
            m = schedule.momentum * m - rate * g
            w = w + m
        else:
            m = schedule.momentum * m + (1 - schedule.momentum) * g
            v = 0.999 * v + 0.001 * g * g
            corrected = (m / (1 - schedule.momentum**t), v / (1 - 0.999**t))
            w = w - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
    return w


@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize("factors", [None, (0.1, 2.0)])
def test_updates_are_the_papers(name, factors):
    schedule = Schedule(optimizer=name, rate_max=0.05, weight_decay=0.1)
    kernel, bias = trained(schedule, factors)
    first, second = factors or (1.0, 1.0)
    np.testing.assert_allclose(kernel, by_hand(schedule, GRADIENTS, 0.1, first), rtol=1e-4)
    np.testing.assert_allclose(bias, by_hand(schedule, GRADIENTS[:, 0], 0.0, second), rtol=1e-4)
