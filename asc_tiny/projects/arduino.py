"""``--project arduino``: a library for Arduino with an example that listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.projects import microphone_app, network_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
    ToolCommand,
    render,
)
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util import fields
from asc_tiny.util.errors import AscError


@dataclass(frozen=True, kw_only=True)
class ArduinoBoard:
    """What Arduino calls a board: its table ``[arduino]``.

    Attributes:
        architectures: names of the cores that have the PDM library of its microphone.
        core: the core to install, as Arduino's board manager shows it.
        package: the same core as ``arduino-cli`` calls it.
        rates: sample rates in Hz that ``PDM.begin`` takes on the board.
    """

    architectures: tuple[str, ...] = fields.matching(r"[a-z0-9_]{1,64}", "names of cores")
    core: str = fields.matching(r"[A-Za-z0-9][A-Za-z0-9 ._+()-]{0,99}", "a name")
    package: str = fields.matching(r"[A-Za-z0-9_-]{1,64}:[A-Za-z0-9_-]{1,64}", "VENDOR:CORE")
    rates: tuple[int, ...] = fields.between(1, 1_000_000)

    def __post_init__(self) -> None:
        """Check that there is something to choose from."""
        if not self.architectures or not self.rates:
            raise AscError("arduino: one architecture and one rate are needed at least")


TABLE = BoardTable("arduino", ArduinoBoard)

_FOLDER = TEMPLATES / "arduino"


class ArduinoGenerator(ProjectGenerator):
    """A library for boards whose microphone Arduino's PDM library reads, with either runtime."""

    name = "arduino"
    default_board = "nano33ble_sense"
    templates = _FOLDER
    tables = (TABLE,)

    def files(self, request: GenerationRequest) -> Files:
        """Return the library with its example."""
        prefix = request.prefix
        example = f"{prefix}_scenes"
        values = {
            **microphone_app.values(request),
            "board": TABLE.read(request.board),
            "example": example,
        }
        return {
            **_library(microphone_app.sources(request)),
            f"examples/{example}/{example}.ino": sketch(request),
            "library.properties": self.render("library.properties.j2", values, prefix),
            "README.md": self.render("README.md.j2", values, prefix),
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the library with an example that checks it."""
        prefix = request.prefix
        example = f"{prefix}_network"
        board = TABLE.read(request.board)
        values = {**network_app.values(request), "board": board, "example": example}
        return {
            **_library(network_app.sources(request)),
            f"examples/{example}/{example}.ino": check_sketch(request),
            "library.properties": self.render("library.properties.j2", values, prefix),
            "README.md": self.render("network.md.j2", values, prefix),
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
        upload = ("--upload", "--port", port, "--verify", f"examples/{project.name}")
        return ToolCommand((*compiling, *upload), "see https://arduino.github.io/arduino-cli")


def _library(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a library; older tools compile no C++ of another ending than .cpp."""
    return {f"src/{name.replace('.cc', '.cpp')}": text for name, text in sources.items()}


def check_sketch(request: NetworkRequest) -> str:
    """Return the sketch that checks a network alone."""
    return render(_FOLDER / "check.ino.j2", network_app.values(request), request.prefix)


def sketch(request: GenerationRequest) -> str:
    """Return the sketch, which is a C++ source like any other."""
    values = {
        **microphone_app.values(request),
        "begin_rate": _begin_rate(TABLE.read(request.board), request.microphone_rate),
    }
    return render(_FOLDER / "listen.ino.j2", values, request.prefix)


def _begin_rate(board: ArduinoBoard, rate: Fraction) -> int:
    return min(board.rates, key=lambda each: abs(each - rate))
