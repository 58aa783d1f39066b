"""The integer front end: its error against float64, and C against Python bit by bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend import fixed, golden, reference
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import model_file
from asc_tiny.util.errors import AscError
from support.front_ends import CONFIGS, DEFAULT, error_db
from support.native import CFrontEnd
from support.paths import CLIPS, MODEL


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_error_on_real_clips(scale: str) -> None:
    config = dataclasses.replace(DEFAULT, mel_scale=scale)
    assert len(CLIPS) == 10
    errors = []
    for path in CLIPS:
        error, level = error_db(read_pcm(path, 44100), config)
        errors.append(error[level >= -100.0])
    joined = np.concatenate(errors)
    assert joined.size > 50_000
    assert joined.mean() <= 0.00005
    assert np.quantile(joined, 0.99) <= 0.0002
    assert joined.max() <= 0.003


@pytest.mark.parametrize("name", list(golden.clips(DEFAULT)))
def test_error_on_hard_clips(name: str) -> None:
    error, level = error_db(golden.clips(DEFAULT)[name], DEFAULT)
    assert error[level >= -80.0].max(initial=0.0) <= 0.05
    assert error.max() <= 0.3


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_codes_on_real_clips(path: Path) -> None:
    pcm = read_pcm(path, 44100)
    codes = fixed.features(pcm, DEFAULT)
    assert DEFAULT.quantization
    expected = reference.quantize(reference.features(pcm, DEFAULT), DEFAULT.quantization)
    assert codes.shape == (256, 36, 3)
    assert codes.dtype == np.int8
    assert np.abs(codes.astype(int) - expected).max() <= 1
    assert (codes == expected).mean() >= 0.999


@pytest.mark.parametrize("name", list(CONFIGS))
def test_codes_are_those_of_float64_in_every_configuration(name: str) -> None:
    config = CONFIGS[name]
    assert config.quantization
    pcm = golden.clips(config)["fade"]
    codes = fixed.features(pcm, config)
    expected = reference.quantize(reference.features(pcm, config), config.quantization)
    assert codes.shape == config.shape
    assert np.abs(codes.astype(int) - expected).max() <= 1
    assert (codes == expected).mean() >= 0.998


@pytest.mark.parametrize("name", list(CONFIGS))
def test_c_equals_python_for_any_chunking(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    clips = list(golden.clips(config).values())
    generator = np.random.default_rng(7)
    limits = np.iinfo(config.sample_type)
    clips.append(generator.integers(-1, 1, config.clip_samples, config.sample_type))
    signs = generator.integers(0, 2, config.clip_samples)
    clips.append(np.where(signs, limits.max, limits.min).astype(config.sample_type))
    expected = np.stack([fixed.features(clip, config) for clip in clips])
    frontend = CFrontEnd(config, tmp_path)
    stream = np.concatenate(clips)
    for chunks in ([config.hop], [1, 7, 5000, 333], [len(stream)]):
        assert np.array_equal(frontend.features(stream, chunks), expected), chunks


def test_c_equals_python_on_real_clips_sample_by_sample(tmp_path: Path) -> None:
    frontend = CFrontEnd(DEFAULT, tmp_path)
    clips = [read_pcm(path, 44100) for path in CLIPS]
    expected = np.stack([fixed.features(clip, DEFAULT) for clip in clips])
    assert np.array_equal(frontend.features(np.concatenate(clips), [1024]), expected)
    assert np.array_equal(frontend.features(clips[0], [1]), expected[:1])


def test_logarithm_is_within_0_0002_db() -> None:
    tables = fixed_tables.build(DEFAULT)
    generator = np.random.default_rng(11)
    values = np.concatenate(
        [
            2 ** np.arange(62, dtype=np.uint64),
            2 ** np.arange(1, 62, dtype=np.uint64) - np.uint64(1),
            np.exp2(generator.uniform(0.0, 61.0, 100_000)).astype(np.uint64),
        ]
    )
    octaves = fixed._log2(values, tables) / 2.0**20 - np.log2(values.astype(np.longdouble))
    assert np.abs(octaves).max() * 20.0 * np.log10(2.0) / 2.0 <= 0.0002


def test_silence_is_the_floor() -> None:
    codes = fixed.features(np.zeros(44100, np.int16), DEFAULT)
    assert np.unique(codes[:, :, 0]).tolist() == [round(np.log(1e-8) / 0.11) + 40]
    assert np.unique(codes[:, :, 1:]).tolist() == [40]


def test_features_need_a_quantization() -> None:
    with pytest.raises(AscError, match="quantisation"):
        fixed.features(np.zeros(44100, np.int16), FrontEndConfig())
    with pytest.raises(AscError, match="scale = 1e-09"):
        fixed.features(np.zeros(44100, np.int16), FrontEndConfig().quantized(1e-9, 0))


@pytest.mark.slow
def test_codes_and_c_on_every_clip(esc10: Path, tmp_path: Path) -> None:
    config = model_file.load(MODEL).frontend
    assert config
    assert config.quantization
    frontend = CFrontEnd(config, tmp_path)
    paths = sorted((esc10 / "audio").glob("*.flac"))
    for path in paths:
        pcm = read_pcm(path, 44100)
        codes = fixed.features(pcm, config)
        expected = reference.quantize(reference.features(pcm, config), config.quantization)
        assert (codes == expected).mean() >= 0.999, path
        assert np.abs(codes.astype(int) - expected).max() <= 1, path
        assert np.array_equal(frontend.features(pcm, [1000])[0], codes), path
    assert len(paths) == 1287
