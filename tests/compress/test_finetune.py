"""Quantisation-aware fine-tuning: it computes as the int8 network does, and it helps."""

from __future__ import annotations

import importlib
from unittest import mock

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

import keras
import tensorflow as tf

from asc_tiny import nets
from asc_tiny.compress import layer_error, quantize
from asc_tiny.compress.finetune import finetune
from asc_tiny.frontend.config import Quantization
from asc_tiny.frontend.reference import quantize as codes_of
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train.augmentation.augment import rounded
from asc_tiny.train.fake_quantization import fake_quantized, round_weights
from asc_tiny.train.statistics.recalibrate import recalibrate
from support.our_networks import FILTERS

SHAPE = (16, 36, 3)


class Features:
    """Stands in for a FeatureSet."""

    def __init__(self, values):
        self.values, self.take = values, values.__getitem__

    def __len__(self):
        return len(self.values)


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    level = rng.normal(-8, 3, (96, 1, 1, 1))
    return (level + rng.normal(0, 1, (96, *SHAPE))).astype(np.float32)


def network(name, features):
    keras.utils.set_random_seed(0)
    # Not pruned from a larger one: its random weights fit the thresholds below.
    module = importlib.import_module(f"asc_tiny.nets.{name}")
    with mock.patch.object(module, "_FILTERS", dict.fromkeys(FILTERS[name], 8)):
        model = nets.build(name, SHAPE, 3)
    recalibrate(model, features)
    head = model.get_layer("classify")
    head.kernel.assign(6 * head.kernel)
    return model


def int8_scores(model, features):
    data = quantize.quantize(model, features)
    interpreter = Interpreter(data, "model")
    output = interpreter.output_quantization
    codes = [codes_of(clip, interpreter.input_quantization) for clip in features.astype(np.float64)]
    scores = np.array([interpreter.run(code) for code in codes], np.float64)
    scores = (scores - output.zero_point) * output.scale
    return data, scores, interpreter.input_quantization


@pytest.mark.parametrize("axes", [(-2, -1), (-1,)])
def test_weights_are_rounded_per_channel(axes):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 5, 4)).astype(np.float32)
    got = round_weights(tf.constant(kernel), axes).numpy()
    taps = np.prod(kernel.shape[: -len(axes)])
    for wanted, channel in zip(kernel.reshape(taps, -1).T, got.reshape(taps, -1).T, strict=True):
        scale = np.abs(wanted).max() / 127
        codes = channel / scale
        np.testing.assert_allclose(codes, np.round(codes), atol=1e-3)
        assert np.abs(codes).max() == pytest.approx(127, abs=1e-3)
        assert np.abs(channel - wanted).max() <= 0.5001 * scale


@pytest.mark.parametrize("name", ["mobilenet", pytest.param("mini_segnet", marks=pytest.mark.slow)])
def test_it_computes_as_the_int8_network_does(name, features):
    """Code by code in every layer, with the ranges of the converted file."""
    model = network(name, features)
    data, _, quantization = int8_scores(model, features)
    fake = fake_quantized(model, frozen=True)
    x = rounded(features, quantization)
    fake(x, training=True)
    interpreter = layer_error._interpreter(data)
    found = layer_error._outputs(model, data, interpreter)
    for group, details in found:
        layer = fake.get_layer(group.first.name)
        scale, zero_point = details["quantization"]
        low, high = scale * (np.array([-128, 127]) - zero_point)
        for own_low, own_high in getattr(layer, "ranges", ()):
            # What it found itself: the same but for the noise of the layers before.
            assert float(own_high - own_low) == pytest.approx(high - low, rel=0.15)
            own_low.assign(low)
            own_high.assign(high)
    # The softmax at the end is left in float.
    found = found[:-1]
    outputs = keras.Model(fake.input, [fake.get_layer(g.first.name).output for g, _ in found])
    equal = []
    for clip, source in zip(x[:4], features[:4], strict=True):
        layer_error._run(interpreter, source)
        for (_, details), value in zip(found, outputs(clip[None]), strict=True):
            scale, zero_point = details["quantization"]
            codes = interpreter.get_tensor(details["index"])
            mine = np.asarray(value).reshape(codes.shape) / scale + zero_point
            equal.append(np.mean(np.abs(mine - codes) < 0.5))
    # Halves are rounded another way here and there, which later layers hand on.
    assert np.mean(equal) > 0.85


def test_every_weight_has_a_gradient(features):
    model = network("mobilenet", features)
    fake = fake_quantized(model, frozen=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(fake(features[:8], training=True)[:, 0])
    gradients = tape.gradient(loss, fake.trainable_variables)
    assert len(gradients) == len(model.trainable_variables)
    assert all(gradient is not None for gradient in gradients)
    largest = [float(tf.reduce_max(tf.abs(gradient))) for gradient in gradients]
    assert min(largest) > 0, "with frozen statistics also biases in front of a batch-norm"


@pytest.mark.slow
def test_it_brings_int8_back_to_the_float_scores(features):
    """A channel that is constant and large takes the codes of all others in its layer."""
    model = network("mobilenet", features)
    for layer in ("point1_norm", "expand_norm", "project_norm"):
        beta = model.get_layer(layer).beta
        beta.assign(tf.where(tf.range(beta.shape[0]) == 0, 40.0, beta))
    for layer in ("expand", "down2", "depth3"):
        kernel = model.get_layer(layer).kernel
        first = tf.range(kernel.shape[2]) == 0
        kernel.assign(tf.where(first[:, None], 0.02 * kernel, kernel))
    float_scores = model(features).numpy()
    _, before, quantization = int8_scores(model, features)
    finetune(model, Features(features), quantization, epochs=12)
    _, after, _ = int8_scores(model, features)
    errors = [np.abs(scores - float_scores).mean() for scores in (before, after)]
    assert errors[0] > 0.03, "quantisation must lose something"
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.exhaustive
def test_it_repeats(features):
    weights = []
    for _ in range(2):
        model = network("mobilenet", features)
        quantization = Quantization(scale=0.1, zero_point=80)
        finetune(model, Features(features), quantization, epochs=1)
        weights.append(model.get_weights())
    for one, two in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, two)
