"""The feature cache: right values, reused, never stale, whole after a kill."""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.dataset import Dataset
from asc_tiny.features import cache, host_library
from asc_tiny.frontend import fixed
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.frontend.reference import features, quantize
from asc_tiny.util import process_pool, user_cache
from asc_tiny.util.errors import AscError
from support.patience import PATIENCE_S

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


def test_quantization_does_not_change_the_key(clips, tmp_path):
    cache.load(clips, CONFIG, folder=tmp_path)
    before = sorted(tmp_path.rglob("*.npy"))
    cache.load(clips, CONFIG.quantized(0.1, 3), folder=tmp_path)
    assert sorted(tmp_path.rglob("*.npy")) == before


def test_fixed_features_are_what_the_codes_stand_for(clips, tmp_path):
    config = CONFIG.quantized(0.1, 3)
    loaded = everything(cache.load(clips, config, arithmetic="fixed", folder=tmp_path))
    assert loaded.dtype == np.float32
    for row, clip in zip(loaded, clips, strict=True):
        codes = fixed.features(cache.clip_pcm(clip, config), config)
        np.testing.assert_array_equal(row, np.float32((codes.astype(int) - 3) * 0.1))
        np.testing.assert_array_equal(quantize(row.astype(np.float64), config.quantization), codes)


def test_fixed_features_have_files_of_their_own(clips, tmp_path, monkeypatch):
    def files(config, arithmetic):
        cache.load(clips, config, arithmetic=arithmetic, folder=tmp_path)
        return len(list(tmp_path.rglob("*.npy")))

    config = CONFIG.quantized(0.1, 3)
    assert files(config, "float") == 3
    assert files(config, "fixed") == 6
    assert files(config, "fixed") == 6, "nothing to compute"
    assert files(CONFIG.quantized(0.1, 4), "fixed") == 9
    monkeypatch.setattr(host_library, "digest", lambda _: "another integer front end")
    assert files(config, "fixed") == 12
    assert files(config, "float") == 12


def test_codes_are_a_byte_each_and_stand_for_what_the_scale_says(clips, tmp_path):
    config = CONFIG.quantized(0.1, 3)
    other = CONFIG.quantized(np.nextafter(0.1, 1.0), 3)  # the same C text, other values
    found = [
        everything(cache.load(clips, c, arithmetic="fixed", folder=tmp_path))
        for c in (config, other)
    ]
    (path, *_) = sorted(tmp_path.rglob("*.npy"))
    assert np.load(path).dtype == np.int8
    codes = np.stack([fixed.features(cache.clip_pcm(clip, config), config) for clip in clips])
    for values, c in zip(found, (config, other), strict=True):
        scale = c.quantization.scale
        np.testing.assert_array_equal(values, np.float32((codes.astype(np.float64) - 3) * scale))


def test_half_precision_takes_half_the_bytes_and_is_off_by_half_a_unit(clips, tmp_path):
    whole = everything(cache.load(clips, CONFIG, folder=tmp_path))
    half = everything(cache.load(clips, CONFIG, storage="float16", folder=tmp_path))
    sizes = sorted(path.stat().st_size for path in tmp_path.rglob("*.npy"))
    assert len(sizes) == 6
    assert sizes[1] == 128 + 2 * 40 * 36 * 3 * 2
    assert half.dtype == np.float32
    # 11 bits of mantissa, to nearest.
    bound = np.maximum(np.exp2(np.floor(np.log2(np.abs(whole) + 1e-30)) - 11), 2.0**-25)
    assert (np.abs(half - whole) <= bound).all()
    assert (half != whole).any()


def test_reading_ahead_changes_nothing(clips, tmp_path):
    loaded = cache.load(clips, CONFIG, folder=tmp_path)
    before = everything(loaded)
    assert all(isinstance(shard.base, mmap.mmap) for shard in loaded._shards), "what it asks for"
    loaded.read_ahead(np.array([4, 0]))
    np.testing.assert_array_equal(everything(loaded), before)


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
    assert user_cache.folder() == tmp_path / "asc-tiny"


def test_a_clip_of_another_length_is_named(clips, tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(100, np.int16), 44100)
    short = replace(clips[0], path=path)
    with pytest.raises(AscError, match=r"short.wav: 100 samples, the front end needs 44100"):
        cache.load([short], CONFIG, folder=tmp_path)


@pytest.fixture
def parallel(monkeypatch):
    """Use several processes however few clips there are."""
    monkeypatch.setattr(cache, "PARALLEL_CLIPS", 2)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def end_process(*_):
    os._exit(1)


