"""``--project arduino``: a library for Arduino with an example that listens."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.codegen.projects import listening
from asc_tiny.codegen.projects.kind import BoardLike, Files, Kind, Request, check_board, render


@dataclass(frozen=True)
class _Board:
    """What Arduino calls a board: its title, architectures and the core to install."""

    title: str
    architectures: str
    core: str


BOARDS = {
    "nano33ble_sense": _Board(
        "Arduino Nano 33 BLE Sense",
        "mbed_nano",
        "*Arduino Mbed OS Nano Boards* (`arduino:mbed_nano`)",
    ),
}


def _check(board: BoardLike, runtime: str) -> None:
    """Serve boards whose microphone an Arduino library reads, with either runtime."""
    check_board("arduino", board, BOARDS)


def _files(request: Request) -> Files:
    board = BOARDS[request.board.name]
    example = f"{request.prefix}_scenes"
    values = {
        **listening.values(request),
        "architectures": board.architectures,
        "board_title": board.title,
        "core": board.core,
        "example": example,
    }
    sketch = listening.application("pdm/listen.ino.j2", values, request.prefix)
    return {
        **arduino_library(request),
        f"examples/{example}/{example}.ino": sketch,
        "library.properties": render("arduino/library.properties.j2", values, request.prefix),
        "README.md": render("arduino/README.md.j2", values, request.prefix),
    }


def arduino_library(request: Request) -> dict[str, str]:
    """Return the library's sources in ``src``; Arduino knows C++ by the ending .cpp alone."""
    sources = listening.sources(request).items()
    return {f"src/{name.replace('.cc', '.cpp')}": text for name, text in sources}


KIND = Kind(name="arduino", default_board="nano33ble_sense", check=_check, files=_files)
