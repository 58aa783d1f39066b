"""Following channels through networks with every kind of joint, and shrinking one of them."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny import nets
from asc_tiny.util.errors import AscError

pytest.importorskip("tensorflow")

import keras
from keras import layers

from asc_tiny.compress.prune.channels import FIXED, trace
from asc_tiny.compress.prune.shrink import copy_kept
from support.our_networks import FILTERS


def joints(a=6, b=4, c=5, *, hidden=7):
    """Residual sum, depthwise with two outputs per input, joins on height and on channels."""
    inputs = x = keras.Input((8, 6, 3), name="features")
    first = layers.BatchNormalization(name="a_norm")(
        layers.Conv2D(a, 3, padding="same", name="a")(x)
    )
    same = layers.Conv2D(a, 1, name="a2")(layers.ReLU()(first))
    total = layers.Add(name="sum")([first, same])
    doubled = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depth")(total)
    other = layers.Conv2D(b, 3, padding="same", use_bias=False, name="b")(x)
    side = layers.Concatenate(name="side")([doubled, other])
    up = layers.Conv2DTranspose(c, 2, name="c")(layers.MaxPooling2D(2)(side))
    halves = [layers.Conv2D(b, 1, name=f"half{i}")(up) for i in (0, 1)]
    tall = layers.Concatenate(axis=1, name="tall")(halves)
    flat = layers.Flatten(name="flat")(layers.Dropout(0.1)(tall))
    x = layers.Dense(hidden, activation="relu", name="hidden")(flat)
    return keras.Model(inputs, layers.Dense(2, name="out")(x), name="joints")


def randomized(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights(
        [rng.uniform(0.2, 1.0, w.shape) * rng.choice([-1, 1]) for w in model.get_weights()]
    )
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_variance.assign(rng.uniform(0.5, 2.0, layer.moving_variance.shape))
    return model


def test_a_sum_ties_its_producers():
    producers = trace(joints()).producers
    np.testing.assert_array_equal(producers["a"], producers["a2"])
    assert len(set(producers["a"].tolist())) == 6


def test_a_join_on_height_ties_and_on_channels_puts_side_by_side():
    channels = trace(joints())
    producers = channels.producers
    np.testing.assert_array_equal(producers["half0"], producers["half1"])
    (_, into), (_, out) = channels.axes["c"][0]
    np.testing.assert_array_equal(out, producers["c"])
    np.testing.assert_array_equal(into, [*np.repeat(producers["a"], 2), *producers["b"]])


def test_flattening_repeats_channels_per_place():
    model = joints()
    channels = trace(model)
    (_, into), _ = channels.axes["hidden"][0]
    _, height, width, _ = model.get_layer("tall").output.shape
    np.testing.assert_array_equal(into, [*channels.producers["half0"]] * (height * width))


def test_inputs_and_outputs_stay():
    channels = trace(joints())
    (_, into), _ = channels.axes["a"][0]
    assert set(into.tolist()) == {FIXED}
    assert set(channels.producers["out"].tolist()) == {FIXED}
    assert FIXED not in channels.producers["hidden"]


def test_only_a_batch_norm_right_behind_is_folded():
    assert trace(joints()).norms == {"a": "a_norm"}


def test_a_layer_that_is_not_known_keeps_its_channels():
    x = keras.Input((4, 4, 3))
    y = layers.Conv2D(5, 1, name="kept")(x)
    y = layers.Conv2D(6, 1, name="free")(layers.LayerNormalization()(y))
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
    producers = trace(model).producers
    assert set(producers["kept"].tolist()) == {FIXED}
    assert FIXED not in producers["free"]


def test_a_shared_layer_ties_what_it_is_called_on():
    x = keras.Input((4, 4, 3))
    shared = layers.Conv2D(2, 1, name="shared")
    branches = [shared(layers.Conv2D(4, 1, name=name)(x)) for name in ("one", "two")]
    y = layers.GlobalAveragePooling2D()(layers.Concatenate()(branches))
    producers = trace(keras.Model(x, layers.Dense(2)(y))).producers
    np.testing.assert_array_equal(producers["one"], producers["two"])


def test_a_sequential_model_is_refused_until_it_has_a_graph():
    with pytest.raises(AscError, match="not a functional Keras model"):
        trace(keras.Sequential([layers.Dense(2)]))


def test_a_shrunk_network_computes_what_the_big_one_does_without_the_channels():
    """The big network's channels are silenced where they are used, by hand."""
    model = randomized(joints())
    channels = trace(model)
    drop = {"a": [1, 4], "b": [0], "c": [2, 3], "half0": [3], "hidden": [5, 6]}
    gone = {int(channels.producers[name][i]) for name, some in drop.items() for i in some}
    smaller = joints(4, 4, 3, hidden=5)
    with pytest.raises(AscError, match="layer b cannot be shrunk to"):
        copy_kept(model, smaller, channels, gone)

    drop["b"], gone = (
        [3],
        gone - {int(channels.producers["b"][0])} | {int(channels.producers["b"][3])},
    )
    smaller = joints(4, 3, 3, hidden=5)
    copy_kept(model, smaller, channels, gone)
    _silence(model, "a2", 2, drop["a"])
    _silence(model, "depth", 2, drop["a"])
    # The depthwise layer's own bias makes channels 2i and 2i + 1 of input i.
    _silence(model, "c", 3, [2, 3, 8, 9, 12 + 3])
    for half in ("half0", "half1"):
        _silence(model, half, 2, drop["c"])
    places = model.get_layer("flat").output.shape[-1] // 4
    _silence(model, "hidden", 0, [4 * place + 3 for place in range(places)])
    _silence(model, "out", 0, drop["hidden"])
    x = np.random.default_rng(1).normal(size=(3, 8, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(smaller(x), model(x), rtol=1e-5)


def _silence(model, name, axis, indices):
    layer = model.get_layer(name)
    kernel, *others = layer.get_weights()
    np.moveaxis(kernel, axis, 0)[indices] = 0.0
    layer.set_weights([kernel, *others])


def test_mobilenet_ties_its_bands_and_frees_the_rest():
    channels = trace(nets.build("mobilenet", (16, 12, 3), 4))
    producers = channels.producers
    np.testing.assert_array_equal(producers["low_conv2"], producers["high_conv2"])
    free = [name for name, made in producers.items() if FIXED not in made]
    assert sorted(free) == sorted(FILTERS["mobilenet"])
