"""``--project arduino``: a library for Arduino with an example that listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.boards.catalog import Board
from asc_tiny.projects import microphone_app, network_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Application,
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

_WORD = r"[A-Za-z0-9_-]{1,64}"
_HIGHEST_PIN = 47
_PDM, _I2S, _OWN = "pdm", "i2s", "own"


@dataclass(frozen=True, kw_only=True)
class ArduinoBoard:
    """What Arduino calls a board: its table ``[arduino]``.

    Attributes:
        architectures: names of the cores that the library is for.
        core: the core to install, as Arduino's board manager shows it.
        package: the same core as ``arduino-cli`` calls it.
        fqbn: the board as ``arduino-cli`` calls it; if it is empty, the target of the table
            ``[flash]``, whose tool is then ``arduino-cli``.
        reader: the core's library that reads the microphone: ``pdm`` (Arduino's PDM, for a
            microphone on the board), ``i2s`` (Arduino-Pico's I2S), or ``own``, none: the sketch
            then has a place for the user's own code.
        rates: sample rates in Hz that ``PDM.begin`` takes on the board.
        clock_pin, data_pin: GPIOs of an I2S microphone's bit clock (SCK) and data (SD); its word
            select (WS) is the pin behind the clock.
    """

    architectures: tuple[str, ...] = fields.matching(r"[a-z0-9_]{1,64}", "names of cores")
    core: str = fields.matching(r"[A-Za-z0-9][A-Za-z0-9 ._+()/-]{0,99}", "a name")
    package: str = fields.matching(rf"{_WORD}:{_WORD}", "VENDOR:CORE")
    fqbn: str = fields.matching(
        rf"({_WORD}:{_WORD}:{_WORD}(:{_WORD}=[^\s,:=]{{1,64}}(,{_WORD}=[^\s,:=]{{1,64}})*)?)?",
        "VENDOR:CORE:BOARD or VENDOR:CORE:BOARD:OPTION=VALUE",
        default="",
    )
    reader: str = fields.one_of(_PDM, _I2S, _OWN, default=_PDM)
    rates: tuple[int, ...] = fields.between(1, 1_000_000, default=())
    clock_pin: int = fields.between(0, _HIGHEST_PIN - 1, default=10)
    data_pin: int = fields.between(0, _HIGHEST_PIN, default=12)

    def __post_init__(self) -> None:
        """Check that there is something to choose from, and a pin for each signal."""
        if not self.architectures or (self.reader == _PDM and not self.rates):
            raise AscError("arduino: one architecture and one rate are needed at least")
        if self.reader != _PDM and self.rates:
            raise AscError(f"arduino.rates: is for reader = 'pdm', not {self.reader!r}")
        if self.reader == _I2S and self.data_pin in (self.clock_pin, self.clock_pin + 1):
            raise AscError(
                f"arduino.data_pin = {self.data_pin}: pins {self.clock_pin} and "
                f"{self.clock_pin + 1} are the microphone's clock and word select"
            )

    def rate(self, wanted: Fraction) -> int:
        """Return the number that the core's library is given for a rate in Hz."""
        return min(self.rates, key=lambda each: abs(each - wanted), default=round(wanted))


TABLE = BoardTable("arduino", ArduinoBoard)

_FOLDER = TEMPLATES / "arduino"


class ArduinoGenerator(ProjectGenerator):
    """A library for boards that a core for Arduino serves, with either runtime."""

    name = "arduino"
    default_board = "nano33ble_sense"
    templates = _FOLDER
    tables = (TABLE,)
    # Of Arduino-Pico, without what it takes of the heap.
    listening = Application(20 * 1024, 88 * 1024)

    def application(self, board: Board, is_classifier: bool) -> Application | None:
        """Return what was measured on Arduino-Pico; no other core was linked."""
        on_pico = TABLE.read(board).reader == _I2S
        return super().application(board, is_classifier) if on_pico else None

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
            **{f"examples/{example}/{name}": text for name, text in microphone(request).items()},
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
        fqbn = _fqbn(project.board)
        if not port:
            raise AscError(
                f"{project.folder}: arduino-cli needs the board's --port; "
                "see arduino-cli board list"
            )
        # The sketch finds the library by --library, wherever the folder lies.
        compiling = ("arduino-cli", "compile", "--fqbn", fqbn, "--library", ".")
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
    return render(_FOLDER / "listen.ino.j2", _microphone_values(request), request.prefix)


def microphone(request: GenerationRequest) -> dict[str, str]:
    """Return what reads the board's microphone for the sketch, file name to text."""
    values = _microphone_values(request)
    reader = TABLE.read(request.board).reader
    names = {"microphone.cpp": f"microphone_{reader}.cpp.j2", "microphone.h": "microphone.h.j2"}
    return {to: render(_FOLDER / name, values, request.prefix) for to, name in names.items()}


def _microphone_values(request: GenerationRequest) -> dict[str, object]:
    board = TABLE.read(request.board)
    return {
        **microphone_app.values(request),
        "board": board,
        "begin_rate": board.rate(request.microphone_rate),
    }


def _fqbn(board: Board) -> str:
    """Return what ``arduino-cli`` calls a board.

    Raises:
        AscError: neither of its tables says it.
    """
    fqbn = TABLE.read(board).fqbn
    if not fqbn and board.flash is not None and board.flash.tool == "arduino-cli":
        fqbn = board.flash.target
    if not fqbn:
        raise AscError(f"board {board.name}: is not flashed by arduino-cli")
    return fqbn
