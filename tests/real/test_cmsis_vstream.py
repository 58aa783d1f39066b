"""Projects of kind ``cmsis`` with Arm's own audio driver, on a core that hears a clip.

The project reads its microphone by ``Driver_vStreamAudioIn``. Arm has one for the Virtual Streaming
Interface of its Fixed Virtual Platforms: ``AVH_INTERFACE`` is the folder ``interface`` of a
checkout of ARM-software/AVH, ``CMSIS_6`` one of Arm's CMSIS_6. These platforms cannot be had here;
the image runs on a Cortex-M4 that Unicorn emulates, with the interface by ``support.vsi``, if there
is the package unicorn. Unicorn has no Cortex-M55.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from support.commands import asc_tiny
from support.microphones import played, scenes
from support.paths import DOUBLES, MODEL
from support.vsi import Chip

NEEDED = ("AVH_INTERFACE", "CMSIS_6")
BOARD = """
title = "Corstone-300's streaming interface at a Cortex-M4"
core = "Cortex-M4"
core_flags = ["-mcpu=cortex-m4", "-mthumb"]
clock_hz = 32_000_000

[microphone]
kind = "i2s"
part = "a microphone behind the interface"
rates = [44100]
source = "none"

[memory]
flash = { origin = 0x00000000, bytes = 0x80000 }
ram = { origin = 0x20000000, bytes = 0x40000 }

[cmsis]
target = "VSI"
board = "ARM::V2M-MPS3-SSE-300-FVP"
device = "ARM::SSE-300-MPS3"
packs = ["ARM::V2M_MPS3_SSE_300_BSP"]
has_audio = true
"""
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(
        not all(name in os.environ for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
    ),
    pytest.mark.skipif(not importlib.util.find_spec("unicorn"), reason="needs unicorn"),
]


def linked(folder: Path, channels: int) -> Path:
    """Generate a project, and link it with Arm's driver for one or two channels."""
    interface, cmsis = (Path(os.environ[name]) for name in NEEDED)
    (folder / "board.toml").write_text(BOARD)
    project, layer = folder / "project", DOUBLES / "vsi"
    command = ["generate", MODEL, "--project", "cmsis", "--board", folder / "board.toml"]
    assert asc_tiny(*command, "--out", project) == 0
    vstream = interface / "vstream"
    system = [layer, vstream / "source", vstream / "config", interface / "include"]
    system += [cmsis / "CMSIS" / name / "Include" for name in ("Core", "Driver", "Driver/vStream")]
    flags = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-O2", "-ffunction-sections"]
    flags += [*(f"-isystem{path}" for path in system), f"-I{project / 'asc'}", "-D_RTE_"]
    flags += ['-DCMSIS_device_header="device.h"', '-DCMSIS_target_header="device.h"']
    flags += [f"-DAUDIO_IN_CHANNELS={channels}", "-DAUDIO_IN_SAMPLE_RATE=44100"]
    flags += ["-DCMSIS_VSTREAM_AUDIO_IN_MONO"] if channels == 1 else []
    driver = vstream / "source" / "vstream_audio_in.c"
    sources = dict.fromkeys(sorted(project.rglob("*.c")), STRICT)
    sources |= {layer / "board.c": STRICT, driver: ("-std=gnu11", "-w")}
    objects = []
    for source, options in sources.items():
        objects.append(folder / f"{source.stem}.o")
        subprocess.run([*flags, *options, "-c", source, "-o", objects[-1]], check=True)
    script = (DOUBLES / "corstone300" / "memory.ld").read_text(encoding="utf-8")
    regions = "FLASH : ORIGIN = 0, LENGTH = 512K\nRAM : ORIGIN = 0x20000000, LENGTH = 256K\n"
    (folder / "link.ld").write_text(f"MEMORY\n{{\n{regions}}}\n{script}")
    image = folder / "image.elf"
    link = [*flags, *objects, "-o", image, f"-T{folder / 'link.ld'}", "-nostartfiles"]
    link += ["-Wl,--gc-sections", "--specs=nano.specs", "--specs=nosys.specs"]
    subprocess.run(link, check=True)
    return image


@pytest.mark.parametrize("channels", [1, 2])
def test_hears_what_the_interface_gives(channels: int, tmp_path: Path) -> None:
    chip = Chip(linked(tmp_path, channels))
    pcm = np.concatenate([played(), np.zeros(1000, np.int16)])  # two whole decisions
    chip.play(pcm)
    assert chip.rate() == 44100
    assert chip.lines() == ["selftest 0", *scenes(pcm)]
