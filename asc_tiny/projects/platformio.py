"""``--project platformio``: a project of PlatformIO."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asc_tiny.boards.catalog import Board
from asc_tiny.projects import arduino, microphone_app, stm32l4
from asc_tiny.projects.generator import (
    TEMPLATES,
    Files,
    GenerationRequest,
    ProjectGenerator,
    ToolCommand,
    check_board,
)
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util.errors import AscError


@dataclass(frozen=True)
class _Environment:
    """What PlatformIO calls a board and what builds for it.

    Attributes:
        title: the board's name for people.
        platform, board, framework: as in ``platformio.ini``.
        application: returns the sources in ``src``, file name to text.
    """

    title: str
    platform: str
    board: str
    framework: str
    application: Callable[[GenerationRequest], dict[str, str]]


def _of_arduino(request: GenerationRequest) -> dict[str, str]:
    return {"main.cpp": arduino.sketch(request)}


def _of_stm32cube(request: GenerationRequest) -> dict[str, str]:
    return {**stm32l4.application(request), **stm32l4.start_up(request)}


ENVIRONMENTS = {
    "nano33ble_sense": _Environment(
        "Arduino Nano 33 BLE Sense", "nordicnrf52", "nano33ble", "arduino", _of_arduino
    ),
    **{
        name: _Environment(stm32l4.BOARDS[name].title, "ststm32", board, "stm32cube", _of_stm32cube)
        for name, board in (
            ("disco_l475_iot1", "disco_l475vg_iot01a"),
            ("stm32l496g_disco", "disco_l496ag"),
        )
    },
}


class PlatformioGenerator(ProjectGenerator):
    """A project of PlatformIO."""

    name = "platformio"
    default_board = "nano33ble_sense"
    templates = TEMPLATES / "platformio"

    def check(self, board: Board, runtime: str) -> None:
        """Check that an environment builds for the board, and has what the runtime needs."""
        check_board(self.name, board, ENVIRONMENTS)
        if runtime == "tflm" and ENVIRONMENTS[board.design].framework != "arduino":
            raise AscError(
                f"board {board.name}: --runtime tflm with --project platformio is for boards with "
                "Arduino's framework; STM32Cube has no package of TensorFlow Lite Micro"
            )

    def files(self, request: GenerationRequest) -> Files:
        """Return the project with the library in ``lib``."""
        environment, prefix = ENVIRONMENTS[request.board.design], request.prefix
        library = f"lib/{prefix}_scenes"
        values = {
            **microphone_app.values(request),
            "board_title": environment.title,
            "environment": environment,
        }
        sources = microphone_app.sources(request)
        return {
            **{f"{library}/src/{name}": text for name, text in sources.items()},
            **{f"src/{name}": text for name, text in environment.application(request).items()},
            f"{library}/library.json": self.render("library.json.j2", values, prefix),
            "platformio.ini": self.render("platformio.ini.j2", values, prefix),
            "README.md": self.render("README.md.j2", values, prefix),
        }

    def flash(self, project: Manifest, *, probe: str | None, port: str | None) -> ToolCommand:
        """Build and upload."""
        upload = ("--upload-port", port) if port else ()
        arguments = ("pio", "run", "--target", "upload", *upload)
        return ToolCommand(arguments, "pip install platformio")
