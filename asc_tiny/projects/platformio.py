"""``--project platformio``: a project of PlatformIO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.c.templates import banner
from asc_tiny.projects import arduino, microphone_app, network_app, stm32
from asc_tiny.projects.generator import (
    TEMPLATES,
    Application,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
    ToolCommand,
)
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util import fields
from asc_tiny.util.errors import AscError

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_ARDUINO, _STM32CUBE = "arduino", "stm32cube"


@dataclass(frozen=True, kw_only=True)
class PlatformioBoard:
    """What PlatformIO calls a board: its table ``[platformio]``.

    Attributes:
        platform, board: as in ``platformio.ini``; a version may follow the platform, ``@6.5.0``.
        framework: the same; it says which application reads the microphone.
    """

    platform: str = fields.matching(
        rf"({_NAME}/)?{_NAME}(@[~^]?\d[0-9.]{{0,19}})?", "a name such as ststm32 or ststm32@17.0.0"
    )
    board: str = fields.matching(_NAME, "a name of up to 64 letters, digits and ._-")
    framework: str = fields.one_of(_ARDUINO, _STM32CUBE)


TABLE = BoardTable("platformio", PlatformioBoard)

_TABLES: dict[str, BoardTable[Any]] = {_ARDUINO: arduino.TABLE, _STM32CUBE: stm32.TABLE}
"""What the applications read of a board, by framework."""


class PlatformioGenerator(ProjectGenerator):
    """A project of PlatformIO."""

    name = "platformio"
    default_board = "nano33ble_sense"
    templates = TEMPLATES / "platformio"
    tables = (TABLE,)
    # RAM of the one with the decimator of a PDM microphone.
    listening = Application(17 * 1024, 44 * 1024)

    def application(self, board: Board, is_classifier: bool) -> Application | None:
        """Return what was measured on ST's HAL; nothing was with Arduino's framework."""
        on_hal = TABLE.read(board).framework == _STM32CUBE
        return super().application(board, is_classifier) if on_hal else None

    def check(self, board: Board, runtime: str) -> None:
        """Check that an environment builds for the board, and has what the runtime needs."""
        super().check(board, runtime)
        framework = TABLE.read(board).framework
        needed = _TABLES[framework]
        if not needed.is_of(board):
            raise AscError(
                f"{board.origin}: platformio.framework = {framework!r} needs a table "
                f"[{needed.name}]"
            )
        needed.read(board)
        if framework == _STM32CUBE:
            stm32.check(board)
        if runtime == "tflm" and framework != _ARDUINO:
            raise AscError(
                f"board {board.name}: --runtime tflm with --project platformio is for boards with "
                "Arduino's framework, as STM32Cube has no package of TensorFlow Lite Micro; leave "
                "--runtime out, or give --project sources, whose files go into any project"
            )

    def files(self, request: GenerationRequest) -> Files:
        """Return the project with the library in ``lib``."""
        environment, prefix = TABLE.read(request.board), request.prefix
        library = f"lib/{prefix}_scenes"
        application = _application(request)
        values = {
            **microphone_app.values(request),
            "environment": environment,
            "has_linker_script": _has_linker_script(request.board),
            "application_files": sorted(name for name in application if not name.endswith(".h")),
        }
        sources = microphone_app.sources(request)
        if environment.framework == _STM32CUBE:
            values.update(stm32.values(request))
            sources = stm32.sources(request)
        return {
            **{f"{library}/src/{name}": text for name, text in sources.items()},
            **{f"src/{name}": text for name, text in application.items()},
            f"{library}/library.json": self.render("library.json.j2", values, prefix),
            "platformio.ini": self.render("platformio.ini.j2", values, prefix),
            "README.md": self.render("README.md.j2", values, prefix),
            **_linker_script(request),
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return a project with the network in ``lib``, whose application checks it."""
        environment, prefix = TABLE.read(request.board), request.prefix
        values = {
            **network_app.values(request),
            "environment": environment,
            "has_linker_script": _has_linker_script(request.board),
        }
        if environment.framework == _STM32CUBE:
            values.update(stm32.network_values(request))
            application = {
                **stm32.network_application(request),
                **stm32.network_start_up(request),
            }
        else:
            application = {"main.cpp": arduino.check_sketch(request)}
        library = f"lib/{values['name']}"
        sources = network_app.sources(request)
        return {
            **{f"{library}/src/{name}": text for name, text in sources.items()},
            **{f"src/{name}": text for name, text in application.items()},
            f"{library}/library.json": self.render("library.json.j2", values, prefix),
            "platformio.ini": self.render("platformio.ini.j2", values, prefix),
            "README.md": self.render("network.md.j2", values, prefix),
            **_linker_script(request),
        }

    def flash(self, project: Manifest, *, probe: str | None, port: str | None) -> ToolCommand:
        """Build and upload."""
        upload = ("--upload-port", port) if port else ()
        arguments = ("pio", "run", "--target", "upload", *upload)
        return ToolCommand(arguments, "pip install platformio")


def _has_linker_script(board: Board) -> bool:
    """Whether a project has a linker's script: files from before there were regions say no origin.

    No memory of an STM32 lies at address 0.
    """
    is_known = all(region.origin for region in board.memory.values())
    return TABLE.read(board).framework == _STM32CUBE and is_known


def _linker_script(request: GenerationRequest | NetworkRequest) -> dict[str, str]:
    """Return a linker's script with the regions of the board's file, for ST's start-up code.

    PlatformIO's own have one region of RAM, which for some chips is none that there is.
    """
    if not _has_linker_script(request.board):
        return {}
    line = banner(request.model.model_file)
    return {"memory.ld": stm32.linker_script(request.board, line)}


def _application(request: GenerationRequest) -> dict[str, str]:
    if TABLE.read(request.board).framework == _ARDUINO:
        return {"main.cpp": arduino.sketch(request), **arduino.microphone(request)}
    return {**stm32.application(request), **stm32.start_up(request)}
