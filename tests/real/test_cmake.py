"""Projects of kind ``cmake`` on emulated boards and this computer, for the table of builds.

``tests/targets`` builds and runs them in every run; this adds all released models on all boards.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from asc_tiny import api
from asc_tiny.boards import catalog
from support import build_records
from support.build_records import LINKED, RAN, Build, Record
from support.commands import asc_tiny
from support.paths import MODEL, MODELS

BOARDS = [name for name, board in catalog.BOARDS.items() if board.toolchain.platform]

pytestmark = [pytest.mark.slow, pytest.mark.qemu]


def version(program: str) -> str:
    """Return the release of a program, the first word of its first line that begins so."""
    done = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    number = next(word for word in done.stdout.split() if word[0].isdigit() and "." in word)
    return ".".join(number.split(".")[:2])


@pytest.mark.parametrize("board", BOARDS)
def test_released_models_link(
    board: str, tmp_path: Path, record: Record, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--record-builds", default=False):
        pytest.skip("tests/targets has most of it: is for --record-builds")
    for name in build_records.released():
        model = MODELS / f"{name}.{'toml' if name.startswith('ensemble') else 'tflite'}"
        folder = tmp_path / name
        assert asc_tiny("generate", model, "--board", board, "--out", folder) == 0
        assert asc_tiny("build", folder) == 0
        runs = model == MODEL
        assert not runs or asc_tiny("verify", folder) == 0
        target = catalog.BOARDS[board]
        image = api.load_project(folder).image
        memory = build_records.memory_use(image, target) if target.memory else {}
        done = Build(
            board=board,
            model=name,
            release=f"CMake {version('cmake')}",
            compiler=f"GCC {version(target.toolchain.compiler)}",
            reached=RAN if runs else LINKED,
            emulator=_place(target) if runs else "",
            memory=memory,
        )
        record("cmake", done)


def _place(board: catalog.Board) -> str:
    """Return where a board's image runs."""
    return f"QEMU {board.machine}" if board.machine else "a Linux process"
