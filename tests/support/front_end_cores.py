"""What a hop of the front end costs on each core, and the clips that cores are compared by."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from asc_tiny.boards.catalog import ARM, RISCV
from asc_tiny.frontend import fixed, golden
from support.emulated import EmulatedFrontEnd
from support.front_ends import DEFAULT, SPEECH

PROGRAMS = (ARM.compiler, ARM.emulator, RISCV.compiler, RISCV.emulator)

needs_tools = pytest.mark.skipif(
    not all(shutil.which(program) for program in PROGRAMS),
    reason=f"needs {', '.join(PROGRAMS)}",
)

M4 = "mps2-an386"
RV32 = "virt-rv32"
CORTEX_M0PLUS = ("-mcpu=cortex-m0plus", "-mthumb")


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


# Instructions of a hop, costliest of full-scale noise, and bytes of code and constants.
COSTS = {
    "Cortex-M4": (M4, (), 105_600, 12_760),
    "Cortex-M33": ("mps2-an505", (), 105_600, 12_780),
    "Cortex-M55": ("mps3-an547", (), 59_410, 12_690),
    "Cortex-M3": ("mps2-an385", (), 147_640, 13_310),
    "Cortex-M0+": ("mps2-an385", CORTEX_M0PLUS, 511_400, 13_150),
    "RISC-V": (RV32, (), 335_690, 12_870),
}

OPTIONS = {
    "16 kHz, 512 points, 40 bands": SPEECH,
    "the same, windows of 400": dataclasses.replace(SPEECH, win_length=400),
    "the same, PCEN": dataclasses.replace(SPEECH, win_length=400, compression="pcen"),
    "default, PCEN": dataclasses.replace(DEFAULT, compression="pcen").quantized(0.02, -100),
}
"""Front ends whose costs docs/reference/front_end_costs.md has beside those of the default."""
