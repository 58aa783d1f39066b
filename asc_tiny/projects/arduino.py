"""``--project arduino``: a library for Arduino with an example that listens."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from asc_tiny.projects import microphone_app
from asc_tiny.projects.generator import BoardLike, Files, Kind, Request, check_board, render


@dataclass(frozen=True)
class _Board:
    """What Arduino calls a board.

    Attributes:
        title: for people.
        architectures: of the cores that have its microphone's library.
        core: to install, for people.
        rates: that ``PDM.begin`` takes, in Hz.
    """

    title: str
    architectures: str
    core: str
    rates: tuple[int, ...]


BOARDS = {
    "nano33ble_sense": _Board(
        title="Arduino Nano 33 BLE Sense",
        architectures="mbed_nano,mbed",
        core="*Arduino Mbed OS Nano Boards* (`arduino:mbed_nano`)",
        rates=(16000, 41667),
    ),
}


def _check(board: BoardLike, runtime: str) -> None:
    """Serve boards whose microphone Arduino's PDM library reads, with either runtime."""
    check_board("arduino", board, BOARDS)


def _files(request: Request) -> Files:
    board, prefix = BOARDS[request.board.design], request.prefix
    example = f"{prefix}_scenes"
    values = {**microphone_app.values(request), "board": board, "example": example}
    # Older tools compile no C++ of another ending than .cpp.
    sources = {
        name.replace(".cc", ".cpp"): text for name, text in microphone_app.sources(request).items()
    }
    return {
        **{f"src/{name}": text for name, text in sources.items()},
        f"examples/{example}/{example}.ino": sketch(request),
        "library.properties": render("arduino/library.properties.j2", values, prefix),
        "README.md": render("arduino/README.md.j2", values, prefix),
    }


def sketch(request: Request) -> str:
    """Return the sketch, which is a C++ source like any other."""
    values = {
        **microphone_app.values(request),
        "begin_rate": _begin_rate(BOARDS[request.board.design], request.microphone_rate),
    }
    return microphone_app.application("arduino/listen.ino.j2", values, request.prefix)


def _begin_rate(board: _Board, rate: Fraction) -> int:
    return min(board.rates, key=lambda each: abs(each - rate))


KIND = Kind(name="arduino", default_board="nano33ble_sense", check=_check, files=_files)
