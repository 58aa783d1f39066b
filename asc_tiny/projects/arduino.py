"""``--project arduino``: a library for Arduino with an example that listens."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from asc_tiny.boards.catalog import Board
from asc_tiny.projects import microphone_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Files,
    GenerationRequest,
    ProjectGenerator,
    ToolCommand,
    check_board,
    render,
)
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util.errors import AscError


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


_FOLDER = TEMPLATES / "arduino"


class ArduinoGenerator(ProjectGenerator):
    """A library for boards whose microphone Arduino's PDM library reads, with either runtime."""

    name = "arduino"
    default_board = "nano33ble_sense"
    templates = _FOLDER

    def check(self, board: Board, runtime: str) -> None:
        """Check that Arduino's core has the board."""
        check_board(self.name, board, BOARDS)

    def files(self, request: GenerationRequest) -> Files:
        """Return the library with its example."""
        board, prefix = BOARDS[request.board.design], request.prefix
        example = f"{prefix}_scenes"
        values = {**microphone_app.values(request), "board": board, "example": example}
        # Older tools compile no C++ of another ending than .cpp.
        sources = {
            name.replace(".cc", ".cpp"): text
            for name, text in microphone_app.sources(request).items()
        }
        return {
            **{f"src/{name}": text for name, text in sources.items()},
            f"examples/{example}/{example}.ino": sketch(request),
            "library.properties": self.render("library.properties.j2", values, prefix),
            "README.md": self.render("README.md.j2", values, prefix),
        }

    def flash(self, project: Manifest, *, probe: str | None, port: str | None) -> ToolCommand:
        """Compile and upload the example.

        Raises:
            AscError: no port is given, or the board is not Arduino's.
        """
        board = project.board
        if board.flash is None or board.flash.tool != "arduino-cli":
            raise AscError(f"board {board.name}: is not flashed by arduino-cli")
        if not port:
            raise AscError(
                f"{project.folder}: arduino-cli needs the board's --port; "
                "see arduino-cli board list"
            )
        # The sketch finds the library by --library, wherever the folder lies.
        compiling = ("arduino-cli", "compile", "--fqbn", board.flash.target, "--library", ".")
        upload = ("--upload", "--port", port, "--verify", f"examples/{project.prefix}_scenes")
        return ToolCommand((*compiling, *upload), "see https://arduino.github.io/arduino-cli")


def sketch(request: GenerationRequest) -> str:
    """Return the sketch, which is a C++ source like any other."""
    values = {
        **microphone_app.values(request),
        "begin_rate": _begin_rate(BOARDS[request.board.design], request.microphone_rate),
    }
    return render(_FOLDER / "listen.ino.j2", values, request.prefix)


def _begin_rate(board: _Board, rate: Fraction) -> int:
    return min(board.rates, key=lambda each: abs(each - rate))
