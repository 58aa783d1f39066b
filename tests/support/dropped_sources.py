"""Drop-in sources with the applications that their README shows, on an emulated Cortex-M."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from asc_tiny.audio.clips import read_pcm
from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import ARM, RISCV, Board
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
    for name in ("FreeRTOSConfig.h", "board.c", "board.h"):
        shutil.copy(DOUBLES / "sources" / name, folder)
    image, complaints = _linked(board, folder, example, *options, kernel=kernel, lost=lost)
    assert not complaints, complaints
    return emulate(board, image, []).splitlines()


def for_any_core(board: Board) -> Board:
    """Return a board with a compiler and start-up code of Debian's, where it has none of its own.

    Raises:
        KeyError: no compiler is here for its core.
    """
    if board.toolchain.compiler:
        return board
    toolchain = {"-mcpu": ARM, "-march": RISCV}[board.core_flags[0].split("=")[0]]
    # The start-up code of emulated boards wants a UART at some address; nothing of it runs.
    return replace(board, toolchain=toolchain, uart=0x40004000)


def linked(board: Board, folder: Path) -> tuple[Path, str]:
    """Link the sources with the bare-metal application of their README in a board's memory.

    Args:
        board: one of ``for_any_core``.
        folder: the sources; the application, start-up code and a board that any core runs are
            added. The image plays ``in.pcm`` beside it.

    Returns:
        The image, and what the linker complains of, empty if it made one.
    """
    bare_metal, _ = examples(next(folder.glob("*_README.md")))
    for name in ("board.h", "polled_board.c"):
        shutil.copy(DOUBLES / "sources" / name, folder)
    return _linked(board, folder, bare_metal, stack_bytes=8192)


def _linked(
    board: Board,
    folder: Path,
    example: str,
    *options: str,
    kernel: Sequence[Path] = (),
    lost: bool = False,
    stack_bytes: int = 4096,
) -> tuple[Path, str]:
    c_programs.put("harness.h", folder)
    platform = folder / "platform"
    write_platform(board, platform, stack_bytes=stack_bytes)
    (folder / "main.c").write_text(f"#define main application\n{example}")
    (folder / "in.pcm").write_bytes(played().astype("<i2").tobytes())
    command = [board.toolchain.compiler, *board.core_flags, *board.toolchain.compiler_flags]
    loss = [f"-DLOST_CHUNK={LOST_CHUNK}u"] if lost else []
    flags = [*FLAGS, "-ffunction-sections", "-fdata-sections", f"-I{platform}", *options, *loss]
    files = sorted([*folder.glob("*.c"), *platform.glob("*.c")])
    objects = compiled([*command, *flags], files)
    image = folder / IMAGE
    script = [*LINK, f"-T{platform / 'link.ld'}"] if board.memory else ["-Wl,--gc-sections"]
    link = [*command, *script, *objects, *kernel, "-o", image]
    done = subprocess.run(link, capture_output=True, text=True, check=False)
    return image, "" if done.returncode == 0 else done.stderr
