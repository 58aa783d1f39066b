"""Transfer: weights from files by layers' names, layers that stay, rates of layers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from support.paths import MODELS

pytest.importorskip("tensorflow")

import keras
from keras import layers

from asc_tiny import nets
from asc_tiny.nets.network import find
from asc_tiny.train import loop, stored_weights, transfer
from asc_tiny.train.run import save_model


def network(classes, seed, *, width=4):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 6, 1))
    x = layers.Conv2D(width, 3, padding="same", name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.DepthwiseConv2D(3, use_bias=False, name="depth")(layers.ReLU()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, name="classify")(x))


def differing(before, model):
    return [
        layer.name
        for layer in model.layers
        if layer.weights
        and any(
            not np.array_equal(a, b)
            for a, b in zip(before[layer.name], layer.get_weights(), strict=True)
        )
    ]


def weights(model):
    return {layer.name: layer.get_weights() for layer in model.layers}


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_layers_by_name_and_shape_the_rest_is_new(tmp_path, suffix):
    source, model = network(5, 1), network(3, 2)
    source.get_layer("norm").moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    path = tmp_path / f"source{suffix}"
    if suffix == ".keras":
        save_model(source, path)
    elif suffix == ".h5":
        source.save(path)
    else:
        source.save_weights(path)
    before = weights(model)
    assert transfer.initialize(model, path) == ["conv", "norm", "depth"]
    assert differing(before, model) == ["conv", "norm", "depth"]
    assert differing(weights(source) | {"classify": before["classify"]}, model) == []


def test_weights_of_the_public_yamnet(tmp_path):
    """In HDF5 of Keras 2, a model within a model, with time along the rows of kernels."""
    import h5py

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 32, 24, 1)).astype(np.float32)
    y = np.swapaxes(x, 1, 2)
    stored = {}

    def normalized(y, name):
        norm = layers.BatchNormalization(scale=False, epsilon=1e-4)
        norm.build(y.shape)
        values = [rng.uniform(0.5, 1.5, size=v.shape).astype(np.float32) for v in norm.weights]
        norm.set_weights(values)
        of_values = zip(("beta", "moving_mean", "moving_variance"), values, strict=True)
        stored.update({f"{name}/bn/{key}:0": value for key, value in of_values})
        return layers.ReLU()(norm(y))

    def convolved(y, layer, name, weight):
        layer.build(y.shape)
        kernel = rng.normal(size=layer.weights[0].shape).astype(np.float32)
        layer.set_weights([kernel])
        stored[f"{name}/{weight}:0"] = kernel
        return normalized(layer(y), name)

    same = {"padding": "same", "use_bias": False}
    y = convolved(y, layers.Conv2D(32, 3, strides=2, **same), "layer1/conv", "kernel")
    depth = layers.DepthwiseConv2D(3, **same)
    y = convolved(y, depth, "layer2/depthwise_conv", "depthwise_kernel")
    y = convolved(y, layers.Conv2D(64, 1, **same), "layer2/pointwise_conv", "kernel")
    with h5py.File(tmp_path / "public.h5", "w") as file:
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [b"model_2", b"pool"]
        root.create_group("pool").attrs["weight_names"] = []
        model = root.create_group("model_2")
        model.attrs["weight_names"] = [name.encode() for name in stored]
        for name, value in stored.items():
            model[name] = value
    ours, network = nets.build("yamnet", (32, 24, 1), 3, depth=2), find("yamnet")
    taken = transfer.initialize(ours, tmp_path / "public.h5", network.translate)
    assert len(taken) == 6
    text = 'name = "x"\nnetwork = "yamnet"\ninit = "public.h5"\nnetwork_options.depth = 2\n'
    text += "[frontend]\ndeltas = false"
    recipe = recipes.parse(text.encode(), folder=tmp_path)
    trained = loop.Trainer(recipe, 3).model
    assert {"classify"} == {*differing(weights(ours), trained)}, "a recipe takes the same weights"
    pooled = keras.Model(ours.input, ours.get_layer("pool").output)
    np.testing.assert_allclose(pooled(x), np.mean(y, axis=(1, 2)), rtol=1e-4)


def test_a_backbone_that_is_a_layer_is_looked_into(tmp_path):
    source = network(5, 1)
    inputs = keras.Input((8, 6, 1))
    save_model(keras.Model(inputs, layers.Softmax()(source(inputs))), tmp_path / "nested.keras")
    model = network(3, 2)
    assert "depth" in transfer.initialize(model, tmp_path / "nested.keras")


def test_released_int8_weights_give_the_released_scores():
    """Of a .tflite: the float network that starts from it scores as its int8 form."""
    from asc_tiny.audio.clips import read_pcm
    from asc_tiny.frontend import fixed
    from asc_tiny.model import model_file
    from asc_tiny.tflm.ensemble_interpreter import interpreter

    path = MODELS / "mobilenet_esc10.tflite"
    loaded = model_file.load(path)
    config = loaded.frontend
    model = nets.build("mobilenet", config.shape, len(loaded.labels))
    taken = transfer.initialize(model, path)
    assert len(taken) == sum(1 for layer in model.layers if layer.weights)
    pytest.importorskip("tflite_micro")
    runner, quantization = interpreter(loaded), config.quantization
    clips = sorted((MODELS / "clips").glob("*.flac"))[:3]
    codes = [
        fixed.features(read_pcm(c, config.sample_rate)[: config.clip_samples], config)
        for c in clips
    ]
    x = (np.stack(codes).astype(np.float32) - quantization.zero_point) * quantization.scale
    expected = np.stack([(runner.run(c).astype(float) + 128) / 256 for c in codes])
    np.testing.assert_allclose(model(x).numpy(), expected, atol=0.1)


def test_what_fits_no_layer_is_refused(tmp_path):
    save_model(network(5, 1, width=6), tmp_path / "wide.keras")
    with pytest.raises(AscError, match=r"wide\.keras: no layer has name and shape .* conv, norm"):
        transfer.initialize(network(3, 2), tmp_path / "wide.keras")
    (tmp_path / "w.txt").write_text("")
    with pytest.raises(AscError, match=r"w\.txt: not a file of weights, allowed: \.keras, \.h5"):
        stored_weights.read(tmp_path / "w.txt", None)
    (tmp_path / "w.h5").write_text("nothing")
    with pytest.raises(AscError, match=r"w\.h5: not Keras weights in HDF5"):
        stored_weights.read(tmp_path / "w.h5", None)


def recipe_with(tmp_path, text):
    path = tmp_path / "r.toml"
    path.write_text(f'name = "r"\n{text}\n')
    return recipes.load(path)


@pytest.mark.parametrize(
    ("text", "learning"),
    [
        ("", ["conv", "norm", "depth", "classify"]),
        ('freeze = ["conv", "n*"]', ["depth", "classify"]),
        ("linear_probe = true", ["classify"]),
    ],
)
def test_frozen_layers_do_not_learn(tmp_path, text, learning):
    model = network(3, 1)
    transfer.freeze(model, recipe_with(tmp_path, text))
    before = weights(model)
    x = np.random.default_rng(0).normal(size=(16, 8, 6, 1)).astype(np.float32)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, np.ones((16, 3)), verbose=0)
    assert differing(before, model) == learning, "statistics of batch-norm stay, too"


def test_rates_of_layers(tmp_path):
    model = network(3, 1)
    variables = model.trainable_variables
    assert transfer.rate_factors(model, {}, variables) is None
    factors = recipe_with(tmp_path, '[rate_factors]\n"*" = 0.5\nclassify = 2').rate_factors
    found = transfer.rate_factors(model, factors, variables)
    names = [v.path.split("/")[0] for v in variables]
    assert found == [2.0 if name == "classify" else 0.5 for name in names]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('freeze = "x*"', "freeze: 'x*' fits no layer with weights, there are conv, norm, depth"),
        ('freeze = "*"', "freeze = *: no layer is left to learn"),
    ],
)
def test_patterns_without_a_layer_are_named(tmp_path, text, message):
    with pytest.raises(AscError) as caught:
        transfer.freeze(network(3, 1), recipe_with(tmp_path, text))
    assert message in str(caught.value)


def test_a_run_starts_from_a_file_and_knows_its_hash(tmp_path):
    """The whole way of a recipe: frozen layers of a trained network are those of the file."""
    text = "[frontend]\nn_mels = 16\nn_fft = 1024\n[augmentation]\nfrequency_mask_bands = 4"
    recipe = recipe_with(tmp_path, 'init = "start.keras"\nfreeze = "low*"\n' + text)
    keras.utils.set_random_seed(9)
    start = nets.build("mobilenet", recipe.frontend.shape, 5)
    save_model(start, tmp_path / "start.keras")
    trainer = loop.Trainer(recipe, 3)
    assert "low_conv1" in trainer.frozen and "high_conv1" not in trainer.frozen
    same = {"expand": True, "low_conv1": True, "classify": False}
    for name, expected in same.items():
        values = [m.get_layer(name).get_weights()[0] for m in (trainer.model, start)]
        equal = values[0].shape == values[1].shape and np.array_equal(*values)
        assert equal is expected, name
    assert list(loop._files(recipe)) == ["start.keras"]
    other = dataclasses.replace(recipe, init="missing.keras")
    with pytest.raises(AscError, match=r"missing\.keras: is neither in"):
        loop.Trainer(other, 3)
