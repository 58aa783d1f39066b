"""Quantisation-aware training: networks that round as int8 does while they learn."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

import keras
import tensorflow as tf
from keras import layers, ops

from asc_tiny import nets
from asc_tiny.compress.quantize import quantize
from asc_tiny.frontend.reference import quantize as codes_of
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train.fake_quantization import fake_quantized, round_weights

SHAPE = (40, 32, 1)
SMALL = {"base_channels": 8, "blocks": [2, 1, 1]}
OPTIONS = {
    "cp_mobile": SMALL,
    "dcase2024_baseline": SMALL,
    "tf_sepnet": {"base_channels": 8, "depth": 16, "residual_norm": "none"},
    "yamnet": {"depth": 3},
}
LONG = ("bc_resnet", "tf_sepnet", "dcase2024_baseline", "mini_segnet")
"""Networks of layers that cp_mobile or a smaller one has, too."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.exhaustive) if n in LONG else n for n in nets.NAMES],
)
def test_every_network_learns_rounded(name):
    """All of its variables get gradients, its scores stay near, and no weight is of its own."""
    keras.utils.set_random_seed(0)
    model = nets.build(name, SHAPE, 3, dropout=0.1, **OPTIONS.get(name, {}))
    fake = fake_quantized(model, range_decay=0.9)
    x = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(fake(x, training=True) * np.eye(2, 3))
    variables = fake.trainable_variables
    assert {id(v) for v in variables} == {id(v) for v in model.trainable_variables}
    assert all(gradient is not None for gradient in tape.gradient(loss, variables))
    exact, rounded = (np.asarray(each(x, training=False)) for each in (model, fake))
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(exact, rounded, atol=0.1)


def test_rounding_the_bare_kernel_is_rounding_the_folded_one():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 5, 4)).astype(np.float32)
    factor = np.array([0.3, -2.0, 1e-4, 70.0], np.float32)
    folded = round_weights(tf.constant(kernel * factor)).numpy()
    np.testing.assert_allclose(folded, round_weights(tf.constant(kernel)) * factor, rtol=1e-5)


def network(activation="relu"):
    """A loud and a quiet feature of the input go through one tensor of codes to the scores."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((1, 1, 2))
    x = layers.Conv2D(2, 1, activation=activation, name="mix")(inputs)
    x = ops.mean(x, axis=(1, 2))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax", name="classify")(x))
    model.get_layer("mix").set_weights([np.diag([1000.0, 1.0])[None, None], np.zeros(2)])
    classify = model.get_layer("classify")
    classify.set_weights([np.array([[0, 0], [-1, 1]]), np.array([0.6, -0.6])])
    classify.trainable = False
    return model


@pytest.mark.parametrize("activation", ["silu", "softplus"])
def test_layers_of_any_user_are_rounded_twice_where_int8_has_two_operators(activation):
    fake = fake_quantized(network(activation))
    x = np.random.default_rng(0).normal(size=(8, 1, 1, 2)).astype(np.float32)
    fake(x, training=True)
    before_and_after = fake.get_layer("mix").ranges
    assert len(before_and_after) == 2
    assert [float(low) < -100.0 for low, _ in before_and_after] == [False, True]


def clips(count, rng):
    """The class is the sign of the quiet feature; the loud one says nothing."""
    x = rng.uniform(0.2, 1.0, (count, 1, 1, 2)).astype(np.float32)
    label = rng.integers(0, 2, count)
    x[:, 0, 0, 1] = np.where(label, 0.9, 0.3) + rng.normal(0, 0.03, count)
    return x, np.eye(2, dtype=np.float32)[label]


def int8_accuracy(model, x, y):
    interpreter = Interpreter(quantize(model, x), "model")
    scores = [interpreter.run(codes_of(clip, interpreter.input_quantization)) for clip in x]
    return np.mean(np.argmax(scores, axis=1) == y.argmax(axis=1))


def test_it_learns_what_int8_can_tell_apart():
    """A network that is right in float and blind in int8 learns to see with int8's eyes."""
    x, y = clips(64, np.random.default_rng(0))
    model = network()
    assert np.mean(np.argmax(model(x), axis=1) == y.argmax(axis=1)) > 0.95
    assert int8_accuracy(model, x, y) < 0.7
    learner = fake_quantized(model, range_decay=0.9)
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(learner.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            scores = learner(x, training=True)
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(y, scores))
        variables = learner.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)

    for _ in range(60):
        step()
    assert int8_accuracy(model, x, y) > 0.9


def test_nothing_is_rounded_while_the_switch_is_off():
    model, switch = network(), tf.Variable(0.0)
    fake = fake_quantized(model, range_decay=0.9, switch=switch)
    x, _ = clips(8, np.random.default_rng(0))
    np.testing.assert_array_equal(fake(x, training=True), model(x))
    switch.assign(1.0)
    assert not np.array_equal(fake(x), model(x))
