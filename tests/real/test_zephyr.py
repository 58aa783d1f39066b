"""Generated projects built by Zephyr itself, where it is installed (``ZEPHYR_BASE``).

Without west's workspace ``ZEPHYR_MODULES`` names the modules' folders, as in Zephyr's CMake, and
``ZEPHYR_TOOLCHAIN_VARIANT`` the compiler. What is printed is of an emulated Cortex-M3.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.commands import asc_tiny
from support.paths import MODEL

MOST_S = 120
"""Seconds for a build's slowest start and for the first decision on the emulated board."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("ZEPHYR_BASE" not in os.environ, reason="needs Zephyr: ZEPHYR_BASE"),
    pytest.mark.skipif(not shutil.which("dtc"), reason="needs dtc"),
]


def built(project: Path, target: str) -> Path:
    """Configure and build without west, whose manifest wants the network; return the image."""
    folder = project / "build"
    modules = os.environ.get("ZEPHYR_MODULES")
    configure = ["cmake", "-G", "Ninja", "-S", project, "-B", folder, f"-DBOARD={target}"]
    configure += [f"-DZEPHYR_MODULES={modules}"] if modules else []
    for command in (configure, ["cmake", "--build", folder]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        assert ": warning:" not in done.stdout + done.stderr
    return folder / "zephyr" / "zephyr.elf"


def generate(folder: Path, board: str, *options: str) -> Path:
    command = ["generate", MODEL, "--project", "zephyr", "--board", board, "--out", folder]
    assert asc_tiny(*command, *options) == 0
    return folder


@pytest.mark.qemu
def test_emulated_board_prints_its_self_test_and_scenes(tmp_path: Path) -> None:
    image = built(generate(tmp_path / "project", "mps2-an385"), "mps2/an385")
    command = ["qemu-system-arm", "-machine", "mps2-an385", "-nographic", "-icount", "shift=0"]
    with subprocess.Popen(
        ["timeout", str(MOST_S), *command, "-kernel", image],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    assert lines[0].startswith("*** Booting Zephyr")
    assert lines[1] == "selftest 0\n"
    assert lines[2].startswith("scene ")


@pytest.mark.parametrize(
    ("board", "target"),
    [
        ("nrf52833dk", "nrf52833dk/nrf52833"),
        ("nrf52840dk", "nrf52840dk/nrf52840"),
        ("nrf5340dk", "nrf5340dk/nrf5340/cpuapp"),
    ],
)
def test_links_with_the_driver_of_a_microphone(board: str, target: str, tmp_path: Path) -> None:
    image = built(generate(tmp_path / "project", board, "--resample"), target)
    symbols = subprocess.run(
        ["arm-none-eabi-nm", image], check=True, capture_output=True, text=True
    ).stdout
    assert "dmic_nrfx_pdm" in symbols or "dmic_ops" in symbols
