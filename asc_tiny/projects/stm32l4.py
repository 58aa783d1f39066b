"""The application on STM32L4 boards, whose microphone a DFSDM reads."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.projects import dfsdm, microphone_app
from asc_tiny.projects.generator import TEMPLATES, GenerationRequest, render


@dataclass(frozen=True)
class Stm32L4:
    """What is where on a board.

    Attributes:
        title: the board's name for people.
        uart: the UART that the debugger takes to the computer.
        uart_port_pins: of that, port and pin.
        channel: of the DFSDM that the microphone is connected to.
        pins: of the microphone.
    """

    title: str
    uart: str
    uart_port_pins: tuple[tuple[str, int], ...]
    channel: int = 2
    pins: str = "CKOUT PE9, DATIN2 PE7"

    @property
    def uart_pins(self) -> str:
        """The UART's pins for people."""
        return ", ".join(f"P{port}{pin}" for port, pin in self.uart_port_pins)


BOARDS = {
    "disco_l475_iot1": Stm32L4("B-L475E-IOT01A", "USART1", (("B", 6), ("B", 7))),
    "stm32l496g_disco": Stm32L4("32L496GDISCOVERY", "USART2", (("A", 2), ("D", 6))),
}


def values(request: GenerationRequest) -> dict[str, object]:
    """Return what the templates of these boards print."""
    return {
        **microphone_app.values(request),
        "board": BOARDS[request.board.design],
        "clock_mhz": request.board.clock_hz // 1_000_000,
        "filter": dfsdm.nearest(request.microphone_rate),
        "order": dfsdm.ORDER,
    }


_FOLDER = TEMPLATES / "stm32l4"


def application(request: GenerationRequest) -> dict[str, str]:
    """Return the application, which needs a filter and a UART that run, file name to text."""
    prefix = request.prefix
    return {
        f"{prefix}_app.c": render(_FOLDER / "asc_app.c.j2", values(request), prefix),
        f"{prefix}_app.h": render(_FOLDER / "asc_app.h", {}, prefix),
    }


def start_up(request: GenerationRequest) -> dict[str, str]:
    """Return the main function, which starts them, with its header."""
    return {
        "main.c": render(_FOLDER / "main.c.j2", values(request), request.prefix),
        "main.h": render(_FOLDER / "main.h", {}, request.prefix),
    }
