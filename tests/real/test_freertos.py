"""The application for FreeRTOS of drop-in sources, with FreeRTOS itself (``FREERTOS_KERNEL``).

``FREERTOS_KERNEL`` is a checkout of FreeRTOS-Kernel, 11.1 or later.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from support.build_records import RAN, Build, memory_use
from support.dropped_sources import BOARD, IMAGE, examples, expected, generate, heard
from support.objects import compiled
from support.paths import DOUBLES, MODEL

Record = Callable[[str, Build], None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.qemu,
    pytest.mark.skipif(
        "FREERTOS_KERNEL" not in os.environ, reason="needs FreeRTOS-Kernel: FREERTOS_KERNEL"
    ),
    pytest.mark.skipif(
        not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
        reason="needs arm-none-eabi-gcc and qemu-system-arm",
    ),
]


@pytest.mark.parametrize("lost", [False, True], ids=["whole", "with a gap"])
def test_example_gives_the_scenes(lost: bool, tmp_path: Path, record: Record) -> None:
    kernel = Path(os.environ["FREERTOS_KERNEL"])
    port = kernel / "portable" / "GCC" / "ARM_CM3"
    include = [f"-I{folder}" for folder in (kernel / "include", port, DOUBLES / "sources")]
    board = catalog.get(BOARD)
    command = [board.toolchain.compiler, *board.core_flags, "-O2", "-DFREERTOS", *include]
    files = [kernel / "tasks.c", kernel / "list.c", kernel / "queue.c", port / "port.c"]
    objects = compiled(command, files)
    sources = generate(tmp_path)
    _, freertos = examples(sources / "asc_README.md")
    # The kernel's headers are a system's: warnings in them are none of ours.
    options = [f"-isystem{folder}" for folder in (kernel / "include", port, DOUBLES / "sources")]
    lines = heard(sources, freertos, "-DFREERTOS", *options, kernel=objects, lost=lost)
    assert lines == expected(lost)
    version = re.search(
        r'tskKERNEL_VERSION_NUMBER +"V([0-9.]+)', (kernel / "include/task.h").read_text()
    )
    compiler = subprocess.run(
        [board.toolchain.compiler, "-dumpversion"], check=True, capture_output=True, text=True
    ).stdout
    assert version
    build = Build(
        board=BOARD,
        model=MODEL.stem,
        release=f"FreeRTOS-Kernel {version[1]}",
        compiler=f"GCC {'.'.join(compiler.split('.')[:2])}",
        reached=RAN,
        emulator=f"QEMU {board.machine}",
        memory=memory_use(tmp_path / IMAGE, board),
    )
    record("sources", build)
