"""Builds Arduino sketches with arduino-builder and a core of our own, and runs them in QEMU."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from support.emulated import emulate_bytes, write_platform
from support.paths import DOUBLES

STAND_IN = DOUBLES / "arduino" / "hardware"
DEBIAN = Path("/usr/share/arduino-builder")
"""Where the package has the patterns of its tools."""

BOARD = "mps2-an386"


def require() -> None:
    """Skip the test where there is no arduino-builder; in CI there must be one."""
    missing = [name for name in ("arduino-builder", "arduino-ctags") if not shutil.which(name)]
    if missing:
        assert os.environ.get("CI") != "true", f"tools/setup.sh did not install {missing}"
        pytest.skip(f"{', '.join(missing)} not installed: run tools/setup.sh test")


class Sketch:
    """The example of a generated library, built.

    Args:
        library: folder that ``asc-tiny generate --project arduino`` wrote.
        folder: to build in.
        others: folders of libraries besides.
    """

    def __init__(self, library: Path, folder: Path, others: Sequence[Path] = ()) -> None:
        require()
        hardware, libraries, self.folder = (
            folder / name for name in ("hardware", "libraries", "build")
        )
        shutil.copytree(STAND_IN, hardware)
        # arduino-builder wants the variant's folder, git keeps no empty one.
        (hardware / "stand_in/mbed_nano/variants/none").mkdir(parents=True, exist_ok=True)
        core = hardware / "stand_in/mbed_nano/cores/arduino"
        write_platform(catalog.get(BOARD), core, stack_bytes=8192)
        for each in (library, *others):
            shutil.copytree(each, libraries / each.name)
        self.folder.mkdir()
        (sketch,) = library.glob("examples/*/*.ino")
        command: list[str | Path] = ["arduino-builder", "-compile", "-warnings", "all"]
        command += ["-hardware", DEBIAN, "-hardware", hardware, "-tools", "/usr/bin"]
        command += ["-libraries", libraries, "-fqbn", "stand_in:mbed_nano:nano33ble"]
        command += ["-build-path", self.folder, sketch]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        self.image = self.folder / f"{sketch.name}.elf"

    def play(self, pcm: np.ndarray, *, burst: int = 0, closed: int = 0) -> list[str]:
        """Play samples to the sketch's microphone and return the lines that it prints.

        Args:
            pcm: int16 samples.
            burst: samples that come before the sketch's first loop.
            closed: loops before a terminal is opened.
        """
        text = self.talk(pcm, b"", burst=burst, closed=closed).decode()
        return text.replace("\r\n", "\n").splitlines()

    def talk(self, pcm: np.ndarray, received: bytes, *, burst: int = 0, closed: int = 0) -> bytes:
        """Play samples, send bytes to the serial port and return those that come from it."""
        (self.folder / "microphone.pcm").write_bytes(pcm.astype("<i2").tobytes())
        (self.folder / "serial.bin").write_bytes(received)
        return emulate_bytes(catalog.get(BOARD), self.image, [str(burst), str(closed)])
