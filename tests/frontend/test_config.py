"""The front end's configuration: framing, logarithms, floors, and what is worth a warning."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from asc_tiny.frontend import reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError

DEFAULT = FrontEndConfig()


def test_causal_frames_hold_samples_of_the_clip_only() -> None:
    config = dataclasses.replace(DEFAULT, framing="causal")
    pcm = np.arange(44100).astype(np.int16)
    frames = reference.frame(pcm, config)
    assert config.frames == len(frames) == (44100 - 2048) // 1024 + 1
    assert np.array_equal(frames[3], pcm[3072 : 3072 + 2048])


def test_centerd_frames_reach_half_a_window_beyond() -> None:
    frames = reference.frame(np.ones(44100, np.int16), DEFAULT)
    assert len(frames) == DEFAULT.frames == 44
    assert frames[0].sum() == 1024
    assert frames[-1].sum() == 44100 - (43 * 1024 - 1024)


@pytest.mark.parametrize(("log", "base"), [("log10", 10.0), ("log2", 2.0), ("ln", np.e)])
def test_logarithms_have_their_base(log: str, base: float) -> None:
    generator = np.random.default_rng(1)
    pcm = generator.integers(-5000, 5000, 44100).astype(np.int16)
    values = reference.log_mel(pcm, dataclasses.replace(DEFAULT, log=log))
    power = reference.band_power(pcm, DEFAULT) + 1e-8
    assert np.power(base, values) == pytest.approx(power, rel=1e-9)


def test_the_floor_is_added_or_the_maximum() -> None:
    silence = np.zeros(44100, np.int16)
    loud = np.random.default_rng(2).integers(-30000, 30000, 44100).astype(np.int16)
    config = dataclasses.replace(DEFAULT, floor="max")
    assert np.unique(reference.log_mel(silence, config)).tolist() == [np.log(1e-8)]
    power = reference.band_power(loud, config)[1:]
    assert np.array_equal(reference.log_mel(loud, config)[1:], np.log(power))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"log": "log3"}, "log = log3, allowed: ln, log10, log2"),
        ({"floor": "min"}, "floor = min, allowed: add, max"),
        ({"framing": "late"}, "framing = late, allowed: centred, causal"),
        ({"framing": "causal", "clip_samples": 2000, "deltas": False}, "clip_samples = 2000"),
    ],
)
def test_values_out_of_range_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(AscError, match=message):
        dataclasses.replace(DEFAULT, **values)


def test_an_empty_band_is_named_with_what_to_change() -> None:
    (line,) = DEFAULT.warnings()
    assert line.startswith("front end: mel band 0 (0.0 to 19.2 Hz) holds no bin")
    assert "raise n_fft or f_min, lower n_mels, or change mel_scale" in line
    assert dataclasses.replace(DEFAULT, mel_scale="slaney").warnings() == []
    many = dataclasses.replace(DEFAULT, n_fft=512, hop=256).warnings()[0]
    assert " more holds no bin" in many


def test_a_hop_that_skips_samples_is_named() -> None:
    config = dataclasses.replace(DEFAULT, hop=2000, mel_scale="slaney")
    assert config.warnings() == [
        "front end: hop = 2000 is more than half of n_fft (2048): samples between two frames are "
        "hardly heard; lower hop"
    ]
