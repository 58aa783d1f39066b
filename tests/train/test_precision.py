"""Mixed precision: what computes in 16 bits, that it learns and resumes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.audio.dataset import Dataset
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from support.recipes import WITHOUT_NETWORK

pytest.importorskip("tensorflow")

import tensorflow as tf

from asc_tiny.train import loop, optimizer, precision
from asc_tiny.train.recipe_tables import Schedule


def recipe(folder, key, network="mobilenet"):
    text = f'precision = "{key}"\nnetwork = "{network}"\n{WITHOUT_NETWORK}'
    return recipes.parse(text.encode(), folder=folder)


@pytest.mark.parametrize("key", ["mixed_float16", "mixed_bfloat16"])
def test_layers_compute_in_16_bits_and_weights_are_float32(key, tmp_path):
    small = recipe(tmp_path, key, "mini_segnet")
    network = loop.build(small, small.train_shape, 10)
    mixed = precision.with_precision(network, key)
    assert [w.shape for w in mixed.weights] == [w.shape for w in network.weights]
    assert {v.dtype for v in mixed.trainable_variables} == {"float32"}
    policies = {layer.name: layer.dtype_policy.name for layer in mixed.layers}
    own = [x.name for x in mixed.layers if type(x).__module__.startswith("asc_tiny")]
    assert own, "Mini-SegNet has layers of ours"
    in_float32 = {name for name, policy in policies.items() if policy != key}
    assert in_float32 == {*own, mixed.layers[0].name, mixed.layers[-1].name}
    mixed.set_weights(network.get_weights())
    x = np.random.default_rng(0).normal(size=(2, *small.train_shape)).astype(np.float32)
    found, expected = mixed(x, training=False).numpy(), network(x, training=False).numpy()
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 0.05
    assert (found != expected).any()


def test_rounding_to_codes_is_refused_in_16_bits(tmp_path):
    text = """name = "x"
precision = "mixed_bfloat16"
[augmentation]
quantise_input = true
[quantization_aware]
enabled = true
"""
    with pytest.raises(
        AscError, match=r"'mixed_bfloat16': rounding to int8 codes .* needs float32"
    ):
        recipes.parse(text.encode(), folder=tmp_path)


def test_float32_is_the_network_itself(tmp_path):
    small = recipe(tmp_path, "float32")
    network = loop.build(small, small.train_shape, 10)
    assert precision.with_precision(network, "float32") is network


def test_the_scale_of_the_loss_halves_and_the_step_is_left_out_when_a_gradient_overflows():
    variable = tf.Variable(1.0)
    scaled = optimizer.build(Schedule(rate_max=0.5), [variable], scales_loss=True)
    scaled.learning_rate.assign(0.5)
    assert float(scaled.scale_loss(tf.constant(1.0))) == 2.0**15
    scaled.apply([tf.constant(2.0**15)], [variable])
    assert variable.numpy() == 0.5, "the gradient 1 at the rate 0.5"
    scaled.apply([tf.constant(np.inf)], [variable])
    assert variable.numpy() == 0.5
    assert float(scaled.scale_loss(tf.constant(1.0))) == 2.0**14


def test_float16_without_a_gpu_is_refused_before_anything_is_written(synthetic, tmp_path):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU here")
    with pytest.raises(AscError, match='"mixed_float16": TensorFlow finds no GPU here'):
        loop.train(recipe(tmp_path, "mixed_float16"), Dataset.load(synthetic), tmp_path / "run")
    assert not list((tmp_path / "run").glob("*"))


TINY = """
import keras
from keras import layers

def build(shape, classes, dropout):
    inputs = keras.Input(shape, name="features")
    x = layers.Conv2D(8, 3, strides=2, name="conv")(inputs)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    x = layers.Dropout(dropout, name="dropout")(layers.GlobalAveragePooling2D(name="mean")(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="scores")(x))
"""


@pytest.mark.parametrize(
    "key", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.exhaustive)]
)
def test_it_learns_and_a_resumed_training_ends_with_the_same_bytes(
    key, synthetic, tmp_path, monkeypatch
):
    # Processors can compute in float16, slowly.
    monkeypatch.setattr(precision, "check", lambda _: None)
    (tmp_path / "tiny.py").write_text(TINY)
    dataset, small = Dataset.load(synthetic), recipe(tmp_path, key, "tiny.py:build")
    options = {"cache_folder": tmp_path / "cache"}
    whole = loop.train(small, dataset, tmp_path / "whole", **options)
    loop.train(small, dataset, tmp_path / "cut", epochs=1, **options)
    cut = loop.train(small, dataset, tmp_path / "cut", resume=True, **options)
    assert cut.model_path.read_bytes() == whole.model_path.read_bytes()
    assert {layer.dtype_policy.name for layer in whole.model().layers} == {"float32"}
    losses = [float(row["loss"]) for row in whole.history()]
    assert losses[-1] < losses[0]
