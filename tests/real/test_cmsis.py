"""Projects of kind ``cmsis`` compiled with Arm's own headers, where they are (``CMSIS_6``).

``CMSIS_6`` is a checkout of Arm's CMSIS_6, ``STM32L4_DEVICE`` one of ST's cmsis-device-l4. Board
layers and drivers come in packs, so that nothing is linked.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.build_records import COMPILED, Build, Record
from support.commands import asc_tiny
from support.paths import MODEL

NEEDED = ("CMSIS_6", "STM32L4_DEVICE")
BOARD = "disco_l475_iot1"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(name in os.environ for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
    ),
]


def test_every_file_compiles(tmp_path: Path, record: Record) -> None:
    cmsis, device = (Path(os.environ[name]) for name in NEEDED)
    out = tmp_path / "project"
    assert asc_tiny("generate", MODEL, "--project", "cmsis", "--board", BOARD, "--out", out) == 0
    folders = ("Core", "Driver", "Driver/vStream")
    system = [cmsis / "CMSIS" / folder / "Include" for folder in folders]
    # As the header of a board's layer says it: the device, and the UART of STDOUT.
    (tmp_path / "layer.h").write_text('#include "stm32l4xx.h"\n#define RETARGET_STDIO_UART 1\n')
    flags = ["-mcpu=cortex-m4", "-mthumb", "-O2", "-std=c99", "-Wall", "-Wextra", "-Wconversion"]
    flags += ["-Werror", "-DSTM32L475xx", '-DCMSIS_target_header="layer.h"', f"-I{out / 'asc'}"]
    flags += [f"-isystem{folder}" for folder in (*system, device / "Include", tmp_path)]
    sources = sorted(out.rglob("*.c"))
    assert out / "src" / "serial.c" in sources
    for source in sources:
        command = ["arm-none-eabi-gcc", *flags, "-c", source, "-o", tmp_path / f"{source.stem}.o"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    serial = ["arm-none-eabi-nm", tmp_path / "serial.o"]
    assert "Driver_USART1" in subprocess.run(serial, capture_output=True, text=True).stdout
    pack = (cmsis / "ARM.CMSIS.pdsc").read_text(encoding="utf-8")
    (release,) = re.findall(r'<release version="([\w.-]+)"', pack)[:1]
    version = ["arm-none-eabi-gcc", "-dumpfullversion"]
    gcc = subprocess.run(version, check=True, capture_output=True, text=True).stdout
    compiled = Build(
        board=BOARD,
        model=MODEL.stem,
        release=f"CMSIS {release}",
        compiler=f"GCC {'.'.join(gcc.split('.')[:2])}",
        without="packs with drivers and start-up",
        reached=COMPILED,
    )
    record("cmsis", compiled)
