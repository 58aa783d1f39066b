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
from support.build_records import LINKED, OVERFLOWS, Build, Record
from support.commands import asc_tiny
from support.paths import MODEL, MODELS

NEEDED = "PLATFORMIO_CORE_DIR"
BOARDS = [name for name in TABLE.boards if TABLE.read(catalog.get(name)).framework == "stm32cube"]

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
    """Return the releases of PlatformIO, its platform and ST's HAL."""
    from platformio import __version__

    name = TABLE.read(catalog.get(board)).platform
    platform = json.loads((package("platforms", name) / "platform.json").read_text("utf-8"))
    family = catalog.get(board).tables["stm32cube"].get("family", "l4")
    drivers = package("packages", f"framework-stm32cube{family}") / "Drivers"
    (source,) = drivers.glob("*_HAL_Driver/Src/stm32??xx_hal.c")
    text = source.read_text(encoding="latin-1")
    numbers = re.findall(r"HAL_VERSION_(?:MAIN|SUB1|SUB2)\s+\(0x(\w\w)", text)
    hal = ".".join(str(int(each, 16)) for each in numbers)
    version = ".".join(__version__.split(".")[:2])
    return f"PlatformIO {version}, {name} {platform['version']}, STM32{family.upper()} HAL {hal}"


@cache
def compiler() -> str:
    program = package("packages", "toolchain-gccarmnoneeabi") / "bin/arm-none-eabi-gcc"
    command = [program, "-dumpfullversion"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(version.split('.')[:2])}"


def built(board: str, model: Path, folder: Path) -> tuple[Build, str]:
    """Generate and build a model for a board; return what became of it, and what was printed."""
    kind = ["--project", "platformio", "--board", board]
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
    assert over or done.returncode == 0, text[-8000:]
    memory = {region.lower(): target.memory[region.lower()].bytes + int(n) for region, n in over}
    if not over:
        (image,) = (folder / "project/.pio/build").glob("*/firmware.elf")
        memory = build_records.memory_use(image, target)
    build = Build(
        board=board,
        model=model.stem,
        release=release(board),
        compiler=compiler(),
        reached=OVERFLOWS if over else LINKED,
        memory=memory,
    )
    return build, text


@pytest.mark.parametrize("board", BOARDS)
def test_released_models_link_or_overflow_a_region(
    board: str, tmp_path: Path, record: Record
) -> None:
    release(board)
    for name in build_records.released():
        suffix = "toml" if name.startswith("ensemble") else "tflite"
        build, text = built(board, MODELS / f"{name}.{suffix}", tmp_path)
        # Whatever the frameworks' own files draw.
        assert not re.search(r"^(lib|src)/\S+: warning:", text, re.MULTILINE), text
        if name == MODEL.stem:
            assert build.reached == LINKED
        record("platformio", build)
