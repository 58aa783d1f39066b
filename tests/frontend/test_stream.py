"""Continuous streams: C, its Python twin and float64 see one clip without end."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asc_tiny.features import host_library
from asc_tiny.frontend import fixed, reference, stream
from asc_tiny.frontend.config import FrontEndConfig
from support.front_ends import DEFAULT
from support.native import CFrontEnd
from support.random_front_ends import configs, repeatable, signals


def one_clip(config: FrontEndConfig, pcm: np.ndarray) -> FrontEndConfig:
    """The front end of a clip that holds the whole stream."""
    return dataclasses.replace(config, clip_samples=len(pcm))


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """A bit over 300 columns: more than the Python twin computes at once."""
    samples = stream.samples_needed(DEFAULT, 300) + 500
    return np.random.default_rng(8).normal(0, 3000, samples).astype(np.int16)


@pytest.mark.parametrize("framing", ["centred", "causal"])
@pytest.mark.parametrize("deltas", [True, False])
def test_columns_are_those_of_a_clip_without_end(framing, deltas, noise) -> None:
    config = dataclasses.replace(DEFAULT, framing=framing, deltas=deltas)
    found = stream.features(noise, config)
    expected = fixed.features(noise, one_clip(config, noise))
    assert found.shape[1] == stream.columns_of(config, len(noise)) >= 299
    assert np.array_equal(found, expected[:, : found.shape[1]])
    # Zeros beyond the end make more columns of a clip.
    assert expected.shape[1] - found.shape[1] == (framing == "centred")
    exact = reference.features(noise, one_clip(config, noise))[:, : found.shape[1]]
    codes = reference.quantize(exact, config.quantization)
    assert np.abs(found.astype(int) - codes).max() <= 1


def test_samples_that_columns_need() -> None:
    for columns in (1, 2, 36):
        needed = stream.samples_needed(DEFAULT, columns)
        # Deltas wait for four more columns, the last of them for half a window.
        assert needed == (columns + 7) * 1024 + 1024
        assert stream.columns_of(DEFAULT, needed) == columns
        assert stream.columns_of(DEFAULT, needed - 1) == columns - 1
    assert stream.columns_of(DEFAULT, 0) == 0


def test_compiled_for_this_computer(noise) -> None:
    expected = stream.features(noise, DEFAULT)
    assert np.array_equal(host_library.stream_features(noise, DEFAULT), expected)
    assert host_library.stream_features(noise[:100], DEFAULT).shape == (256, 0, 3)


@repeatable(8)
@given(st.data())
def test_host_c_equals_the_model(data: st.DataObject) -> None:
    config = data.draw(configs())
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
        frontend = CFrontEnd(config, Path(folder), continuous=True)
        for skip in (0, data.draw(st.integers(1, 30))):
            pcm = data.draw(signals(config))
            chunks = data.draw(st.lists(st.integers(1, 3 * config.hop), min_size=1, max_size=5))
            columns = frontend.columns(pcm, chunks, skip)
            assert np.array_equal(columns, stream.features(pcm, config)[:, :: 1 + skip])
