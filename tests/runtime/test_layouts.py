"""Structures whose members assembly reads by their offsets: another order must not compile."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware.runtime import runtime_sources
from support.front_ends import DEFAULT
from support.native import FLAGS, write

pytestmark = pytest.mark.skipif(
    not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc"
)

M0, M4 = ("-mcpu=cortex-m0plus",), ("-mcpu=cortex-m4",)
M55 = ("-mcpu=cortex-m55", "-mfloat-abi=hard")
CASES = {
    "window pairs": (M4, "asc_conv.c", "asc_conv_dsp.h", "*weights;", "*channel;"),
    "sums of pairs": (M4, "asc_conv.c", "asc_conv_dsp.h", "int32_t *sums;", "int32_t distance;"),
    "pixels": (M4, "asc_upsampled_sum.c", "asc_upsampled_dsp.h", "*sums;", "*pixels;"),
    "sums of two": (M4, "asc_kernels.c", "asc_add_dsp.h", "int8_t *scaled;", "int8_t *output;"),
    "pools": (M4, "asc_pool.c", "asc_pool.c", "*above;", "*below;"),
    "rows of sums": (M4, "asc_upsampled_sum.c", "asc_upsampled_dsp.h", "*first;", "*output;"),
    "channels": (M4, "asc_conv.c", "asc_kernels.h", "int32_t bias;", "int32_t bits;"),
    "depthwise": (
        M4,
        "asc_depthwise.c",
        "asc_depthwise_dsp.h",
        "int32_t channel;",
        "int32_t step;",
    ),
    "fives": (M4, "asc_conv.c", "asc_pixels_dsp.h", "*channel;", "*end;"),
    "dense fours": (M4, "asc_dense.c", "asc_dense_dsp.h", "int32_t pair_bytes;", "*end;"),
    "filters": (M4, "asc_depthwise.c", "asc_depthwise_3x3_dsp.h", "int32_t left;", "int32_t step;"),
    "complex, M0+": (M0, "asc_spectrum.c", "asc_spectrum.h", "int32_t re;", "int32_t im;"),
    "complex, M4": (M4, "asc_spectrum.c", "asc_spectrum.h", "int32_t re;", "int32_t im;"),
    "turns": (M4, "asc_spectrum.c", "asc_frontend_tables.h", "int32_t cosine;", "int32_t sine;"),
    "mel": (
        M4,
        "asc_frontend.c",
        "asc_frontend_thumb2.h",
        "t *power;",
        "int32_t highest; /* the logarithm of a band of 2^63, Q20 */",
    ),
    "codes": (M4, "asc_frontend.c", "asc_frontend_thumb2.h", "int8_t *codes;", "size_t stride;"),
    "ramps, M0+": (M0, "asc_frontend.c", "asc_frontend_tables.h", "t start;", "t step;"),
    "first layers": (M55, "asc_spectrum_mve.c", "asc_spectrum_mve.c", "x4_t half;", "x4_t groups;"),
    "neighbors": (M55, "asc_spectrum_mve.c", "asc_spectrum_mve.c", "turns_down;", "numbers_down;"),
    "ramps": (M55, "asc_frontend_mve.c", "asc_frontend_tables.h", "t start;", "t step;"),
    "bands": (M55, "asc_frontend_mve.c", "asc_frontend.h", "past_t log_mel;", "past_t delta;"),
}
"""Core, file to compile, file of the structure, ends of the lines of two of its members."""


@pytest.mark.parametrize("name", CASES)
def test_members_that_change_places_do_not_compile(name: str, tmp_path: Path) -> None:
    core, source, header, *ends = CASES[name]
    write(frontend_code.generate(DEFAULT, "a test"), tmp_path)
    write(runtime_sources("fixed_point", "frontend", "nn"), tmp_path)
    flags = [*core, "-mthumb", *FLAGS, "-I", tmp_path, "-o", tmp_path / "out.o"]
    command = ["arm-none-eabi-gcc", *flags, "-c", tmp_path / source]
    subprocess.run(command, check=True)
    lines = (tmp_path / header).read_text(encoding="utf-8").splitlines()
    first, second = (next(i for i, line in enumerate(lines) if end in line) for end in ends)
    lines[first], lines[second] = lines[second], lines[first]
    write({header: "\n".join(lines)}, tmp_path)
    failed = subprocess.run(command, capture_output=True, text=True)
    assert failed.returncode != 0
    assert "is negative" in failed.stderr
