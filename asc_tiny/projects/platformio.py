"""``--project platformio``: a project of PlatformIO."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asc_tiny.projects import arduino, microphone_app, stm32l4
from asc_tiny.projects.generator import BoardLike, Files, Kind, Request, check_board, render
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
    application: Callable[[Request], dict[str, str]]


def _of_arduino(request: Request) -> dict[str, str]:
    return {"main.cpp": arduino.sketch(request)}


def _of_stm32cube(request: Request) -> dict[str, str]:
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


def _check(board: BoardLike, runtime: str) -> None:
    check_board("platformio", board, ENVIRONMENTS)
    if runtime == "tflm" and ENVIRONMENTS[board.design].framework != "arduino":
        raise AscError(
            f"board {board.name}: --runtime tflm with --project platformio is for boards with "
            "Arduino's framework; STM32Cube has no package of TensorFlow Lite Micro"
        )


def _files(request: Request) -> Files:
    environment, prefix = ENVIRONMENTS[request.board.design], request.prefix
    library = f"lib/{prefix}_scenes"
    values = {
        **microphone_app.values(request),
        "board_title": environment.title,
        "environment": environment,
    }
    return {
        **{f"{library}/src/{name}": text for name, text in microphone_app.sources(request).items()},
        **{f"src/{name}": text for name, text in environment.application(request).items()},
        f"{library}/library.json": render("platformio/library.json.j2", values, prefix),
        "platformio.ini": render("platformio/platformio.ini.j2", values, prefix),
        "README.md": render("platformio/README.md.j2", values, prefix),
    }


KIND = Kind(name="platformio", default_board="nano33ble_sense", check=_check, files=_files)
