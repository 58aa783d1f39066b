"""Parameters and MACs of published networks against what their papers and codes give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from asc_tiny import nets
from asc_tiny.util.errors import AscError

pytest.importorskip("tensorflow")

from keras import layers

from asc_tiny.complexity.keras import measure_model
from asc_tiny.complexity.report import Total, total
from asc_tiny.nets.feature_norms import (
    GlobalResponseNormalization,
    ResidualNormalization,
    SubSpectralNormalization,
)
from asc_tiny.nets.strided_depthwise import StridedDepthwiseConv2D


def figures(name: str, shape: tuple[int, int, int], classes: int, **options: Any) -> Total:
    return total([measure_model(nets.build(name, shape, classes, **options), source=name)])


def test_dcase2024_baseline_has_the_parameters_and_macs_of_its_readme():
    """Layer by layer as the table there has them, which counts batch-norm's weights as MACs."""
    model = nets.build("dcase2024_baseline", (256, 65, 1), 10)
    measured = total([measure_model(model, source="baseline")])
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    trained = sum(math.prod(w.shape) for norm in norms for w in norm.trainable_variables)
    assert measured.params == 61_148
    assert measured.macs + trained == 29_419_156
    # stages[0].b3.block[1], the example of the page: 331,776 without batch-norm.
    (layer,) = [
        layer for layer in measure_model(model, source="").layers if layer.name == "block3_depth"
    ]
    assert (layer.params, layer.macs) == (576, 331_776)


