"""The integer front end compiled for this computer: the bits of the NumPy model, or that model."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.features import host_library
from asc_tiny.frontend import fixed, golden
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from support.front_ends import CONFIGS, DEFAULT
from support.paths import CLIPS

NOISE = golden.noise(DEFAULT)
CACHED = (host_library.digest, host_library._library, host_library._compiler)

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler"
)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    """Start without any library, in the cache or in this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache" / "asc-tiny" / "frontend"
    forget()


def forget():
    for function in CACHED:
        function.cache_clear()


@pytest.fixture
def only_native(monkeypatch):
    """Take the NumPy model away once the expected codes are computed."""
    return lambda: monkeypatch.setattr(fixed, "features", None)


def compiler(folder, text):
    """Put a C compiler into ``folder``, which becomes all there is."""
    folder.mkdir(exist_ok=True)
    (folder / "cc").write_text(f"#!{shutil.which('sh')}\n{text}\n")
    (folder / "cc").chmod(0o755)


@needs_compiler
@pytest.mark.parametrize("name", CONFIGS)
def test_codes_are_those_of_the_numpy_model(name, only_native):
    config = CONFIGS[name]
    clips = list(golden.clips(config).values())
    if config.sample_rate == 44100:
        clips += [read_pcm(path, 44100, bits=config.sample_bits) for path in CLIPS]
    expected = [fixed.features(pcm, config) for pcm in clips]
    only_native()
    for pcm, codes in zip(clips, expected, strict=True):
        found = host_library.features(pcm, config)
        assert (found.dtype, found.shape) == (np.int8, config.shape)
        np.testing.assert_array_equal(found, codes)


@needs_compiler
def test_samples_that_are_not_in_one_piece(only_native):
    expected = fixed.features(NOISE, DEFAULT)
    only_native()
    np.testing.assert_array_equal(
        host_library.features(np.repeat(NOISE, 2)[::2], DEFAULT), expected
    )


@needs_compiler
def test_a_library_is_built_once(cache_folder, monkeypatch, only_native):
    first = host_library.features(NOISE, DEFAULT)
    (library,) = cache_folder.iterdir()
    forget()
    only_native()
    monkeypatch.setattr(host_library, "_build", None)
    np.testing.assert_array_equal(host_library.features(NOISE, DEFAULT), first)
    assert list(cache_folder.iterdir()) == [library]


@needs_compiler
def test_a_damaged_library_is_built_again(cache_folder, only_native):
    """Cut short, with a byte that has changed, or of zeros as after a power cut."""
    expected = host_library.features(NOISE[: DEFAULT.clip_samples], DEFAULT)
    only_native()
    (library,) = cache_folder.iterdir()
    whole = library.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (b"", whole[:2000], bytes(flipped), bytes(len(whole))):
        forget()
        # Another file: the one of before is in use by this process.
        library.unlink()
        library.write_bytes(damaged)
        assert np.array_equal(
            host_library.features(NOISE[: DEFAULT.clip_samples], DEFAULT), expected
        )
        assert [path.read_bytes() for path in cache_folder.iterdir()] == [whole]


@needs_compiler
@pytest.mark.parametrize("change", ["configuration", "flags", "runtime", "compiler"])
def test_another_source_is_another_library(change, cache_folder, monkeypatch):
    codes = host_library.features(NOISE, DEFAULT)
    (program, version), sources = host_library._compiler(), host_library._sources(DEFAULT)
    forget()
    config = DEFAULT
    if change == "configuration":
        config = DEFAULT.quantized(0.11, 41)
    elif change == "flags":
        monkeypatch.setattr(host_library, "FLAGS", (*host_library.FLAGS, "-g"))
    elif change == "runtime":
        changed = {**sources, "asc_frontend.c": sources["asc_frontend.c"] + "/* changed */\n"}
        monkeypatch.setattr(host_library, "_sources", lambda *_, **__: changed)
    else:
        monkeypatch.setattr(host_library, "_compiler", lambda: (program, f"{version} changed"))
    again = host_library.features(NOISE, config)
    assert len(list(cache_folder.iterdir())) == 2
    assert np.array_equal(again, codes) == (change != "configuration")


@needs_compiler
def test_processes_that_build_at_once(cache_folder):
    script = """
import sys
import numpy as np
from asc_tiny.features import host_library
from asc_tiny.frontend import fixed
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.frontend import golden

config = FrontEndConfig().quantized(0.11, 40)
pcm = golden.noise(config)
expected = fixed.features(pcm, config)
fixed.features = None
print("ready", flush=True)
sys.stdin.readline()
print(np.array_equal(host_library.features(pcm, config), expected))
"""
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True)
        for _ in range(3)
    ]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 3
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in started] == ["True\n"] * 3
    assert [path.suffix for path in cache_folder.iterdir()] == [".so"], "and nothing temporary"


@pytest.mark.parametrize(
    "case", ["no compiler", "no path", "one that fails", "one that writes no library"]
)
def test_without_a_working_compiler(case, cache_folder, tmp_path, monkeypatch, capfd):
    folder = tmp_path / "bin"
    folder.mkdir()
    if case == "one that fails":
        compiler(folder, "echo broken >&2; exit 1")
    elif case == "one that writes no library":
        compiler(folder, "echo cc 1.0")
    monkeypatch.setenv("PATH", "" if case == "no path" else str(folder))
    assert (host_library._compiler() is None) == case.startswith("no ")
    found = host_library.features(NOISE, DEFAULT)
    np.testing.assert_array_equal(found, fixed.features(NOISE, DEFAULT))
    assert host_library._library(DEFAULT) is None
    assert capfd.readouterr() == ("", "")


def test_without_a_place_for_the_library(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = host_library.features(NOISE, DEFAULT)
    np.testing.assert_array_equal(found, fixed.features(NOISE, DEFAULT))
    assert host_library._library(DEFAULT) is None


def test_bad_input_is_named_as_by_the_numpy_model():
    with pytest.raises(AscError, match="integer features need a quantisation"):
        host_library.features(NOISE, FrontEndConfig())
    with pytest.raises(AscError, match="100 samples, a clip has 44100"):
        host_library.features(NOISE[:100], DEFAULT)
    with pytest.raises(AscError, match="quantisation scale"):
        host_library.features(NOISE, FrontEndConfig().quantized(1e-9, 0))
