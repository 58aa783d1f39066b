"""The application on STM32L4 boards, whose microphone a DFSDM reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.boards.catalog import Board
from asc_tiny.projects import dfsdm, microphone_app, network_app
from asc_tiny.projects.generator import TEMPLATES, GenerationRequest, NetworkRequest, render
from asc_tiny.util import fields
from asc_tiny.util.errors import AscError

_PIN, _PIN_TEXT = r"P([A-I])(\d|1[0-5])", "pins PA0 to PI15"

_CLOCKS = range(16_000_000, 80_000_001, 2_000_000)
"""What the main PLL makes of the 4 MHz of the MSI: times 8 to 40, by 2."""


@dataclass(frozen=True, kw_only=True)
class Stm32CubeBoard:
    """What is where on a board with an STM32L4: its table ``[stm32cube]``.

    Attributes:
        title: ST's name of the board; that of the board's file if it is empty.
        uart: the UART that the debugger takes to the computer.
        uart_pins: its two pins.
        channel: channel of the DFSDM that the microphone's data pin belongs to.
        clock_pin, data_pin: pins of the microphone, CKOUT and DATIN.
        supply_pin: pin that supplies the microphone while it is high; empty if nothing switches it.
    """

    title: str = fields.matching(r"([A-Za-z0-9][A-Za-z0-9 ._+-]{0,63})?", "a name", default="")
    uart: str = fields.matching(r"USART[123]", "USART1 to USART3")
    uart_pins: tuple[str, ...] = fields.matching(_PIN, _PIN_TEXT)
    channel: int = fields.between(0, 7)
    clock_pin: str = fields.matching(_PIN, _PIN_TEXT)
    data_pin: str = fields.matching(_PIN, _PIN_TEXT)
    supply_pin: str = fields.matching(rf"({_PIN})?", _PIN_TEXT, default="")

    def __post_init__(self) -> None:
        """Check that the UART has its pins."""
        if len(self.uart_pins) != 2:
            raise AscError(f"stm32cube.uart_pins: {len(self.uart_pins)} pins, must be 2")

    @property
    def uart_port_pins(self) -> tuple[tuple[str, int], ...]:
        """Port and number of the UART's pins."""
        return tuple(_port_pin(pin) for pin in self.uart_pins)

    @property
    def microphone_ports(self) -> Mapping[str, tuple[int, ...]]:
        """The numbers of the microphone's pins by port, each in rising order."""
        found: dict[str, tuple[int, ...]] = {}
        for port, number in sorted(map(_port_pin, (self.clock_pin, self.data_pin))):
            found[port] = (*found.get(port, ()), number)
        return found

    @property
    def supply_port_pin(self) -> tuple[str, int] | None:
        """Port and number of the pin that supplies the microphone, None if there is none."""
        return _port_pin(self.supply_pin) if self.supply_pin else None

    @property
    def pins(self) -> str:
        """The microphone's pins for people."""
        return f"CKOUT {self.clock_pin}, DATIN{self.channel} {self.data_pin}"


def _port_pin(pin: str) -> tuple[str, int]:
    return pin[1], int(pin[2:])


TABLE = BoardTable("stm32cube", Stm32CubeBoard)


def check(board: Board) -> None:
    """Check that the application can be set up for a board with the table.

    Raises:
        AscError: a value of the table is not allowed, or the clock cannot be made.
    """
    TABLE.read(board)
    if board.clock_hz not in _CLOCKS:
        raise AscError(
            f"{board.origin}: clock_hz = {board.clock_hz}, allowed with a table [stm32cube]: "
            f"{_CLOCKS[0]} to {_CLOCKS[-1]} in steps of {_CLOCKS.step}"
        )


def title(board: Board) -> str:
    """Return the name of a board for people."""
    return TABLE.read(board).title or board.title or board.name


def values(request: GenerationRequest) -> dict[str, object]:
    """Return what the templates of these boards print."""
    return {
        **microphone_app.values(request),
        "board": TABLE.read(request.board),
        "board_title": title(request.board),
        "clock_mhz": request.board.clock_hz // 1_000_000,
        "filter": dfsdm.nearest(request.microphone_rate),
        "order": dfsdm.ORDER,
    }


def network_values(request: NetworkRequest) -> dict[str, object]:
    """Return what the templates of these boards print for a network alone."""
    return {
        **network_app.values(request),
        "board": TABLE.read(request.board),
        "board_title": title(request.board),
        "clock_mhz": request.board.clock_hz // 1_000_000,
    }


_FOLDER = TEMPLATES / "stm32l4"


def application(request: GenerationRequest) -> dict[str, str]:
    """Return the application, which needs a filter and a UART that run, file name to text."""
    prefix = request.prefix
    return {
        f"{prefix}_app.c": render(_FOLDER / "asc_app.c.j2", values(request), prefix),
        f"{prefix}_app.h": render(_FOLDER / "asc_app.h", {}, prefix),
    }


def network_application(request: NetworkRequest) -> dict[str, str]:
    """Return the application that checks a network alone, which needs a UART that runs."""
    prefix = request.prefix
    names = ("asc_app.c", "asc_app.h")
    return {
        name.replace("asc", prefix): render(_FOLDER / "network" / name, {}, prefix)
        for name in names
    }


def network_start_up(request: NetworkRequest) -> dict[str, str]:
    """Return the main function of a network alone with its header, as ``start_up`` does."""
    return {
        "main.c": render(_FOLDER / "main.c.j2", network_values(request), request.prefix),
        "main.h": render(_FOLDER / "main.h", {}, request.prefix),
    }


def start_up(request: GenerationRequest) -> dict[str, str]:
    """Return the main function, which starts them, with its header."""
    return {
        "main.c": render(_FOLDER / "main.c.j2", values(request), request.prefix),
        "main.h": render(_FOLDER / "main.h", {}, request.prefix),
    }
