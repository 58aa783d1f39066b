"""Drop-in sources with the applications that their README shows, on an emulated Cortex-M."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asc_tiny.audio.clips import read_pcm
from asc_tiny.boards import catalog
from support import c_programs
from support.commands import asc_tiny
from support.emulated import LINK, emulate, write_platform
from support.microphones import scenes
from support.native import FLAGS
from support.objects import compiled
from support.paths import CLIPS, DOUBLES, MODEL

BOARD = "mps2-an385"
CHUNK = 256
LOST_CHUNK = 100
IMAGE = "image.elf"


def generate(folder: Path, *options: object) -> Path:
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", folder, *options) == 0
    return folder


def examples(readme: Path) -> list[str]:
    """Return the programs that a README shows."""
    return re.findall(r"^```c\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)


def played() -> np.ndarray:
    """Return real clips, as many as show whether a gap was told of."""
    return np.concatenate([read_pcm(clip, 44100) for clip in CLIPS[:3]])


def expected(lost: bool) -> list[str]:
    """Return the decisions on these clips, the first one broken where a chunk is lost."""
    pcm = played()
    rest = pcm[(LOST_CHUNK + 1) * CHUNK :] if lost else pcm
    return [*scenes(rest[: len(rest) // 1024 * 1024]), "overruns 0"]


def heard(
    folder: Path, example: str, *options: str, kernel: Sequence[Path] = (), lost: bool = False
) -> list[str]:
    """Build the sources with an application of their README and run it; return what it prints.

    Args:
        folder: the sources; the application and its board are added.
        example: the application.
        options: of the compiler, besides.
        kernel: the operating system's objects.
        lost: whether the microphone loses a chunk.
    """
    board = catalog.get(BOARD)
    for path in (DOUBLES / "sources").iterdir():
        shutil.copy(path, folder)
    c_programs.put("harness.h", folder)
    platform = folder / "platform"
    write_platform(board, platform, stack_bytes=4096)
    (folder / "main.c").write_text(f"#define main application\n{example}")
    (folder / "in.pcm").write_bytes(played().astype("<i2").tobytes())
    command = [board.toolchain.compiler, *board.core_flags, *board.toolchain.compiler_flags]
    loss = [f"-DLOST_CHUNK={LOST_CHUNK}u"] if lost else []
    flags = [*FLAGS, "-ffunction-sections", "-fdata-sections", f"-I{platform}", *options, *loss]
    files = sorted([*folder.glob("*.c"), *platform.glob("*.c")])
    objects = compiled([*command, *flags], files)
    image = folder / IMAGE
    link = [*command, *LINK, f"-T{platform / 'link.ld'}", *objects, *kernel, "-o", image]
    subprocess.run(link, check=True)
    return emulate(board, image, []).splitlines()
