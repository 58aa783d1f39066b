"""The feature cache: right values, reused, never stale, whole after a kill."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.dataset import Dataset
from asc_tiny.errors import AscError
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.frontend.reference import features
from asc_tiny.train import cache

CONFIG = FrontEndConfig(n_mels=40)


@pytest.fixture
def clips(synthetic):
    return Dataset.load(synthetic).split("train")[:5]


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(cache, "SHARD_CLIPS", 2)


def everything(feature_set):
    return feature_set.take(np.arange(len(feature_set)))


def test_features_are_the_references(clips, tmp_path):
    loaded = cache.load(clips, CONFIG, folder=tmp_path)
    assert loaded.shape == (5, 40, 36, 3)
    for row, clip in zip(everything(loaded), clips, strict=True):
        # The clips are 24-bit; soundfile alone would cut them off instead of rounding.
        wide, _ = soundfile.read(clip.path, dtype="int32")
        pcm = np.floor(wide / 65536 + 0.5).astype(np.int16)
        np.testing.assert_allclose(row, features(pcm, CONFIG), atol=1e-4)


def test_take_and_batches_agree(clips, tmp_path):
    loaded = cache.load(clips, CONFIG, folder=tmp_path)
    whole = everything(loaded)
    np.testing.assert_array_equal(loaded.take(np.array([4, 0, 3])), whole[[4, 0, 3]])
    np.testing.assert_array_equal(np.concatenate(list(loaded.batches(2))), whole)


def test_second_load_computes_nothing(clips, tmp_path, monkeypatch):
    first = everything(cache.load(clips, CONFIG, folder=tmp_path))

    def fail(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(cache, "features", fail)
    np.testing.assert_array_equal(everything(cache.load(clips, CONFIG, folder=tmp_path)), first)


def test_another_front_end_is_computed_anew(clips, tmp_path):
    first = everything(cache.load(clips, CONFIG, folder=tmp_path))
    slaney = everything(cache.load(clips, replace(CONFIG, mel_scale="slaney"), folder=tmp_path))
    assert not np.allclose(first, slaney)


def test_quantisation_does_not_change_the_key(clips, tmp_path):
    cache.load(clips, CONFIG, folder=tmp_path)
    before = sorted(tmp_path.rglob("*.npy"))
    cache.load(clips, CONFIG.quantised(0.1, 3), folder=tmp_path)
    assert sorted(tmp_path.rglob("*.npy")) == before


def test_a_changed_clip_is_computed_anew(synthetic, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(synthetic, root)
    clips = Dataset.load(root).split("train")[:3]
    first = everything(cache.load(clips, CONFIG, folder=tmp_path))
    pcm, rate = soundfile.read(clips[1].path, dtype="int16")
    soundfile.write(clips[1].path, pcm[::-1], rate, subtype="PCM_16")
    second = everything(cache.load(clips, CONFIG, folder=tmp_path))
    np.testing.assert_array_equal(first[[0, 2]], second[[0, 2]])
    assert not np.allclose(first[1], second[1])


def test_a_killed_run_goes_on_where_it_stopped(clips, tmp_path, monkeypatch):
    computed = []

    def count(pcm, config):
        if len(computed) == 3:
            raise KeyboardInterrupt
        computed.append(1)
        return features(pcm, config)

    monkeypatch.setattr(cache, "features", count)
    with pytest.raises(KeyboardInterrupt):
        cache.load(clips, CONFIG, folder=tmp_path)
    assert len(list(tmp_path.rglob("*"))) == 2, "the folder and one finished file, nothing else"
    computed.clear()
    cache.load(clips, CONFIG, folder=tmp_path)
    assert len(computed) == 3, "the first file's two clips were kept"


def test_a_damaged_file_is_replaced(clips, tmp_path):
    first = everything(cache.load(clips, CONFIG, folder=tmp_path))
    victim = sorted(tmp_path.rglob("*.npy"))[0]
    victim.write_bytes(victim.read_bytes()[:1000])
    np.testing.assert_array_equal(everything(cache.load(clips, CONFIG, folder=tmp_path)), first)


def test_cache_is_below_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.default_folder() == tmp_path / "asc-tiny"


def test_a_clip_of_another_length_is_named(clips, tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(100, np.int16), 44100)
    short = replace(clips[0], path=path)
    with pytest.raises(AscError, match=r"short.wav: 100 samples, the front end needs 44100"):
        cache.load([short], CONFIG, folder=tmp_path)
