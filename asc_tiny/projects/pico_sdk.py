"""``--project pico-sdk``: an application for boards with an RP2040 or RP2350."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.boards.catalog import Board
from asc_tiny.boards.microphones import Microphone
from asc_tiny.firmware.library import pdm_sources
from asc_tiny.pdm.design import Decimator, bits_per_sample
from asc_tiny.projects import microphone_app, network_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Application,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
)
from asc_tiny.util import fields
from asc_tiny.util.errors import AscError

_HIGHEST_PIN = 29


@dataclass(frozen=True, kw_only=True)
class PicoSdkBoard:
    """What the Pico SDK is told of a board: its table ``[pico-sdk]``.

    Attributes:
        board: the SDK's name of the board (``PICO_BOARD``).
        clock_pin: GPIO of an I2S microphone's bit clock (SCK), the next one of its word select
            (WS); or of a PDM microphone's clock.
        data_pin: GPIO of the microphone's data (SD, DATA).

    Raises:
        AscError: two signals have one pin, or there is none for the word select.
    """

    board: str = fields.matching(r"[a-z][a-z0-9_]{0,63}", "a board such as pico2")
    clock_pin: int = fields.between(0, _HIGHEST_PIN - 1, default=10)
    data_pin: int = fields.between(0, _HIGHEST_PIN, default=12)

    def __post_init__(self) -> None:
        if self.data_pin in (self.clock_pin, self.clock_pin + 1):
            raise AscError(
                f"pico-sdk.data_pin = {self.data_pin}: pins {self.clock_pin} and "
                f"{self.clock_pin + 1} are the microphone's clock and word select"
            )


TABLE = BoardTable("pico-sdk", PicoSdkBoard)

_PROJECT = {
    "CMakeLists.txt": "CMakeLists.txt.j2",
    "README.md": "README.md.j2",
    "src/main.c": "src/main.c",
    "src/microphone.c": "src/microphone.c",
    "src/microphone.h": "src/microphone.h.j2",
    "src/serial.c": "src/serial.c",
    "src/serial.h": "src/serial.h",
}

_INPUTS = {
    "i2s": {
        "src/microphone_input.c": "src/microphone_i2s.c",
        "src/microphone_input.h": "src/microphone_input.h",
        "src/microphone_input.pio": "src/microphone_i2s.pio",
    },
    "pdm": {
        "src/microphone_input.c": "src/microphone_pdm.c",
        "src/microphone_input.h": "src/microphone_input.h",
        "src/microphone_input.pio": "src/microphone_pdm.pio",
    },
}
"""What brings a microphone's bits into memory, by the kind of microphone."""


class PicoSdkGenerator(ProjectGenerator):
    """An application for the Pico SDK, whose library is a CMake library of its own."""

    name = "pico-sdk"
    default_board = "rpi_pico"
    templates = TEMPLATES / "pico_sdk"
    image_patterns = ("build/{name}.uf2",)
    tables = (TABLE,)
    # With TinyUSB, and the stack of the application's core.
    listening = Application(25 * 1024, 46 * 1024)

    def files(self, request: GenerationRequest) -> Files:
        """Return the library and the application around it."""
        microphone = _microphone(request.board)
        library = microphone_app.sources(request)
        decimator = None
        if microphone.kind == "pdm":
            decimator = Decimator(bits_per_sample(round(request.microphone_rate)))
            library |= pdm_sources(request.model, decimator, prefix=request.prefix)
        values = {
            **microphone_app.values(request),
            "decimator": decimator,
            "microphone": microphone.kind,
        }
        return self._rendered(request, library, values, _PROJECT | _INPUTS[microphone.kind])

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the library and an application that checks it."""
        names = {
            "CMakeLists.txt": "CMakeLists.txt.j2",
            "README.md": "network.md.j2",
            "src/main.c": "network/main.c",
        }
        library = network_app.sources(request)
        return self._rendered(request, library, network_app.values(request), names)

    def _rendered(
        self,
        request: GenerationRequest | NetworkRequest,
        library: dict[str, str],
        values: dict[str, object],
        names: dict[str, str],
    ) -> Files:
        """Return the library in its folder, and files of the project by their templates."""
        prefix = request.prefix
        flash = request.board.flash
        printed = {
            **values,
            "board": TABLE.read(request.board),
            "counts_cycles": request.board.core != "Cortex-M0+",
            "volume": flash.target if flash else "of the board",
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        }
        project = {path: self.render(name, printed, prefix) for path, name in names.items()}
        lists = self.render("library/CMakeLists.txt.j2", printed, prefix)
        files = {f"{prefix}/{name}": text for name, text in library.items()}
        return {**files, f"{prefix}/CMakeLists.txt": lists, **project}


def _microphone(board: Board) -> Microphone:
    """Return the board's microphone.

    Raises:
        AscError: it has none, or one that no program here reads.
    """
    if board.microphone is None or board.microphone.kind not in _INPUTS:
        raise AscError(
            f"board {board.name}: --project pico-sdk reads microphones of the kinds "
            f"{', '.join(_INPUTS)}"
        )
    return board.microphone
