"""Projects of kind ``cmsis`` compiled with Arm's own headers, where they are (``CMSIS_6``).

``CMSIS_6`` is a checkout of Arm's CMSIS_6, ``STM32L4_DEVICE`` one of ST's cmsis-device-l4, for a
board whose layer and drivers come in packs, so that nothing is linked.

For Corstone-300 ``CMSIS_COMPILER`` is one of Arm's CMSIS-Compiler and ``TFM_PLATFORM`` the folder
``platform`` of Trusted Firmware-M, where Arm has start-up code and a driver of the UART for it.
That image runs in QEMU. The driver waits in Receive until all bytes have come, against what
CMSIS-Driver says, so that the serial protocol is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from support.build_records import COMPILED, LINKED, RAN, Build, Record, memory_use, released
from support.commands import asc_tiny
from support.paths import DOUBLES, MODEL, MODELS

BOARD, EMULATED = "disco_l475_iot1", "mps3-an547"
FOLDERS = ("Core", "Driver", "Driver/vStream")
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")
MOST_S = 120
"""Seconds for the first decision in QEMU."""

pytestmark = pytest.mark.slow


def places(*names: str) -> list[Path]:
    """Return the folders that variables name; skip the test where one is not set."""
    missing = [name for name in names if name not in os.environ]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    return [Path(os.environ[name]) for name in names]


def release(cmsis: Path) -> str:
    pack = (cmsis / "ARM.CMSIS.pdsc").read_text(encoding="utf-8")
    return f"CMSIS {re.findall(r'<release version=.([0-9a-z.-]+)', pack)[0]}"


def compiler_release() -> str:
    version = ["arm-none-eabi-gcc", "-dumpfullversion"]
    gcc = subprocess.run(version, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(gcc.split('.')[:2])}"


def test_every_file_compiles(tmp_path: Path, record: Record) -> None:
    cmsis, device = places("CMSIS_6", "STM32L4_DEVICE")
    out = tmp_path / "project"
    assert asc_tiny("generate", MODEL, "--project", "cmsis", "--board", BOARD, "--out", out) == 0
    system = [cmsis / "CMSIS" / folder / "Include" for folder in FOLDERS]
    # As the header of a board's layer says it: the device, and the UART of STDOUT.
    (tmp_path / "layer.h").write_text('#include "stm32l4xx.h"\n#define RETARGET_STDIO_UART 1\n')
    flags = ["-mcpu=cortex-m4", "-mthumb", "-O2", *WARNINGS, "-DSTM32L475xx"]
    flags += ['-DCMSIS_target_header="layer.h"', f"-I{out / 'asc'}"]
    flags += [f"-isystem{folder}" for folder in (*system, device / "Include", tmp_path)]
    sources = sorted(out.rglob("*.c"))
    assert out / "src" / "serial.c" in sources
    for source in sources:
        command = ["arm-none-eabi-gcc", *flags, "-c", source, "-o", tmp_path / f"{source.stem}.o"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    serial = ["arm-none-eabi-nm", tmp_path / "serial.o"]
    assert "Driver_USART1" in subprocess.run(serial, capture_output=True, text=True).stdout
    compiled = Build(
        board=BOARD,
        model=MODEL.stem,
        release=release(cmsis),
        compiler=compiler_release(),
        without="packs with drivers and start-up",
        reached=COMPILED,
    )
    record("cmsis", compiled)


class Corstone300:
    """What a board layer brings, from Arm's own sources, as objects in a folder."""

    def __init__(self, folder: Path) -> None:
        self.cmsis, stdio, platform = places("CMSIS_6", "CMSIS_COMPILER", "TFM_PLATFORM")
        self.board = catalog.get(EMULATED)
        chip = platform / "ext/target/arm/mps3/corstone300"
        uart = platform / "ext/target/arm/drivers/usart"
        layer = shutil.copytree(DOUBLES / "corstone300", folder / "layer")
        include = [layer, *(self.cmsis / "CMSIS" / name / "Include" for name in FOLDERS)]
        include += [chip / "common/device/include", chip / "an547/partition", platform / "include"]
        include += [uart / "cmsdk", uart / "common", stdio / "include", stdio / "include/gcc"]
        include += [stdio / "config"]
        self.command = ["arm-none-eabi-gcc", *self.board.core_flags, "-O2", "-ffunction-sections"]
        self.command += ["-fdata-sections", "-D_RTE_", '-DCMSIS_device_header="corstone300.h"']
        self.command += ['-DCMSIS_target_header="layer.h"', "-DCMSIS_VSTREAM_AUDIO_IN_MONO"]
        self.command += ["-DASC_PROTOCOL=0", "-DSTDOUT_UART_BUFFER_SIZE=64"]
        self.command += [f"-isystem{path}" for path in include]
        theirs = [chip / "common/device/source/startup_corstone300.c"]
        theirs += [chip / "common/device/source/system_core_init.c"]
        theirs += [chip / "common/cmsis_drivers/Driver_USART.c", uart / "cmsdk/uart_cmsdk_drv.c"]
        theirs += [stdio / "source/core/stdio_cmsis_uart.c"]
        theirs += [stdio / "source/core/gcc/retarget_syscalls.c", layer / "board.c"]
        self.objects = [self.compiled(each, folder, "-std=gnu11", "-w") for each in theirs]
        regions = "".join(
            f"{name.upper()} : ORIGIN = {region.origin:#x}, LENGTH = {region.bytes:#x}\n"
            for name, region in self.board.memory.items()
        )
        script = (layer / "memory.ld").read_text(encoding="utf-8")
        self.script = folder / "link.ld"
        self.script.write_text(f"MEMORY\n{{\n{regions}}}\n{script}")

    def compiled(self, source: Path, folder: Path, *options: str) -> Path:
        target = folder / f"{source.stem}.o"
        command = [*self.command, *options, "-c", source, "-o", target]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return target

    def linked(self, project: Path, folder: Path) -> Path:
        """Compile and link a project, its warnings errors; return the image."""
        include = f"-I{project / 'asc'}"
        sources = sorted(project.rglob("*.c"))
        assert project / "synthetic" / "vstream_audio_in.c" in sources
        ours = [self.compiled(each, folder, *WARNINGS, include) for each in sources]
        image = folder / "image.elf"
        link = [*self.command, *self.objects, *ours, "-o", image, f"-T{self.script}"]
        link += ["-Wl,--gc-sections", "--specs=nano.specs", "--specs=nosys.specs"]
        subprocess.run(link, check=True)
        return image


