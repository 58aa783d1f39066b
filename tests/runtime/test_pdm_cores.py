"""The decimator of PDM microphones on emulated cores: the model's bits, and what it costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware import pdm as pdm_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.pdm import fixed
from asc_tiny.pdm.design import Decimator
from support import c_programs, compilers
from support.emulated import EmulatedImage, flash_bytes
from support.native import write
from support.pdm import packed

pytestmark = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="needs arm-none-eabi-gcc and qemu-system-arm",
)

MARGIN = compilers.margin()

# Board, flags, order of bits (firmware.pdm), instructions per sample of 64 and of 192 bits, bytes
# of code and tables.
CORES = {
    "Cortex-M0+": ("mps2-an385", ("-mcpu=cortex-m0plus", "-mthumb"), 0, 1617, 2297, 2216),
    "Cortex-M4": ("netduinoplus2", ("-mcpu=cortex-m4", "-mthumb"), 2, 1029, 1424, 2072),
    "Cortex-M33": ("mps3-an547", ("-mcpu=cortex-m33", "-mthumb"), 0, 1021, 1367, 2084),
}
STATE_BYTES = 1088


@pytest.mark.qemu
@pytest.mark.parametrize("core", list(CORES))
def test_cores_give_the_models_bits_at_their_costs(core: str, tmp_path: Path) -> None:
    board, flags, msb_first, *costs, flash = CORES[core]
    for bits, cost in zip((64, 192), costs, strict=True):
        decimator = Decimator(bits)
        folder = tmp_path / str(bits)
        tables = pdm_code.generate(decimator, "a test", msb_first=msb_first)
        write({**tables, **runtime_sources("pdm")}, folder)
        c_programs.put("pdm_main.c", folder)
        image = EmulatedImage(folder, board, flags=flags)
        generator = np.random.default_rng(bits)
        stream = (generator.random(1000 * bits) < 0.6).astype(np.uint8)
        (folder / "in.pdm").write_bytes(packed(stream, msb_first).tobytes())
        spent, written, state = map(int, image.execute("in.pdm", "out.pcm").split())
        out = np.frombuffer((folder / "out.pcm").read_bytes(), "<i2")
        assert np.array_equal(out, fixed.decimate(stream, decimator))
        assert cost / MARGIN <= spent / written <= cost * MARGIN
        assert flash_bytes(image, "asc_pdm.c", "asc_pdm_tables.c") <= flash * MARGIN
        assert state <= STATE_BYTES
