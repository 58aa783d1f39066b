"""The PDM library of Arduino's core for the Nano 33 BLE Sense, on an nRF52840 that hears a clip.

The library generated, its example, the core and the PDM library are those that Arduino's builder
compiles (``ARDUINO_HARDWARE`` as in ``test_arduino.py``), laid out by the core's linker script.
What lies below them, the core's libmbed.a, is too large for the checkout that we have: pins, start
and serial port are ours (``doubles/nano33``). The image runs on a core that Unicorn emulates, among
registers of ours (``support.nrf52840``), if there is the package unicorn.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from support.arduino_cores import NEEDED, built, core_of
from support.build_records import COMPILED, LINKED
from support.microphones import played, scenes
from support.nrf52840.chip import Chip
from support.paths import DOUBLES, MODEL

BOARD = "nano33ble_sense"
RATE = Fraction(125_000, 3)
VECTORS = 0x10000
"""Behind the bootloader."""

POWER, CLOCK, DATA = 17, 26, 25
"""Pins of the microphone on the board: P0.17, P0.26 and P0.25 of its schematic."""

QUIET = 768
"""Samples of nothing that the library gives before the microphone's first: it begins without a
buffer, and reads each of its two as they are filled anew."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(NEEDED not in os.environ, reason=f"needs {NEEDED}"),
    pytest.mark.skipif(not importlib.util.find_spec("unicorn"), reason="needs unicorn"),
]


def linked(folder: Path) -> Path:
    """Have Arduino's builder compile all, and link that with what stands for libmbed.a."""
    core = core_of(BOARD)
    assert built(BOARD, MODEL, folder).reached in (COMPILED, LINKED)
    variant, build, below = (
        core / "variants/ARDUINO_NANO33BLE",
        folder / "build",
        folder / "below.o",
    )
    cores = core / "cores/arduino"
    # As the core's platform.txt has it.
    flags = ["arm-none-eabi-g++", "-c", "-w", f"@{variant / 'defines.txt'}"]
    flags += [f"@{variant / 'cxxflags.txt'}", "-DARDUINO=10819"]
    flags += [f"-DARDUINO_{name}" for name in ("ARDUINO_NANO33BLE", "ARCH_NRF52840", "ARCH_MBED")]
    flags += ["-DARDUINO_ARCH_MBED_NANO"]
    flags += [f"-I{path}" for path in (cores, variant, cores / "api/deprecated")]
    flags += [f"-I{cores / 'api/deprecated-avr-comp'}", f"-iprefix{cores}/"]
    flags += [f"@{variant / 'includes.txt'}"]
    subprocess.run([*flags, DOUBLES / "nano33/below_the_core.cpp", "-o", below], check=True)
    objects = [below, build / "core/variant.cpp.o"]
    objects += [*build.glob("sketch/*.o"), *build.glob("libraries/**/*.o"), build / "core/core.a"]
    image = folder / "image.elf"
    link = ["arm-none-eabi-g++", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp"]
    link += ["-mfpu=fpv4-sp-d16", "-Wl,--gc-sections", "-nostartfiles", "--specs=nano.specs"]
    link += ["--specs=nosys.specs", f"-T{variant / 'linker_script.ld'}"]
    subprocess.run([*link, *objects, "-o", image], check=True)
    return image


def test_hears_what_the_interface_gives(tmp_path: Path) -> None:
    chip = Chip(linked(tmp_path), VECTORS)
    pcm = played()
    chip.play(pcm)
    assert chip.pdm.rate() == RATE
    assert chip.pdm.pins() == (CLOCK, DATA)
    assert chip.level(POWER)
    heard = np.concatenate([np.zeros(QUIET, np.int16), pcm])
    assert chip.lines() == ["selftest 0", *scenes(heard, RATE)]
