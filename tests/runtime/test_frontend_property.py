"""Whatever the configuration, signal and chunks: Python model, host C and emulated core agree."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asc_tiny.frontend import fixed
from asc_tiny.frontend.config import (
    FrontEndConfig,
)
from support.emulated import EmulatedFrontEnd
from support.front_end_cores import COSTS, needs_tools
from support.native import CFrontEnd
from support.random_front_ends import configs, repeatable, signals

QUICK = ("Cortex-M4", "Cortex-M55", "RISC-V")
"""With assembly, with Helium, and in portable C."""


def expected(stream: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    clips = stream.reshape(-1, config.clip_samples)
    return np.stack([fixed.features(clip, config) for clip in clips])


def check_host(data: st.DataObject) -> None:
    config = data.draw(configs())
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
        frontend = CFrontEnd(config, Path(folder))
        for _ in range(3):
            stream = data.draw(signals(config))
            chunks = data.draw(st.lists(st.integers(1, 3 * config.hop), min_size=1, max_size=5))
            codes = frontend.features(stream, chunks)
            assert np.array_equal(codes, expected(stream, config))


def check_emulated(core: str, data: st.DataObject) -> None:
    board, flags = COSTS[core][:2]
    config = data.draw(configs())
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
        frontend = EmulatedFrontEnd(config, board, Path(folder), flags=flags)
        stream = data.draw(signals(config))
        assert np.array_equal(frontend.run(stream)[0], expected(stream, config))


@repeatable(8)
@given(st.data())
def test_host_c_equals_the_model(data: st.DataObject) -> None:
    check_host(data)


@pytest.mark.exhaustive
@repeatable(100)
@given(st.data())
def test_host_c_equals_the_model_many_times(data: st.DataObject) -> None:
    check_host(data)


@pytest.mark.slow
@needs_tools
@pytest.mark.parametrize("core", QUICK)
@repeatable(5)
@given(data=st.data())
def test_emulated_core_equals_the_model(core: str, data: st.DataObject) -> None:
    check_emulated(core, data)


@pytest.mark.exhaustive
@needs_tools
@pytest.mark.parametrize("core", COSTS)
@repeatable(20)
@given(data=st.data())
def test_emulated_core_equals_the_model_many_times(core: str, data: st.DataObject) -> None:
    check_emulated(core, data)
