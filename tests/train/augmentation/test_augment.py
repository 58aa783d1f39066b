"""Augmentation: what it changes, what it keeps, and that it repeats."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.frontend.config import Quantization
from asc_tiny.train.augmentation import augment
from asc_tiny.train.recipe_tables import Augmentation

SHAPE = (6, 32, 36, 3)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_crop_cuts_contiguous_columns_at_random_places(rng):
    ramp = np.broadcast_to(np.arange(36, dtype=np.float32)[None, None, :, None], (200, 4, 36, 1))
    cropped = augment.crop(ramp, 30, rng)
    starts = cropped[:, 0, 0, 0]
    np.testing.assert_array_equal(cropped, starts[:, None, None, None] + ramp[:, :, :30])
    assert set(starts.astype(int)) == set(range(7))


@pytest.mark.parametrize("columns", [0, 36])
def test_crop_can_keep_the_whole_clip(x, rng, columns):
    np.testing.assert_array_equal(augment.crop(x, columns, rng), x)


def test_mixup_mixes_features_and_targets_alike(rng):
    # Features that are the target themselves: the mixture must stay so.
    y = np.eye(6, dtype=np.float32)
    x = np.broadcast_to(y[:, :, None, None], (6, 6, 5, 1)).copy()
    mixed_x, mixed_y = augment.mixup(x, y, 0.3, rng)
    np.testing.assert_allclose(mixed_x[:, :, 2, 0], mixed_y, atol=1e-6)
    np.testing.assert_allclose(mixed_y.sum(axis=1), 1.0, rtol=1e-6)
    assert ((mixed_y > 0.01) & (mixed_y < 0.99)).any()


def test_mixup_shares_follow_the_beta_distribution():
    y = np.eye(2000, dtype=np.float32)
    x = np.zeros((2000, 1, 1, 1), np.float32)
    _, mixed = augment.mixup(x, y, 0.3, np.random.default_rng(2))
    share = np.diag(mixed)
    # Beta(a, a) has mean 1/2 and variance 1 / (4 (2a + 1)).
    assert share.mean() == pytest.approx(0.5, abs=0.03)
    assert share.var() == pytest.approx(1 / (4 * 1.6), abs=0.01)


def test_mixup_zero_is_off(x, rng):
    y = np.eye(6, dtype=np.float32)
    mixed_x, mixed_y = augment.mixup(x, y, 0.0, rng)
    np.testing.assert_array_equal(mixed_x, x)
    np.testing.assert_array_equal(mixed_y, y)


@pytest.mark.parametrize(("axis", "width"), [(1, 20), (2, 3)])
def test_mask_covers_whole_stripes_with_channel_means(rng, axis, width):
    x = np.random.default_rng(0).normal(size=(300, 32, 36, 3)).astype(np.float32)
    masked = augment.mask(x, axis, 1, width, rng)
    changed = masked != x
    other = 3 - axis
    stripes = changed.all(axis=(other, 3))
    np.testing.assert_array_equal(stripes, changed.any(axis=(other, 3)))
    assert set(stripes.sum(axis=1)) == set(range(width + 1))
    edges = np.abs(np.diff(np.pad(stripes, ((0, 0), (1, 1))).astype(int), axis=1)).sum(axis=1)
    assert set(edges) <= {0, 2}
    means = np.broadcast_to(x.mean(axis=(1, 2))[:, None, None, :], x.shape)
    np.testing.assert_array_equal(masked[changed], means[changed])


def test_mask_leaves_its_input_alone(x, rng):
    kept = x.copy()
    augment.mask(x, 1, 2, 20, rng)
    np.testing.assert_array_equal(x, kept)


def test_gain_shifts_the_log_mel_channel_only(x, rng):
    changed = augment.gain(x, 10.0, rng)
    np.testing.assert_array_equal(changed[..., 1:], x[..., 1:])
    shift = changed[..., 0] - x[..., 0]
    np.testing.assert_allclose(shift, np.broadcast_to(shift[:, :1, :1], shift.shape), atol=1e-5)
    # 10 dB are a factor of 10 in power.
    assert 0 < np.abs(shift).max() <= np.log(10.0) + 1e-5


def test_rounded_gives_values_of_the_int8_grid(rng):
    quantization = Quantization(scale=0.125, zero_point=23)
    x = rng.uniform(-40, 40, (2, 8, 8, 3)).astype(np.float32)
    values = augment.rounded(x, quantization)
    codes = values / 0.125 + 23
    np.testing.assert_array_equal(codes, np.round(codes))
    assert (codes.min(), codes.max()) == (-128, 127)
    inside = np.abs(x) < 12
    assert np.abs(values - x)[inside].max() <= 0.0625


def batches(seed: int, epoch: int, size: int = 4):
    features = np.arange(10, dtype=np.float32)[:, None, None, None] + np.zeros((10, 32, 36, 3))
    plain = Augmentation(mixup_alpha=0.0, frequency_masks=0, time_masks=0)
    rng = augment.generator(seed, epoch)
    take = features.astype(np.float32).__getitem__
    targets = np.eye(10, dtype=np.float32)
    return list(augment.batches(take, targets, plain, None, rng, size))


def test_an_epoch_has_every_clip_once_with_its_target():
    some = batches(1, 0)
    assert [len(x) for x, _ in some] == [4, 3, 3]
    assert len(some) == augment.step_count(10, 4)
    clips = np.concatenate([x[:, 0, 0, 0] for x, _ in some])
    assert sorted(clips) == list(range(10))
    np.testing.assert_array_equal(np.concatenate([y for _, y in some]).argmax(axis=1), clips)


def test_epochs_repeat_and_differ():
    def order(seed: int, epoch: int) -> list[float]:
        return [float(v) for x, _ in batches(seed, epoch) for v in x[:, 0, 0, 0]]

    assert order(1, 5) == order(1, 5)
    assert order(1, 5) != order(1, 6)
    assert order(1, 5) != order(2, 5)


def test_quantized_input_is_the_last_step(x, rng):
    quantization = Quantization(scale=0.25, zero_point=0)
    y = np.eye(6, dtype=np.float32)
    some, _ = augment.augment(x, y, Augmentation(quantize_input=True), quantization, rng)
    assert some.shape == (6, 32, 30, 3)
    np.testing.assert_array_equal(some, np.round(some / 0.25) * 0.25)
