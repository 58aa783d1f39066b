"""Generated projects built by PlatformIO itself, ``pio run``, where it has their platforms.

``PLATFORMIO_CORE_DIR`` is PlatformIO's own variable: the folder in which it keeps platforms and
packages. A project whose platform is not installed there is skipped; nothing is downloaded.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.platformio import TABLE
from support import build_records
from support.build_records import COMPILED, LINKED, OVERFLOWS, Build, Record
from support.commands import asc_tiny
from support.paths import MODEL, MODELS

NEEDED = "PLATFORMIO_CORE_DIR"

pytestmark = [
    pytest.mark.timeout(0),
    pytest.mark.slow,
    pytest.mark.skipif(
        NEEDED not in os.environ or importlib.util.find_spec("platformio") is None,
        reason=f"needs PlatformIO and {NEEDED}",
    ),
]


def package(kind: str, name: str) -> Path:
    """Return the folder of a platform or package; skip the test where it is not installed."""
    folder = Path(os.environ[NEEDED]) / kind / name
    if not folder.is_dir():
        pytest.skip(f"{NEEDED} has no {kind}/{name}")
    return folder


@cache
def release(board: str) -> str:
    """Return the releases of PlatformIO, its platform, and ST's HAL or Arduino's core."""
    from platformio import __version__

    told = TABLE.read(catalog.get(board))
    platform = json.loads(
        (package("platforms", told.platform) / "platform.json").read_text("utf-8")
    )
    frameworks = hal(board) if told.framework == "stm32cube" else mbed_core()
    version = ".".join(__version__.split(".")[:2])
    return f"PlatformIO {version}, {told.platform} {platform['version']}, {frameworks}"


def mbed_core() -> str:
    text = (package("packages", "framework-arduino-mbed") / "platform.txt").read_text("utf-8")
    (version,) = re.findall(r"^version=(\S+)", text, re.MULTILINE)
    return f"ArduinoCore-mbed {version}"


def hal(board: str) -> str:
    family = catalog.get(board).tables["stm32cube"].get("family", "l4")
    drivers = package("packages", f"framework-stm32cube{family}") / "Drivers"
    (source,) = drivers.glob("*_HAL_Driver/Src/stm32??xx_hal.c")
    text = source.read_text(encoding="latin-1")
    numbers = re.findall(r"HAL_VERSION_(?:MAIN|SUB1|SUB2)\s+\(0x(\w\w)", text)
    return f"STM32{family.upper()} HAL {'.'.join(str(int(each, 16)) for each in numbers)}"


@cache
def compiler() -> str:
    program = package("packages", "toolchain-gccarmnoneeabi") / "bin/arm-none-eabi-gcc"
    command = [program, "-dumpfullversion"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(version.split('.')[:2])}"


def built(board: str, model: Path, folder: Path) -> tuple[Build, str]:
    """Generate and build a model for a board; return what became of it, and what was printed."""
    is_arduino = TABLE.read(catalog.get(board)).framework == "arduino"
    resample = ["--resample"] if is_arduino else []
    kind = ["--project", "platformio", "--board", board, *resample]
    assert asc_tiny("generate", model, *kind, "--out", folder / "project") == 0
    environment = {
        **os.environ,
        "PLATFORMIO_BUILD_CACHE_DIR": str(folder / "cache"),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "9999",
    }
    command = [sys.executable, "-m", "platformio", "--no-ansi", "run", "-d", folder / "project"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    target = catalog.get(board)
    over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", text)
    # Too large to be had, in the checkout of the core that we have.
    lacks_mbed = "cannot find -lmbed: " in text
    assert over or lacks_mbed or done.returncode == 0, text[-8000:]
    memory = {region.lower(): target.memory[region.lower()].bytes + int(n) for region, n in over}
    if not (over or lacks_mbed):
        (image,) = (folder / "project/.pio/build").glob("*/firmware.elf")
        memory = build_records.memory_use(image, target)
    build = Build(
        board=board,
        model=model.stem,
        release=release(board),
        compiler=compiler(),
        reached=OVERFLOWS if over else COMPILED if lacks_mbed else LINKED,
        without="libmbed.a" if lacks_mbed else "",
        options=" ".join(resample),
        memory=memory,
    )
    return build, text


@pytest.mark.parametrize("board", TABLE.boards)
def test_released_models_link_or_overflow_a_region(
    board: str, tmp_path: Path, record: Record
) -> None:
    release(board)
    for name in sorted(build_records.released(), key=lambda name: name != MODEL.stem):
        suffix = "toml" if name.startswith("ensemble") else "tflite"
        build, text = built(board, MODELS / f"{name}.{suffix}", tmp_path)
        # Whatever the frameworks' own files draw.
        assert not re.search(r"^(lib|src)/\S+: warning:", text, re.MULTILINE), text
        if name == MODEL.stem:
            assert build.reached == (COMPILED if build.without else LINKED)
        record("platformio", build)
        if build.without:
            # Another model would lack it as well.
            break
