"""The error of each layer: against values computed by hand, and where the loss really is."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

import keras
import tensorflow as tf

from asc_tiny import nets
from asc_tiny.compress import quantize
from asc_tiny.compress.layer_error import layer_errors, to_json
from asc_tiny.nets.layer_groups import groups
from asc_tiny.train.statistics.recalibrate import recalibrate
from support.our_networks import FILTERS

SHAPE = (16, 36, 3)


def trained(name, features):
    keras.utils.set_random_seed(0)
    network = nets.build(name, SHAPE, 3, filters=dict.fromkeys(FILTERS[name], 8))
    recalibrate(network, features)
    return network


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(-5, 2, (24, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def mobilenet(features):
    """A network and its int8 file; tests must not change it."""
    network = trained("mobilenet", features)
    return network, quantize.quantize(network, features)


@pytest.fixture(scope="module")
def mini_segnet(features):
    """The same of the network with transposed convolutions."""
    network = trained("mini_segnet", features)
    return network, quantize.quantize(network, features)


@pytest.mark.parametrize("name", ["mobilenet", pytest.param("mini_segnet", marks=pytest.mark.slow)])
def test_every_layer_of_our_networks_is_found(name, features, request):
    network, data = request.getfixturevalue(name)
    errors = layer_errors(network, data, features[:4])
    wanted = {
        group.layers[-1].name
        for group in groups(network)
        if not isinstance(group.first, keras.layers.Dropout)
    }
    assert {error.layer for error in errors} == wanted
    values = [error.snr_db for error in errors]
    assert values == sorted(values)
    assert min(values) > 10.0


def test_figures_are_those_of_the_interpreters_output(mobilenet, features):
    """The scores, with TFLite's own interpreter and the float network."""
    network, data = mobilenet
    errors = {error.layer: error for error in layer_errors(network, data, features[:6])}
    interpreter = tf.lite.Interpreter(
        model_content=data,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = source["quantization"]
    got = []
    for clip in features[:6]:
        codes = np.clip(np.floor(clip.astype(float) / scale + zero_point + 0.5), -128, 127).astype(
            np.int8
        )
        interpreter.set_tensor(source["index"], codes[None])
        interpreter.invoke()
        got.append((interpreter.get_tensor(result["index"])[0].astype(float) + 128) / 256)
    wanted = network(features[:6]).numpy()
    snr = 10 * math.log10((wanted**2).sum() / ((wanted - got) ** 2).sum())
    assert errors["scores"].snr_db == pytest.approx(snr, abs=1e-2)
    assert errors["scores"].scale == 1 / 256


def test_the_layer_that_loses_stands_out(mobilenet, features):
    """Channels of 1/400 the range of the others: their layers hardly get any codes."""

    def errors(network, data):
        found = layer_errors(network, data, features[:4])
        return {error.layer: error.snr_db for error in found}

    before = errors(*mobilenet)
    network = trained("mobilenet", features)
    gamma = network.get_layer("point1_norm").gamma
    gamma.assign(tf.where(tf.range(gamma.shape[0]) == 0, gamma, gamma / 400.0))
    following = network.get_layer("expand")
    kernel = following.kernel.numpy()
    kernel[:, :, 0] = 0.0
    following.kernel.assign(kernel)
    recalibrate(network, features)
    after = errors(network, quantize.quantize(network, features))
    assert after["expand_relu"] < before["expand_relu"] - 15.0
    assert abs(after["down1_relu"] - before["down1_relu"]) < 1.0


def test_report_is_json(mobilenet, features):
    errors = layer_errors(*mobilenet, features[:2])
    document = json.loads(to_json(errors, 2))
    assert (document["schema"], document["clips"]) == (1, 2)
    assert set(document["layers"][0]) == {"layer", "op", "snr_db", "scale", "saturated"}


def test_groups_are_what_the_converter_fuses():
    network = nets.build("mobilenet", SHAPE, 3)
    names = [[layer.name for layer in group.layers] for group in groups(network)]
    assert ["low_conv1", "low_conv1_norm", "low_conv1_relu"] in names
    assert ["project", "project_norm"] in names
    assert ["classify"] in names
    assert sum(map(len, names)) == len(network.layers) - 1
