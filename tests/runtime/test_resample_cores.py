"""The resampler on emulated cores: the model's bits, and what a sample costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware import resample as resample_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.resample import fixed
from asc_tiny.resample.design import Resampler, design
from support import c_programs, compilers
from support.emulated import EmulatedImage, flash_bytes
from support.native import CORES as COMPILERS
from support.native import compile_for, write
from support.resampling import RATES, rounded, worst_case

pytestmark = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="needs arm-none-eabi-gcc and qemu-system-arm",
)

CORTEX_M0PLUS = ("-mcpu=cortex-m0plus", "-mthumb")
CORES = {
    "Cortex-M4": ("mps2-an386", ()),
    "Cortex-M55": ("mps3-an547", ()),
    "Cortex-M3": ("mps2-an385", ()),
    "Cortex-M0+": ("mps2-an385", CORTEX_M0PLUS),
}
MARGIN = compilers.margin()


def sources(resampler: Resampler, folder: Path) -> None:
    write(resample_code.generate(resampler, "a test"), folder)
    write(runtime_sources("fixed_point", "resample"), folder)


def build(resampler: Resampler, core: str, folder: Path) -> EmulatedImage:
    board, flags = CORES[core]
    sources(resampler, folder)
    c_programs.put("resample_main.c", folder)
    return EmulatedImage(folder, board, flags=flags)


def run(image: EmulatedImage, pcm: np.ndarray, mode: str) -> tuple[np.ndarray, float, int]:
    """Return the output, instructions per sample of it, and bytes of the state."""
    (image.folder / "in.pcm").write_bytes(pcm.astype("<i2").tobytes())
    spent, written, state = map(int, image.execute("in.pcm", "out.pcm", mode).split())
    out = np.frombuffer((image.folder / "out.pcm").read_bytes(), "<i2")
    assert len(out) == written
    return out, spent / written, state


def noise(count: int) -> np.ndarray:
    return rounded(np.random.default_rng(1).normal(0.0, 12000.0, count))


@pytest.mark.qemu
@pytest.mark.parametrize("core", list(CORES))
def test_cores_give_the_models_bits(core: str, tmp_path: Path) -> None:
    resampler = design(*RATES["41667 to 44100"])
    pcm = np.concatenate([noise(10_000), worst_case(resampler)])
    out, _, _ = run(build(resampler, core, tmp_path), pcm, "chunks")
    assert np.array_equal(out, fixed.resample(pcm, resampler))


# Instructions per output sample on Cortex-M4, bytes of code and table, bytes of state.
COSTS = {
    "41667 to 44100": (174, 4_060, 244),
    "48000 to 44100": (196, 8_484, 260),
    "48000 to 16000": (482, 956, 460),
    "20000 to 16000": (226, 1_412, 276),
}


@pytest.mark.qemu
@pytest.mark.parametrize("name", list(COSTS))
def test_costs_do_not_grow(name: str, tmp_path: Path) -> None:
    instructions, flash, state = COSTS[name]
    resampler = design(*RATES[name])
    image = build(resampler, "Cortex-M4", tmp_path)
    _, spent, state_bytes = run(image, noise(40 * 1024), "blocks")
    assert instructions / MARGIN <= spent <= instructions * MARGIN
    assert flash_bytes(image, "asc_resample.c", "asc_resample_tables.c") <= flash * MARGIN
    assert state_bytes <= state


@pytest.mark.parametrize("core", COMPILERS)
def test_compiles_for_arm(core: str, tmp_path: Path) -> None:
    sources(design(*RATES["20000 to 16000"]), tmp_path)
    compile_for(core, tmp_path)
