"""The application for STM32L4 boards against ST's own HAL, where it is (``STM32L4_HAL``).

``STM32L4_HAL`` is a checkout of ST's stm32l4xx-hal-driver, ``STM32L4_DEVICE`` of its
cmsis-device-l4, ``CMSIS_CORE`` the folder of CMSIS's core_cm4.h.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.commands import asc_tiny
from support.paths import MODEL

NEEDED = ("STM32L4_HAL", "STM32L4_DEVICE", "CMSIS_CORE")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(name in os.environ for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
    ),
]


@pytest.mark.parametrize(
    ("board", "chip"), [("disco_l475_iot1", "STM32L475xx"), ("stm32l496g_disco", "STM32L496xx")]
)
def test_compiles_against_the_hal(board: str, chip: str, tmp_path: Path) -> None:
    hal, device, core = (Path(os.environ[name]) for name in NEEDED)
    out = tmp_path / "project"
    options = ["--project", "platformio", "--board", board, "--out", out]
    assert asc_tiny("generate", MODEL, *options) == 0
    template = hal / "Inc" / "stm32l4xx_hal_conf_template.h"
    (tmp_path / "stm32l4xx_hal_conf.h").write_text(template.read_text(encoding="utf-8"))
    (library,) = (out / "lib").glob("*/src")
    flags = ["-mcpu=cortex-m4", "-mthumb", "-O2", "-std=c99", "-Wall", "-Wextra", "-Werror"]
    flags += [f"-I{folder}" for folder in (library, out / "src", tmp_path)]
    flags += [f"-isystem{folder}" for folder in (hal / "Inc", device / "Include", core)]
    for source in sorted((out / "src").glob("*.c")):
        command = ["arm-none-eabi-gcc", *flags, f"-D{chip}", "-fsyntax-only", source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
