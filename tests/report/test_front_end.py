"""The response to a tone, against tones that go through the front end's reference."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.frontend import reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.report.sections.front_end import response


@pytest.mark.parametrize("spectrum", ["power", "magnitude"])
def test_a_tone_gives_what_is_drawn(spectrum: str) -> None:
    config = FrontEndConfig(
        sample_rate=16_000,
        clip_samples=8_000,
        n_fft=512,
        hop=256,
        n_mels=32,
        f_max=8_000.0,
        deltas=False,
        log_floor=1e-5 if spectrum == "magnitude" else 1e-8,
        spectrum=spectrum,
    )
    bands = [8, 24]
    # Far from 0 Hz and half the rate, where a tone meets its mirror image.
    tones = np.arange(600.0, 6_000.0, 16_000 / 512 / 4)
    drawn = response(config, bands, tones)
    clip = np.arange(config.clip_samples) / config.sample_rate
    heard = np.empty_like(drawn)
    for number, tone in enumerate(tones):
        pcm = np.rint(20_000 * np.sin(2 * np.pi * tone * clip)).astype(np.int16)
        power = reference.band_power(pcm, config)[bands][:, 8]
        heard[:, number] = 20 / config.degree * np.log10(power)
    heard -= heard.max(axis=1, keepdims=True)
    near = drawn > -40.0
    assert near.sum() > 20
    assert np.abs(drawn - heard)[near].max() < 0.6
