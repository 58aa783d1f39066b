"""The front end on emulated cores: the same bits on every path, and what a hop costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.costs import board_fit
from asc_tiny.frontend import golden
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import FrontEndConfig
from support import compilers
from support.emulated import EmulatedFrontEnd
from support.front_end_cores import CORTEX_M0PLUS, COSTS, M4, RV32, assert_same, clips, needs_tools
from support.front_ends import CONFIGS, DEFAULT, MAGNITUDE, PCEN, SPEECH
from support.paths import CLIPS

pytestmark = needs_tools

LENGTHS = {
    f"n_fft {n_fft}": dataclasses.replace(
        DEFAULT, n_fft=n_fft, hop=n_fft // 2 - 5 * (n_fft == 512), n_mels=n_mels
    )
    for n_fft, n_mels in ((256, 16), (512, 40), (1024, 64), (4096, 200), (8192, 200))
}


@pytest.mark.parametrize("name", [*CONFIGS, *LENGTHS])
def test_cortex_m4_gives_the_models_bits(name: str, tmp_path: Path) -> None:
    config = {**CONFIGS, **LENGTHS}[name]
    assert_same(EmulatedFrontEnd(config, M4, tmp_path), clips(config))


@pytest.mark.parametrize("core", [pytest.param(c, marks=pytest.mark.slow) for c in COSTS])
@pytest.mark.parametrize(
    "config",
    [
        MAGNITUDE,
        dataclasses.replace(DEFAULT, spectrum="magnitude", log_floor=1e-4, floor="max"),
        dataclasses.replace(DEFAULT, n_fft=8192, hop=2000, n_mels=200),
    ],
    ids=["magnitude", "magnitude, floor as maximum", "8192"],
)
def test_all_cores_give_the_models_bits(config: FrontEndConfig, core: str, tmp_path: Path) -> None:
    board, flags = COSTS[core][:2]
    assert_same(EmulatedFrontEnd(config, board, tmp_path, flags=flags), clips(config)[3:])


def test_magnitudes_on_cortex_m4_give_the_models_bits(tmp_path: Path) -> None:
    assert_same(EmulatedFrontEnd(MAGNITUDE, M4, tmp_path), clips(MAGNITUDE))


@pytest.mark.parametrize("name", ["default", "24 bits, normalised speech"])
@pytest.mark.parametrize("board", ["mps2-an385", "mps2-an505", "mps3-an547", RV32])
def test_other_cores_give_the_models_bits(board: str, name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    assert_same(EmulatedFrontEnd(config, board, tmp_path), clips(config))


WIDE = dataclasses.replace(DEFAULT, n_mels=16)
"""Bands in which a sum of sums of bins exceeds 64 bits."""


def tones(config: FrontEndConfig) -> list[np.ndarray]:
    """Full-scale sines, the first bins of wide bands and those beside them."""
    turns = np.arange(config.clip_samples) / config.n_fft
    edges = fixed_tables.build(config).segment_bin[8:]
    bins = [int(edge) + beside for edge in edges[:-1] for beside in (0, 1)]
    largest = np.iinfo(config.sample_type).max
    sines = [largest * np.sin(2 * np.pi * each * turns) for each in bins]
    return [sine.round().astype(config.sample_type) for sine in sines]


@pytest.mark.parametrize(
    "name", ["default", "speech", "largest", "coarse codes", "24 bits, normalised speech"]
)
def test_code_for_cortex_m0plus_gives_the_models_bits(name: str, tmp_path: Path) -> None:
    """A Cortex-M3 runs what is compiled for the smaller core."""
    config = CONFIGS[name]
    assert_same(
        EmulatedFrontEnd(config, "mps2-an385", tmp_path, flags=CORTEX_M0PLUS), clips(config)
    )


def test_wide_bands_on_cortex_m0plus_give_the_models_bits(tmp_path: Path) -> None:
    frontend = EmulatedFrontEnd(WIDE, "mps2-an385", tmp_path, flags=CORTEX_M0PLUS)
    assert_same(frontend, tones(WIDE))


def quarters(config: FrontEndConfig) -> list[np.ndarray]:
    """What a turn by 45 or 135 degrees takes its largest part of: full scale, turned by quarters.

    Real and imaginary parts of the transform, which are even and odd samples, are at their ends in
    the same half of the time, or in two halves a quarter apart.
    """
    limits = np.iinfo(config.sample_type)
    pairs = np.arange(config.clip_samples) // 2
    odd = np.arange(config.clip_samples) % 2
    found = []
    for length in 2 ** np.arange(2, int(np.log2(config.n_fft // 2)) + 1):
        quarter = pairs * 4 // length % 4
        for turned in (0, 1, 3):
            high = (quarter + odd * turned) % 4 < 2
            found.append(np.where(high, limits.max, limits.min).astype(config.sample_type))
    return found


def test_turns_by_half_quarters_on_cortex_m0plus_give_the_models_bits(tmp_path: Path) -> None:
    config = CONFIGS["smallest"]
    frontend = EmulatedFrontEnd(config, "mps2-an385", tmp_path, flags=CORTEX_M0PLUS)
    assert_same(frontend, quarters(config))


@pytest.mark.parametrize("core", ["Cortex-M4", "Cortex-M3", "Cortex-M0+", "RISC-V"])
@pytest.mark.parametrize("optimization", ["-O0", "-Os", "-O3"])
def test_no_optimization_changes_the_bits(core: str, optimization: str, tmp_path: Path) -> None:
    board, flags = COSTS[core][:2]
    frontend = EmulatedFrontEnd(DEFAULT, board, tmp_path, flags=flags, optimization=optimization)
    assert_same(frontend, [read_pcm(CLIPS[0], 44100), golden.clips(DEFAULT)["square"]])


MARGIN = compilers.margin()


@pytest.mark.parametrize("core", list(COSTS))
def test_costs_do_not_grow(core: str, tmp_path: Path) -> None:
    board, flags, instructions, flash = COSTS[core]
    frontend = EmulatedFrontEnd(DEFAULT, board, tmp_path, flags=flags)
    _, spent, state = frontend.run(golden.noise(DEFAULT), "hops")
    assert instructions / MARGIN <= spent <= instructions * MARGIN
    assert frontend.flash_bytes() <= flash * MARGIN
    assert state <= 17_000, "the overlap, the history of the deltas and scratch included"


def test_a_band_of_pcen_costs_what_estimates_take(tmp_path: Path) -> None:
    """On a Cortex-M4, beside a logarithm; bits are compared, too."""
    config = dataclasses.replace(PCEN, hop=256)
    frontend = EmulatedFrontEnd(config, M4, tmp_path / "pcen")
    assert_same(frontend, clips(config))
    logarithm = dataclasses.replace(SPEECH, hop=256)
    plain = EmulatedFrontEnd(logarithm, M4, tmp_path / "log")
    spent = [each.run(golden.noise(config), "hops")[1] for each in (frontend, plain)]
    most = board_fit.PCEN_BAND["cortex-m4"] * config.n_mels * MARGIN
    assert 0 < spent[0] - spent[1] <= most


@pytest.mark.slow
@pytest.mark.parametrize("core", [core for core in COSTS if core != "Cortex-M4"])
def test_pcen_gives_the_models_bits_on_other_cores(core: str, tmp_path: Path) -> None:
    board, flags = COSTS[core][:2]
    frontend = EmulatedFrontEnd(PCEN, board, tmp_path, flags=flags)
    assert_same(frontend, clips(PCEN))


def test_cortex_m4_takes_at_most_105_900_instructions(tmp_path: Path) -> None:
    frontend = EmulatedFrontEnd(DEFAULT, M4, tmp_path)
    assert frontend.run(golden.noise(DEFAULT), "hops")[1] <= 105_900


def test_a_small_front_end_costs_little(tmp_path: Path) -> None:
    config = CONFIGS["speech"]
    frontend = EmulatedFrontEnd(config, M4, tmp_path)
    _, spent, state = frontend.run(golden.noise(config), "hops")
    assert spent <= 21_720 * MARGIN
    assert state <= 3_808
    assert frontend.flash_bytes() <= 5_460 * MARGIN
