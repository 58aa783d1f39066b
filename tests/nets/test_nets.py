"""The networks against the totals of Bing et al. (DCASE2023 Task 1), counted here on their own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asc_tiny import nets
from asc_tiny.util.errors import AscError

pytest.importorskip("tensorflow")

# Table of the reconstruction: output of each step at 256 x 36 x 3.
MOBILENET_OUTPUTS = {
    "low_crop": (128, 36, 3),
    "high_crop": (128, 36, 3),
    "low_conv1_relu": (128, 36, 8),
    "high_conv2_relu": (64, 18, 16),
    "join": (128, 18, 16),
    "down1_relu": (64, 9, 16),
    "point1_relu": (64, 9, 16),
    "expand_relu": (64, 9, 96),
    "down2_relu": (32, 5, 96),
    "project_norm": (32, 5, 16),
    "depth3_relu": (32, 5, 16),
    "point3_relu": (32, 5, 64),
    "pool": (1, 1, 64),
    "scores": (10,),
}


def macs(model) -> int:
    """Multiplies of convolution, depthwise and dense layers for one input."""
    total = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "Conv2D":
            total += math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:3])
        elif kind == "DepthwiseConv2D":
            total += math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:2])
        elif kind == "Dense":
            total += math.prod(layer.kernel.shape)
    return total


def trainable(model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def test_mobilenet_has_the_reported_counts():
    model = nets.build("mobilenet", (256, 36, 3), 10)
    assert trainable(model) == 7_946
    assert macs(model) == 3_972_224


def test_mobilenet_layers_have_the_tabled_outputs():
    model = nets.build("mobilenet", (256, 36, 3), 10)
    outputs = {name: model.get_layer(name).output.shape[1:] for name in MOBILENET_OUTPUTS}
    assert outputs == MOBILENET_OUTPUTS


def test_projection_is_linear():
    names = [layer.name for layer in nets.build("mobilenet", (256, 36, 3), 10).layers]
    assert "project_norm" in names
    assert "project_relu" not in names


def test_split_sends_each_half_of_the_bands_to_its_branch():
    import keras

    model = nets.build("mobilenet", (256, 36, 3), 10)
    branches = [model.get_layer(f"{name}_conv2_relu").output for name in ("low", "high")]
    probe = keras.Model(model.input, branches)
    x = np.random.default_rng(0).normal(size=(1, 256, 36, 3)).astype(np.float32)
    low_changed = x.copy()
    low_changed[:, :128] += 1.0
    low, high = (output.numpy() for output in probe(x))
    low2, high2 = (output.numpy() for output in probe(low_changed))
    assert not np.allclose(low, low2)
    np.testing.assert_array_equal(high, high2)


def test_weights_trained_on_a_crop_fit_the_whole_clip():
    crop = nets.build("mobilenet", (256, 30, 3), 10)
    whole = nets.build("mobilenet", (256, 36, 3), 10, batch_size=1)
    whole.set_weights(crop.get_weights())
    scores = whole(np.zeros((1, 256, 36, 3), np.float32)).numpy()
    assert scores.shape == (1, 10)
    np.testing.assert_allclose(scores.sum(), 1.0, rtol=1e-6)


def test_dropout_acts_in_training_only():
    model = nets.build("mobilenet", (256, 36, 3), 10, dropout=0.9)
    assert model.get_layer("dropout").rate == 0.9
    x = np.random.default_rng(0).normal(size=(1, 256, 36, 3)).astype(np.float32)
    np.testing.assert_array_equal(model(x).numpy(), model(x).numpy())
    # With one clip, batch-norm in training depends on the clip only: the difference is dropout.
    first, second = (model(x, training=True).numpy() for _ in range(2))
    assert not np.array_equal(first, second)


def test_unknown_network_is_named():
    with pytest.raises(
        AscError, match=r"network 'resnet' is unknown, allowed: .*mini_segnet, mobilenet"
    ):
        nets.build("resnet", (256, 36, 3), 10)


def test_odd_number_of_bands_is_refused():
    with pytest.raises(AscError, match="n_mels = 41, must be even"):
        nets.build("mobilenet", (41, 36, 3), 10)


PRUNED = {
    "encoder1": 7,
    "encoder2": 12,
    "encoder3": 76,
    "decoder1": 35,
    "decoder2": 8,
    "decoder3": 6,
}


@pytest.mark.parametrize(
    ("filters", "parameters", "multiplies"),
    [(None, 276_490, 237_437_440), (PRUNED, 46_232, 19_466_240)],
)
def test_mini_segnet_has_the_reported_counts(filters, parameters, multiplies):
    options = {} if filters is None else {"filters": filters}
    model = nets.build("mini_segnet", (256, 36, 3), 10, **options)
    assert trainable(model) == parameters
    assert macs(model) == multiplies
    outputs = [model.get_layer(f"{name}_relu").output.shape[1:3] for name in PRUNED]
    assert outputs == [(256, 36), (128, 18), (64, 9), (64, 8), (128, 16), (256, 32)]


def test_mini_segnet_needs_room_for_its_poolings():
    with pytest.raises(AscError, match="at least 8 x 8"):
        nets.build("mini_segnet", (256, 7, 3), 10)


def test_mixup_normalization_gives_a_clip_the_statistics_of_a_mixture():
    from asc_tiny.nets.mixup_normalization import MixupNormalisation

    layer = MixupNormalisation(alpha=1.0, share=1.0, seed=3)
    layer.build((None, 40, 30, 2))
    generator = np.random.default_rng(1)
    levels = np.array([0.0, 10.0]).reshape(2, 1, 1, 1)
    clips = (levels + (levels / 10 + 1) * generator.normal(size=(2, 40, 30, 2))).astype(np.float32)
    mixed = np.asarray(layer._mixed(clips))
    means, deviations = mixed.mean(axis=(1, 2)), mixed.std(axis=(1, 2))
    # Each keeps its own pattern, at a level and a spread between the two clips'.
    for clip, result in zip(clips, mixed, strict=True):
        pattern = np.corrcoef(clip[..., 0].ravel(), result[..., 0].ravel())[0, 1]
        assert pattern == pytest.approx(1.0, abs=1e-4)
    assert ((means > -0.2) & (means < 10.2)).all()
    assert ((deviations > 0.9) & (deviations < 2.1)).all()
    share = means / 10
    assert share == pytest.approx(deviations - 1.0, abs=0.1)
    # Something was mixed: not both clips kept their own mean.
    assert np.abs(means - np.array([[0.0], [10.0]])).max() > 0.5


def test_mixup_normalization_is_batch_norm_at_inference():
    from asc_tiny.nets.mixup_normalization import MixupNormalisation

    layer = MixupNormalisation()
    layer.build((None, 4, 4, 3))
    gamma, beta, mean, variance = np.random.default_rng(2).uniform(0.5, 2.0, (4, 3))
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
    x = np.random.default_rng(3).normal(size=(5, 4, 4, 3)).astype(np.float32)
    expected = gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta
    assert np.asarray(layer(x, training=False)) == pytest.approx(expected, abs=1e-5)


def test_mini_segnet_changes_its_statistics_in_training_only():
    model = nets.build("mini_segnet", (16, 8, 3), 3, filters=PRUNED)
    x = np.random.default_rng(6).normal(size=(4, 16, 8, 3)).astype(np.float32)
    norm = model.get_layer("decoder3_norm")
    before = np.asarray(norm.moving_mean)
    model(x)
    assert np.array_equal(np.asarray(norm.moving_mean), before)
    model(x, training=True)
    assert not np.array_equal(np.asarray(norm.moving_mean), before)


def test_saved_mini_segnet_loads(tmp_path):
    model = nets.build("mini_segnet", (16, 8, 3), 3, filters=PRUNED)
    model.save(tmp_path / "model.keras")
    copy = nets.load(tmp_path / "model.keras")
    x = np.random.default_rng(4).normal(size=(2, 16, 8, 3)).astype(np.float32)
    assert np.array_equal(model(x, training=False), copy(x, training=False))
