"""Drop-in sources linked in the memory of every board, with the bare-metal application they show.

The compilers are Debian's; start-up code is that of emulated boards, and a file is the microphone.
Emulated boards and this computer run the image.
"""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from support import build_records
from support.build_records import LINKED, OVERFLOWS, RAN, Build, Record, memory_use
from support.commands import asc_tiny
from support.dropped_sources import expected, for_any_core, linked
from support.emulated import emulate
from support.paths import MODEL, MODELS

BOARDS = list(catalog.BOARDS)
QUICK = ("rpi_pico", "virt-rv32")
"""One that is linked and one that runs, on the cores with the least."""

RATE = Fraction(44100)


def options(board: Board) -> str:
    """Return what ``generate`` needs for the microphone of a board."""
    microphone = board.microphone
    return "--resample" if microphone and microphone.rate_for(int(RATE)) is None else ""


def compiler(board: Board) -> str:
    command = [board.toolchain.compiler, "-dumpfullversion"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(text.split('.')[:2])}"


def printed(board: Board, image: Path) -> list[str]:
    if board.machine:
        return emulate(board, image, []).splitlines()
    done = subprocess.run([image], cwd=image.parent, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def build(name: str, model: Path, folder: Path) -> Build:
    """Generate and link; run the image where that is possible, which must give the scenes."""
    board = for_any_core(catalog.get(name))
    folder.mkdir()
    generate = ["generate", model, "--project", "sources", "--board", name, "--out", folder]
    assert asc_tiny(*generate, *options(board).split()) == 0
    image, complaints = linked(board, folder)
    over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", complaints)
    assert over or not complaints, complaints
    runs = catalog.get(name).toolchain.compiler and model == MODEL
    if runs:
        assert printed(board, image) == expected(lost=False)
    place = f"QEMU {board.machine}" if board.machine else "a Linux process"
    sizes = {
        region.lower(): board.memory[region.lower()].bytes + int(size) for region, size in over
    }
    return Build(
        board=name,
        model=model.stem,
        release="bare metal" if board.memory else "Linux",
        compiler=compiler(board),
        options=options(board),
        without=""
        if catalog.get(name).toolchain.compiler
        else "the chip's start-up code and drivers",
        reached=OVERFLOWS if over else RAN if runs else LINKED,
        emulator=place if runs else "",
        memory=sizes or (memory_use(image, board) if board.memory else {}),
    )


@pytest.mark.qemu
@pytest.mark.parametrize(
    "board",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.exhaustive) for n in BOARDS],
)
def test_the_example_links_in_the_memory_of_every_board(
    board: str, tmp_path: Path, record: Record
) -> None:
    record("sources", build(board, MODEL, tmp_path / "sources"))


@pytest.mark.slow
@pytest.mark.parametrize("board", BOARDS)
def test_other_released_models_link_or_overflow_a_region(
    board: str, tmp_path: Path, record: Record, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--record-builds", default=False):
        pytest.skip("their sizes are those of the other kinds: is for --record-builds")
    for name in sorted({*build_records.released()} - {MODEL.stem}):
        suffix = "toml" if name.startswith("ensemble") else "tflite"
        record("sources", build(board, MODELS / f"{name}.{suffix}", tmp_path / name))
