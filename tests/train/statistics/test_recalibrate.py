"""Batch-norm statistics against NumPy on a network small enough to follow."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from asc_tiny.train.statistics.recalibrate import recalibrate  # noqa: E402


def test_statistics_are_those_of_the_clips_layer_by_layer() -> None:
    inputs = keras.Input((4, 5, 2))
    x = keras.layers.BatchNormalization(name="first", epsilon=1e-3)(inputs)
    x = keras.layers.DepthwiseConv2D(1, use_bias=False, name="gain")(x)
    outputs = keras.layers.BatchNormalization(name="second")(x)
    model = keras.Model(inputs, outputs)
    model.get_layer("gain").set_weights([np.array([3.0, -0.5]).reshape(1, 1, 2, 1)])
    clips = np.random.default_rng(5).normal(2.0, 4.0, (150, 4, 5, 2)).astype(np.float32)
    recalibrate(model, clips)

    mean, variance = clips.mean(axis=(0, 1, 2)), clips.var(axis=(0, 1, 2))
    first = model.get_layer("first")
    assert np.asarray(first.moving_mean) == pytest.approx(mean, rel=1e-4)
    assert np.asarray(first.moving_variance) == pytest.approx(variance, rel=1e-4)
    second = model.get_layer("second")
    spread = np.array([9.0, 0.25]) * variance / (variance + 1e-3)
    assert np.asarray(second.moving_mean) == pytest.approx([0.0, 0.0], abs=1e-4)
    assert np.asarray(second.moving_variance) == pytest.approx(spread, rel=1e-4)