@pytest.fixture(scope="module")
def corstone300(tmp_path_factory: pytest.TempPathFactory) -> Corstone300:
    return Corstone300(tmp_path_factory.mktemp("corstone300"))


@pytest.mark.qemu
@pytest.mark.parametrize("name", released())
def test_corstone_300_runs_the_released_models(
    name: str, corstone300: Corstone300, tmp_path: Path, record: Record
) -> None:
    model = MODELS / f"{name}.{'toml' if name.startswith('ensemble') else 'tflite'}"
    project = tmp_path / "project"
    command = ["generate", model, "--project", "cmsis", "--board", EMULATED, "--out", project]
    assert asc_tiny(*command) == 0
    image = corstone300.linked(project, tmp_path)
    runs = model == MODEL
    if runs:
        lines = printed(image)
        assert lines[0] == "selftest 0\n" and lines[1].startswith("scene ")
    done = Build(
        board=EMULATED,
        model=name,
        release=release(corstone300.cmsis),
        compiler=compiler_release(),
        without="packs, with Trusted Firmware-M's start-up and UART, without serial protocol",
        reached=RAN if runs else LINKED,
        emulator=f"QEMU {EMULATED}" if runs else "",
        memory=memory_use(image, corstone300.board),
    )
    record("cmsis", done)


def printed(image: Path) -> list[str]:
    """Return the first two lines that an image prints."""
    command = ["qemu-system-arm", "-machine", EMULATED, "-nographic", "-icount", "shift=0"]
    with subprocess.Popen(
        ["timeout", str(MOST_S), *command, "-kernel", image],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
        process.terminate()
    return lines
