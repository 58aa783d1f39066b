"""Order of clips: each once, windows of whole files, told before they are taken."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.features.cache import SHARD_CLIPS
from asc_tiny.train import shuffle

CLIPS = 10 * SHARD_CLIPS + 40


def orders(window, seed=1, **options):
    return list(shuffle.order(CLIPS, 33, window, np.random.default_rng(seed), **options))


@pytest.mark.parametrize("window", [0, 2 * SHARD_CLIPS, 1000, 10 * CLIPS])
def test_every_clip_comes_once_in_steps_of_equal_size(window):
    found = orders(window)
    assert {len(step) for step in found} <= {CLIPS // 33, CLIPS // 33 + 1}
    assert sorted(np.concatenate(found)) == list(range(CLIPS))
    assert np.array_equal(np.concatenate(found), np.concatenate(orders(window)))
    assert not np.array_equal(np.concatenate(found), np.concatenate(orders(window, seed=2)))


def test_no_window_is_one_permutation():
    expected = np.random.default_rng(1).permutation(CLIPS)
    np.testing.assert_array_equal(np.concatenate(orders(0)), expected)


def test_a_window_is_of_few_files_in_random_order():
    window = 2 * SHARD_CLIPS
    found = np.concatenate(orders(window))
    firsts = []
    for start in range(0, CLIPS, window):
        files = np.unique(found[start : start + window] // SHARD_CLIPS)
        assert len(files) <= 3, "two whole ones, or parts of three beside the last file"
        firsts.append(files[0])
    assert firsts != sorted(firsts)
    inside = found[:SHARD_CLIPS]
    assert len(np.unique(inside // SHARD_CLIPS)) > 1, "files are mixed"
    assert (np.diff(inside) < 0).any()


def test_windows_are_told_before_their_clips_are_taken():
    told: list[int] = []
    rng, window = np.random.default_rng(1), 2 * SHARD_CLIPS
    taken = 0
    for step in shuffle.order(CLIPS, 33, window, rng, lambda some: told.extend(some)):
        assert set(step) <= set(told)
        taken += len(step)
        assert len(told) <= taken + 2 * window, "not the whole set at once"
    assert sorted(told) == list(range(CLIPS))
