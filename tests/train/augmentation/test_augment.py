"""Augmentation: what it changes, what it keeps, and that it repeats."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.frontend.config import Normalization, Quantization
from asc_tiny.frontend.reference import quantize
from asc_tiny.train import shuffle
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


@pytest.mark.parametrize("channels", [1, 3])
def test_channel_means_are_numpys_to_the_bit(rng, channels):
    x = rng.normal(size=(7, 32, 30, channels)).astype(np.float32) * 9 - 5
    np.testing.assert_array_equal(augment.channel_means(x), x.mean(axis=(1, 2)))


def test_mixup_is_the_definition_to_the_bit(x):
    y = np.eye(6, dtype=np.float32)
    mixed_x, mixed_y = augment.mixup(x, y, 0.3, np.random.default_rng(3))
    draws = np.random.default_rng(3)
    share, partner = draws.beta(0.3, 0.3, 6).astype(np.float32), draws.permutation(6)
    for clip, (part, other) in enumerate(zip(share, partner, strict=True)):
        expected = part * x[clip] + (1 - part) * x[other]
        np.testing.assert_array_equal(mixed_x[clip], expected)
        np.testing.assert_array_equal(mixed_y[clip], part * y[clip] + (1 - part) * y[other])


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
    exact = (quantize(x.astype(np.float64), quantization).astype(float) - 23) * 0.125
    np.testing.assert_array_equal(values, exact)
    inside = np.abs(x) < 12
    assert np.abs(values - x)[inside].max() <= 0.0625


def batches(seed: int, epoch: int, size: int = 4):
    features = np.arange(10, dtype=np.float32)[:, None, None, None] + np.zeros((10, 32, 36, 3))
    plain = Augmentation(mixup_alpha=0.0, frequency_masks=0, time_masks=0)
    rng = augment.generator(seed, epoch)
    take = features.astype(np.float32).__getitem__
    targets = np.eye(10, dtype=np.float32)
    order = shuffle.order(10, augment.step_count(10, size), 0, rng)
    return list(augment.batches(take, targets, order, plain, None, rng))


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


def test_roll_turns_clips_round(x, rng):
    rolled = augment.roll(x, 5, rng)
    found = set()
    for before, after in zip(x, rolled, strict=True):
        (shift,) = (n for n in range(-5, 6) if np.array_equal(np.roll(before, n, axis=1), after))
        found.add(shift)
    assert len(found) > 1
    np.testing.assert_array_equal(augment.roll(x, 0, rng), x)


def test_shifted_bands_take_their_neighbors_values(x, rng):
    moved = augment.shift_bands(x, 3, rng)
    found = set()
    for before, after in zip(x, moved, strict=True):
        padded = np.pad(before, ((3, 3), (0, 0), (0, 0)), mode="edge")
        (shift,) = (n for n in range(7) if np.array_equal(padded[n : n + 32], after))
        found.add(shift)
    assert len(found) > 1


def test_shifted_bands_of_normalized_features_are_those_of_the_log_mel(x):
    rng = np.random.default_rng(4)
    means, scales = rng.normal(size=32), rng.uniform(0.5, 2.0, 32)
    normalization = Normalization(means=tuple(means), scales=tuple(scales))
    plain = x.copy()
    plain *= scales[:, None, None].astype(np.float32)
    plain[..., 0] += means[:, None].astype(np.float32)
    moved = augment.shift_bands(x, 3, np.random.default_rng(5), 3, normalization)
    expected = augment.shift_bands(plain, 3, np.random.default_rng(5), 3)
    expected[..., 0] -= means[:, None].astype(np.float32)
    np.testing.assert_allclose(moved, expected / scales[:, None, None], rtol=1e-4, atol=1e-5)


def test_freq_mixstyle_mixes_the_statistics_of_each_band():
    """As the papers' formula, clip by clip; deltas take the factor and no mean."""
    x = np.random.default_rng(0).normal(2.0, 3.0, SHAPE).astype(np.float32)
    mixed = augment.freq_mixstyle(x, 0.4, 1.0, np.random.default_rng(1), 3)
    rng = np.random.default_rng(1)
    rng.random()
    kept, partner = rng.beta(0.4, 0.4, 6), rng.permutation(6)
    for clip in range(6):
        for band in (0, 31):
            own, other = x[clip, band], x[partner[clip], band]
            part, rest = kept[clip], 1 - kept[clip]
            factor = (part * own[:, 0].std() + rest * other[:, 0].std()) / own[:, 0].std()
            mean = part * own[:, 0].mean() + rest * other[:, 0].mean()
            expected = (own[:, 0] - own[:, 0].mean()) * factor + mean
            np.testing.assert_allclose(mixed[clip, band, :, 0], expected, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(mixed[clip, band, :, 1], own[:, 1] * factor, rtol=1e-4)


def test_freq_mixstyle_is_for_a_share_of_batches_and_not_for_targets(x):
    rng = np.random.default_rng(2)
    changed = [(augment.freq_mixstyle(x, 0.4, 0.3, rng) != x).any() for _ in range(300)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.08)
    mixed = augment.freq_mixstyle(x, 0.4, 1.0, rng, 2)
    np.testing.assert_array_equal(mixed[..., 2], x[..., 2])
    assert (mixed[..., 1] != x[..., 1]).any()


def test_freq_mixstyle_hides_the_device(rng):
    """Bands' levels that tell a device from another do so less after it."""
    device = np.repeat([0.0, 4.0], 50)
    x = np.random.default_rng(0).normal(size=(100, 16, 20, 1)).astype(np.float32)
    x[..., 0] += device[:, None, None].astype(np.float32)

    def correlation(features):
        return np.corrcoef(features.mean(axis=(1, 2, 3)), device)[0, 1]

    assert correlation(x) > 0.99
    assert correlation(augment.freq_mixstyle(x, 0.4, 1.0, rng)) < 0.9


def test_what_is_off_draws_nothing(x):
    y = np.eye(6, dtype=np.float32)
    rngs = [np.random.default_rng(0), np.random.default_rng(0)]
    off = Augmentation(crop_columns=30, frequency_masks=0, time_masks=0)
    augment.augment(x, y, off, None, rngs[0])
    augment.mixup(augment.crop(x, 30, rngs[1]), y, 0.3, rngs[1])
    for rng in rngs:
        # Masks draw nothing where there are none of them.
        assert rng.bit_generator.state == rngs[0].bit_generator.state