@pytest.mark.parametrize("arithmetic", cache.ARITHMETICS)
def test_files_do_not_depend_on_the_number_of_processes(
    arithmetic, clips, tmp_path, parallel, monkeypatch
):
    config = CONFIG.quantized(0.1, 3)
    bar_steps = []
    monkeypatch.setattr(cache.Bar, "update", lambda _, count=1: bar_steps.append(count))
    alone, together = tmp_path / "alone", tmp_path / "together"
    cache.load(clips, config, arithmetic=arithmetic, folder=alone, workers=1)
    with monkeypatch.context() as patch:
        for module in (cache, host_library):  # in this process they must not be called
            patch.setattr(module, "features", end_process)
        loaded = cache.load(clips, config, arithmetic=arithmetic, folder=together, workers=2)
    assert len(loaded) == 5
    assert len(contents(alone)) == 3
    assert contents(together) == contents(alone)
    assert sum(bar_steps) == 2 * len(clips)


def test_few_clips_are_computed_in_this_process(clips, tmp_path, monkeypatch):
    def fail(_):
        raise AssertionError("started processes")

    monkeypatch.setattr(process_pool, "pool", fail)
    assert cache.PARALLEL_CLIPS >= 64
    assert len(cache.load(clips, CONFIG, folder=tmp_path, workers=2)) == 5
    monkeypatch.setattr(cache, "PARALLEL_CLIPS", 2)
    cache.load(clips, CONFIG, folder=tmp_path, workers=2)  # nothing to compute
    cache.load(clips, replace(CONFIG, n_mels=20), folder=tmp_path, workers=1)
    with pytest.raises(AssertionError, match="started processes"):
        cache.load(clips, replace(CONFIG, n_mels=30), folder=tmp_path, workers=2)


def test_a_bad_clip_is_named_by_a_process(clips, tmp_path, parallel):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(100, np.int16), 44100)
    some = [*clips[:3], replace(clips[3], path=path), clips[4]]
    with pytest.raises(AscError) as error:
        cache.load(some, CONFIG, folder=tmp_path, workers=2)
    assert str(error.value) == f"{path}: 100 samples, the front end needs 44100"


def test_a_killed_process_is_one_line(clips, tmp_path, parallel, monkeypatch):
    monkeypatch.setattr(cache, "_write", end_process)
    with pytest.raises(AscError, match="features: a process computing them was killed"):
        cache.load(clips, CONFIG, folder=tmp_path, workers=2)


def test_processes_inherit_nothing_from_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    with process_pool.pool(1) as pool:
        names = {"tensorflow", "keras", "asc_tiny.util.process_pool"}
        code = f"__import__('sys').modules.keys() & {names}"
        assert pool.submit(eval, code).result() == {"asc_tiny.util.process_pool"}


def run_script(script, *arguments):
    """Run Python code, which may start processes, in a session of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    # Processes share their parent's pipes: these are not at their end before all have ended.
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, start_new_session=True
    )


def test_processes_end_with_a_killed_parent():
    ended = run_script("""
import os, signal
from asc_tiny.util import process_pool

with process_pool.pool(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
""")
    assert ended.returncode == -signal.SIGKILL
    assert int(ended.stdout) > 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_an_interrupt_is_left_to_the_parent(name, synthetic, tmp_path, monkeypatch):
    ended = run_script(
        """
import os, pathlib, signal, sys, time
from asc_tiny.audio.dataset import Dataset
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util import interrupts
from asc_tiny.features import cache

number = getattr(signal, sys.argv[3])

def interrupt(written):
    handler = signal.signal(number, signal.SIG_IGN)
    while not any(future.done() for future in written):
        os.killpg(0, number)
        time.sleep(0.01)
    signal.signal(number, handler)
    os.killpg(0, number)
    signal.pause()

# A shell that runs the tests in the background has interrupts ignored.
signal.signal(number, signal.SIG_DFL)
interrupts.install()
cache.SHARD_CLIPS = cache.PARALLEL_CLIPS = 2
cache.as_completed = interrupt
clips = Dataset.load(pathlib.Path(sys.argv[1])).clips
try:
    cache.load(clips, FrontEndConfig(), folder=pathlib.Path(sys.argv[2]), workers=2)
except KeyboardInterrupt as error:
    print("interrupted by", error)
""",
        synthetic,
        tmp_path,
        name,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"interrupted by {name}\n", "")
    complete = [path for path in tmp_path.rglob("*.npy") if not path.name.startswith(".")]
    assert 1 <= len(complete) < 12, "what was not begun is left"
    # What a process was writing is dropped: the next run takes its file over.
    monkeypatch.setattr(cache, "SHARD_CLIPS", 2)
    cache.load(Dataset.load(synthetic).clips, FrontEndConfig(), folder=tmp_path, workers=1)
    names = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert len(names) == 12
    assert not [name for name in names if name.startswith(".")]
