"""When columns leave the front end: look-ahead and latency in samples."""

from __future__ import annotations

import ctypes
import dataclasses

import numpy as np
import pytest

from support.front_ends import DEFAULT
from support.native import CFrontEnd

CASES = {
    "default": DEFAULT,
    "causal": dataclasses.replace(DEFAULT, framing="causal"),
    "no deltas": dataclasses.replace(DEFAULT, deltas=False),
    "short hop": dataclasses.replace(DEFAULT, hop=300),
}


def columns_after(frontend: CFrontEnd, count: int) -> int:
    """Push the first samples of a clip and count the columns that are there."""
    state = ctypes.create_string_buffer(1 << 18)
    library, config = frontend.library, frontend.config
    library.asc_frontend_init(state)
    pcm = np.ones(count, np.int16)
    codes = ctypes.create_string_buffer(config.n_mels * config.channels)
    position = columns = 0
    while position < count:
        samples = ctypes.c_void_p(pcm.ctypes.data + 2 * position)
        position += library.asc_frontend_push(state, samples, ctypes.c_size_t(count - position))
        while library.asc_frontend_pop(state, codes, ctypes.c_size_t(config.channels)):
            columns += 1
    return columns


@pytest.mark.parametrize("name", list(CASES))
def test_a_column_waits_for_half_a_window_and_the_frames_of_its_deltas(name, tmp_path) -> None:
    config = CASES[name]
    frontend = CFrontEnd(config, tmp_path)
    assert frontend.config.latency == 4 * config.hop * config.deltas + config.frame_length // 2
    center = (0 if config.framing == "centred" else config.frame_length // 2) + (
        4 * config.hop * config.deltas
    )
    for column in (0, 1, 7):
        due = center + column * config.hop + config.latency
        assert columns_after(frontend, due - 1) == column
        assert columns_after(frontend, due) == column + 1


@pytest.mark.parametrize("name", list(CASES))
def test_a_clip_gives_all_its_columns_with_its_last_sample(name, tmp_path) -> None:
    config = CASES[name]
    frontend = CFrontEnd(config, tmp_path)
    assert columns_after(frontend, config.clip_samples) == config.columns
    assert columns_after(frontend, 2 * config.clip_samples) == 2 * config.columns
