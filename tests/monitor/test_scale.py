"""Units of a spectrogram: levels, hertz and seconds, against numbers by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asc_tiny.frontend import mel
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.monitor.scale import scale

PLAIN = FrontEndConfig(n_mels=64, log_floor=1e-8).quantized(0.1, 20)


def test_without_a_front_end_there_are_codes() -> None:
    found = scale(16, None)
    assert (found.low, found.high, found.unit) == (-128.0, 127.0, "int8 code")
    assert found.step_s is None and found.centers_hz == ()
    assert found.shades(np.array([-128, 0, 127], np.int8)).tolist() == [0, 128, 255]


def test_levels_of_a_logarithm_are_decibels() -> None:
    found = scale(64, PLAIN)
    # Ten codes are one unit of the natural logarithm of a power.
    steps = np.diff(found.levels[:, ::10], axis=1)
    assert steps == pytest.approx(10.0 / math.log(10.0))
    # Full scale: the energy of a constant of 1 under a Hann window, all of it in one band.
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(2048) / 2048)
    full = math.log(2048 * np.square(window).sum())
    assert found.levels[0, 128 + 20] == pytest.approx(-full * 10.0 / math.log(10.0))
    assert found.unit == "dB re full scale" and found.step_s == 1024 / 44100
    magnitude = FrontEndConfig(n_mels=64, spectrum="magnitude", log="log10", log_floor=1e-5)
    levels = scale(64, magnitude.quantized(0.05, 0)).levels
    assert np.diff(levels[:, ::20], axis=1) == pytest.approx(20.0)


def test_bands_that_are_sent_are_those_that_the_device_chooses() -> None:
    config = FrontEndConfig(n_mels=256).quantized(0.1, 0)
    found = scale(128, config)
    edges = mel.mel_edges(0.0, 22050.0, 256, "htk")
    assert found.centers_hz == pytest.approx(edges[1:-1:2])
    assert len(scale(100, config).centers_hz) == 100
    # Not of this front end, whatever the device says of its model.
    assert scale(65, PLAIN).unit == "int8 code"


def test_normalization_is_taken_back_by_band() -> None:
    means, scales = [-3.0] * 63 + [2.0], [2.0] * 63 + [0.5]
    levels = scale(64, PLAIN.normalized(means, scales)).levels
    expected = scale(64, PLAIN).levels
    # Code 20 is the mean.
    per_unit = 10.0 / math.log(10.0)
    assert levels[0, 148] == pytest.approx(expected[0, 148] - 3.0 * per_unit)
    assert levels[63, 158] == pytest.approx(expected[0, 148] + (2.0 + 0.5) * per_unit)


def test_pcen_has_no_decibels() -> None:
    config = FrontEndConfig(n_mels=64, compression="pcen").quantized(0.01, -128)
    found = scale(64, config)
    assert (found.unit, found.low) == ("PCEN", 0.0)
    assert found.high == pytest.approx(2.55)