def cp_mobile_parameters(widths: list[tuple[int, int, int]], base: int, classes: int) -> int:
    """Sum of (channels in, inside, channels out) of blocks, by hand from the public code."""
    stem = 9 * (base // 4) + 2 * (base // 4) + 9 * (base // 4) * base + 2 * base
    blocks = sum(i * e + 2 * e + 9 * e + 2 * e + e * o + 2 * o + 2 for i, e, o in widths)
    return stem + blocks + widths[-1][2] * classes + 2 * classes


@pytest.mark.parametrize(
    ("options", "widths"),
    [
        (
            {"base_channels": 16, "channels_multiplier": 1.5, "expansion_rate": 1.75},
            [(16, 32, 16)] * 3 + [(16, 32, 24), (24, 40, 24), (24, 40, 40)],
        ),
        pytest.param(
            {},
            [(32, 96, 32)] * 3 + [(32, 96, 72), (72, 216, 72), (72, 216, 168)],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_cp_mobile_has_the_parameters_of_its_code(options, widths):
    base = options.get("base_channels", 32)
    measured = figures("cp_mobile", (256, 64, 1), 10, **options)
    assert measured.params == cp_mobile_parameters(widths, base, 10)
    assert measured.params < 128_000 and measured.macs < 30_000_000


@pytest.mark.parametrize(
    ("width", "params", "multiplies"),
    [
        (1.0, 9.2e3, 3.1e6),
        pytest.param(1.5, 17.2e3, 5.5e6, marks=pytest.mark.slow),
        pytest.param(2.0, 27.3e3, 8.5e6, marks=pytest.mark.slow),
        pytest.param(3.0, 54.2e3, 16.2e6, marks=pytest.mark.slow),
        pytest.param(6.0, 188e3, 53.1e6, marks=pytest.mark.slow),
        pytest.param(8.0, 321e3, 89.1e6, marks=pytest.mark.slow),
    ],
)
def test_bc_resnet_has_the_figures_of_its_paper(width, params, multiplies):
    """Multiplies there are those of all layers; here those of convolutions alone."""
    measured = figures("bc_resnet", (40, 101, 1), 12, width=width)
    assert measured.params == pytest.approx(params, rel=0.005)
    assert 0.8 * multiplies < measured.macs < multiplies


@pytest.mark.parametrize(
    ("options", "mels", "params", "macs"),
    [
        ({"base_channels": 40, "depth": 16, "residual_norm": "adaptive"}, 256, 53.4e3, 7.0e6),
        pytest.param(
            {"base_channels": 80, "depth": 16, "residual_norm": "adaptive"},
            256,
            196.7e3,
            24.2e6,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_tf_sepnet_has_the_figures_of_its_paper(options, mels, params, macs):
    measured = figures("tf_sepnet", (mels, 64, 1), 10, **options)
    assert measured.params == pytest.approx(params, rel=0.001)
    assert measured.macs == pytest.approx(macs, rel=0.005)


@pytest.mark.parametrize(("size", "operations"), [("s", 5.4e6), ("m", 19.8e6), ("l", 56.9e6)])
def test_ds_cnn_has_the_operations_of_its_paper(size, operations):
    """Two for each multiplication there; biases and batch-norm are in the paper's figures."""
    measured = figures("ds_cnn", (10, 49, 1), 12, size=size)
    assert 2 * measured.macs == pytest.approx(operations, rel=0.02)
    if size == "s":
        # MLPerf Tiny: 24,908 weights with all of batch-norm's, half of whose 2,304 are measured.
        assert measured.params == 24_908 - 1_152
        assert measured.macs == 2_656_768


@pytest.mark.slow
def test_yamnet_has_the_figures_of_its_readme():
    measured = figures("yamnet", (64, 96, 1), 521)
    assert measured.params == pytest.approx(3.7e6, rel=0.01)
    assert measured.macs == pytest.approx(69.2e6, rel=0.001)


@pytest.mark.parametrize(("depth", "params"), [(4, 30_794), (6, 134_730)])
def test_yamnet_has_the_first_layers_alone(depth, params):
    """By hand: kernels, offsets of batch-norm, and a classifier of 10 classes."""
    channels = [(32, 64), (64, 128), (128, 128), (128, 256), (256, 256)][: depth - 1]
    by_hand = 9 * 32 + 32 + sum(9 * i + i + i * o + o for i, o in channels)
    by_hand += channels[-1][1] * 10 + 10
    assert by_hand == params
    assert figures("yamnet", (64, 48, 1), 10, depth=depth).params == params


def test_sub_spectral_norm_is_batch_norm_of_each_band():
    import keras

    layer = SubSpectralNormalization(2)
    x = np.random.default_rng(0).normal(1.0, 2.0, (5, 6, 4, 3)).astype(np.float32)
    got = np.asarray(layer(x, training=True))
    for rows in (slice(0, 3), slice(3, 6)):
        norm = keras.layers.BatchNormalization(epsilon=1e-5)
        assert got[:, rows] == pytest.approx(np.asarray(norm(x[:, rows], training=True)), abs=1e-5)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, (4, 6))
    layer.set_weights(weights)
    values = np.asarray(layer.split(x))
    assert np.array_equal(values[..., 3:], x[:, 3:]) and np.array_equal(values[..., :3], x[:, :3])
    gamma, beta, mean, variance = weights.reshape(4, 2, 3).repeat(3, axis=1)[:, None, :, None]
    expected = (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    assert np.asarray(layer(x, training=False)) == pytest.approx(expected, abs=1e-4)


def test_response_norm_follows_its_definition():
    layer = GlobalResponseNormalization()
    x = np.random.default_rng(2).normal(size=(2, 4, 5, 3)).astype(np.float32)
    assert np.asarray(layer(x)) == pytest.approx(x)
    layer.set_weights([np.float32(0.7), np.float32(-0.2)])
    norm = np.sqrt((x**2).sum(axis=(1, 2), keepdims=True))
    expected = 0.7 * x * norm / norm.mean(axis=-1, keepdims=True) - 0.2 + x
    assert np.asarray(layer(x)) == pytest.approx(expected, abs=1e-4)


def test_residual_norm_follows_its_definition():
    x = np.random.default_rng(3).normal(1.0, 2.0, (2, 4, 5, 3)).astype(np.float32)
    mean, deviation = (f(x, axis=(2, 3), keepdims=True) for f in (np.mean, np.std))
    fixed = (x - mean) / deviation
    assert np.asarray(ResidualNormalization()(x)) == pytest.approx(0.1 * x + fixed, abs=1e-4)
    layer = ResidualNormalization(adaptive=True)
    layer.build(x.shape)
    rho, gamma, beta = np.random.default_rng(4).uniform(0.2, 0.8, (3, 3)).astype(np.float32)
    layer.set_weights([rho, gamma, beta])
    expected = gamma * (rho * x + (1 - rho) * fixed) + beta
    assert np.asarray(layer(x)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("size", [(8, 9), (9, 8), (7, 1)])
@pytest.mark.parametrize("strides", [(1, 2), (2, 1), (3, 1)])
def test_unequal_strides_take_the_places_of_same_padding(size, strides):
    """By hand: out[i] sums taps around i s - padding, where the padding is split evenly."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(1, *size, 2)).astype(np.float32)
    layer = StridedDepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)
    got = np.asarray(layer(x))[0]
    kernel = np.asarray(layer.kernel)[:, :, :, 0]
    counts = [-(-n // s) for n, s in zip(size, strides, strict=True)]
    pads = [max((c - 1) * s + 3 - n, 0) // 2 for c, s, n in zip(counts, strides, size, strict=True)]
    padded = np.pad(x[0], ((3, 3), (3, 3), (0, 0)))
    expected = np.empty((*counts, 2))
    for row in range(counts[0]):
        for column in range(counts[1]):
            top, left = row * strides[0] - pads[0] + 3, column * strides[1] - pads[1] + 3
            expected[row, column] = (padded[top : top + 3, left : left + 3] * kernel).sum((0, 1))
    assert got == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        ("bc_resnet", (64, 20, 1), {}, "n_mels = 64, must be a multiple of 40"),
        ("tf_sepnet", (16, 40, 1), {}, "at least 32 x 32"),
        ("tf_sepnet", (64, 64, 1), {"depth": 15}, "depth = 15, allowed: 16, 17"),
        ("ds_cnn", (10, 49, 1), {"size": "xl"}, "size = 'xl', allowed: s, m, l"),
        ("yamnet", (64, 96, 1), {"depth": 15}, "depth = 15, allowed: 1 to 14"),
        ("cp_mobile", (64, 64, 1), {"blocks": []}, "blocks = .*, allowed: 1 to 8 stages"),
    ],
)
def test_options_out_of_range_are_named(name, shape, options, message):
    with pytest.raises(AscError, match=message):
        nets.build(name, shape, 10, **options)
