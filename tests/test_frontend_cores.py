"""The front end on emulated cores: the same bits on every path, and what a hop costs."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import compilers
import numpy as np
import pytest
from emulated import EmulatedFrontEnd
from test_frontend_fixed import CLIPS, CONFIGS, DEFAULT

from asc_tiny.audio.clips import read_pcm
from asc_tiny.boards.catalog import ARM, RISCV
from asc_tiny.frontend import fixed, golden

PROGRAMS = (ARM.compiler, ARM.emulator, RISCV.compiler, RISCV.emulator)
needs_tools = pytest.mark.skipif(
    not all(shutil.which(program) for program in PROGRAMS),
    reason=f"needs {', '.join(PROGRAMS)}",
)
pytestmark = needs_tools

M4 = "mps2-an386"
RV32 = "virt-rv32"
CORTEX_M0PLUS = ("-mcpu=cortex-m0plus", "-mthumb")
LENGTHS = {
    f"n_fft {n_fft}": dataclasses.replace(
        DEFAULT, n_fft=n_fft, hop=n_fft // 2 - 5 * (n_fft == 512), n_mels=n_mels
    )
    for n_fft, n_mels in ((256, 16), (512, 40), (1024, 64), (4096, 200))
}


def clips(config) -> list[np.ndarray]:
    """Clips at the limits of the arithmetic, and what a quiet room sounds like."""
    generator = np.random.default_rng(5)
    limits = np.iinfo(config.sample_type)
    quiet = generator.normal(0.0, 3.0, config.clip_samples).astype(config.sample_type)
    signs = generator.integers(0, 2, config.clip_samples)
    binary = np.where(signs, limits.max, limits.min).astype(config.sample_type)
    return [*golden.clips(config).values(), quiet, binary]


def assert_same(frontend: EmulatedFrontEnd, pcm: list[np.ndarray]) -> None:
    codes, _, _ = frontend.run(np.concatenate(pcm))
    for index, clip in enumerate(pcm):
        expected = fixed.features(clip, frontend.config)
        assert np.array_equal(codes[index], expected), f"clip {index}"


@pytest.mark.parametrize("name", [*CONFIGS, *LENGTHS])
def test_cortex_m4_gives_the_models_bits(name: str, tmp_path: Path) -> None:
    config = {**CONFIGS, **LENGTHS}[name]
    assert_same(EmulatedFrontEnd(config, M4, tmp_path), clips(config))


@pytest.mark.parametrize("name", ["default", "24 bits, normalised speech"])
@pytest.mark.parametrize("board", ["mps2-an385", "mps2-an505", "mps3-an547", RV32])
def test_other_cores_give_the_models_bits(board: str, name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    assert_same(EmulatedFrontEnd(config, board, tmp_path), clips(config))


@pytest.mark.parametrize("name", ["default", "speech", "largest", "24 bits, normalised speech"])
def test_code_for_cortex_m0plus_gives_the_models_bits(name: str, tmp_path: Path) -> None:
    """A Cortex-M3 runs what is compiled for the smaller core."""
    config = CONFIGS[name]
    assert_same(
        EmulatedFrontEnd(config, "mps2-an385", tmp_path, flags=CORTEX_M0PLUS), clips(config)
    )


@pytest.mark.parametrize("core", ["Cortex-M4", "Cortex-M3", "Cortex-M0+", "RISC-V"])
@pytest.mark.parametrize("optimisation", ["-O0", "-Os", "-O3"])
def test_no_optimization_changes_the_bits(core: str, optimization: str, tmp_path: Path) -> None:
    board, flags = COSTS[core][:2]
    frontend = EmulatedFrontEnd(DEFAULT, board, tmp_path, flags=flags, optimization=optimization)
    assert_same(frontend, [read_pcm(CLIPS[0], 44100), golden.clips(DEFAULT)["square"]])


# Instructions of a hop, costliest of full-scale noise, and bytes of code and constants.
COSTS = {
    "Cortex-M4": (M4, (), 119_080, 11_760),
    "Cortex-M33": ("mps2-an505", (), 118_950, 11_760),
    "Cortex-M55": ("mps3-an547", (), 59_280, 12_640),
    "Cortex-M3": ("mps2-an385", (), 152_400, 12_240),
    "Cortex-M0+": ("mps2-an385", CORTEX_M0PLUS, 693_480, 13_300),
    "RISC-V": (RV32, (), 348_340, 12_630),
}
MARGIN = compilers.margin()


@pytest.mark.parametrize("core", list(COSTS))
def test_costs_do_not_grow(core: str, tmp_path: Path) -> None:
    board, flags, instructions, flash = COSTS[core]
    frontend = EmulatedFrontEnd(DEFAULT, board, tmp_path, flags=flags)
    _, spent, state = frontend.run(golden.noise(DEFAULT), "hops")
    assert instructions / MARGIN <= spent <= instructions * MARGIN
    assert frontend.flash_bytes() <= flash * MARGIN
    assert state <= 17_000, "the overlap, the history of the deltas and scratch included"


def test_cortex_m4_takes_at_most_120_000_instructions(tmp_path: Path) -> None:
    frontend = EmulatedFrontEnd(DEFAULT, M4, tmp_path)
    assert frontend.run(golden.noise(DEFAULT), "hops")[1] <= 120_000


def test_a_small_front_end_costs_little(tmp_path: Path) -> None:
    config = CONFIGS["speech"]
    frontend = EmulatedFrontEnd(config, M4, tmp_path)
    _, spent, state = frontend.run(golden.noise(config), "hops")
    assert spent <= 24_080 * MARGIN
    assert state <= 3_808
    assert frontend.flash_bytes() <= 4_700 * MARGIN
