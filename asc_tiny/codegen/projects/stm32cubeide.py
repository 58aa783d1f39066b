"""``--project stm32cubeide``: sources for a project of STM32CubeIDE, and its settings."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.codegen.projects import dfsdm, listening
from asc_tiny.codegen.projects.kind import BoardLike, Files, Kind, Request, check_board, render


@dataclass(frozen=True)
class _Board:
    """What the HAL calls a board's parts."""

    title: str
    uart: str
    uart_pins: str
    channel: int = 2
    pins: str = "CKOUT PE9, DATIN2 PE7"


BOARDS = {
    "disco_l475_iot1": _Board("B-L475E-IOT01A", "USART1", "PB6, PB7"),
    "stm32l496g_disco": _Board("32L496GDISCOVERY", "USART2", "PA2, PD6"),
}


def _check(board: BoardLike, runtime: str) -> None:
    """Serve boards whose microphone a DFSDM reads, with either runtime."""
    check_board("stm32cubeide", board, BOARDS)


def _files(request: Request) -> Files:
    board, prefix = BOARDS[request.board.name], request.prefix
    values = {
        **listening.values(request),
        "board": board,
        "clock_mhz": request.board.clock_hz // 1_000_000,
        "filter": dfsdm.nearest(request.microphone_rate),
        "order": dfsdm.ORDER,
    }
    sources = listening.sources(request).items()
    application = {
        f"App/{prefix}_app.c": listening.application("stm32cubeide/asc_app.c.j2", values, prefix),
        f"App/{prefix}_app.h": render("stm32cubeide/asc_app.h", values, prefix),
    }
    return {
        **{f"{prefix}/{name}": text for name, text in sources},
        **application,
        "README.md": render("stm32cubeide/README.md.j2", values, prefix),
    }


KIND = Kind(name="stm32cubeide", default_board="disco_l475_iot1", check=_check, files=_files)
