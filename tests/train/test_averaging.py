"""Means of weights against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.train.recipe_tables import Averaging

pytest.importorskip("tensorflow")

import tensorflow as tf

from asc_tiny.train.averaging import WeightAverage

WALK = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)


def averages(table):
    """Return the mean after each of three epochs of four steps, and the variables of the mean."""
    weight, state = tf.Variable(np.ones(4, np.float32)), tf.Variable([7, 8])
    average = WeightAverage(table, [weight, state])
    found = []
    for epoch in range(3):
        for step in range(4):
            weight.assign(WALK[4 * epoch + step])
            state.assign_add([1, 1])
            average.after_step(epoch)
        average.after_epoch(epoch)
        found.append(average.values()[0])
    return found, average.variables


def test_without_averaging_the_weights_are_kept():
    found, variables = averages(Averaging())
    np.testing.assert_array_equal(found, WALK[3::4])
    assert variables == [], "checkpoints stay as they are"


def test_exponential_mean_over_steps():
    found, variables = averages(Averaging(kind="ema", decay=0.5, start_epoch=1))
    np.testing.assert_array_equal(found[0], WALK[3])
    mean = np.zeros(4)
    for t, weights in enumerate(WALK[4:], 1):
        decay = min(0.5, (t - 1) / (t + 8))
        mean = decay * mean + (1 - decay) * weights
    np.testing.assert_allclose(found[2], mean, rtol=1e-5)
    assert int(variables[0]) == 8
    np.testing.assert_array_equal(variables[2], [19, 20], "whole numbers are copied")


def test_plain_mean_over_epochs():
    found, _ = averages(Averaging(kind="swa", start_epoch=1))
    np.testing.assert_array_equal(found[0], WALK[3])
    np.testing.assert_allclose(found[1], WALK[7], rtol=1e-6)
    np.testing.assert_allclose(found[2], (WALK[7] + WALK[11]) / 2, rtol=1e-6)


def test_the_mean_of_a_noisy_walk_is_nearer_to_its_center():
    rng = np.random.default_rng(1)
    weight = tf.Variable(np.zeros(50, np.float32))
    average = WeightAverage(Averaging(kind="ema", decay=0.95), [weight])
    for _ in range(100):
        weight.assign(rng.normal(size=50).astype(np.float32))
        average.after_step(0)
    assert np.std(average.values()[0]) < 0.3 * np.std(weight.numpy())
