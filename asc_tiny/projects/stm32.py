"""The application on STM32 boards, by ST's HAL: a microphone on a DFSDM, SAI or I2S, and a UART."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.library import pdm_sources
from asc_tiny.pdm.design import Decimator
from asc_tiny.projects import dfsdm, i2s, microphone_app, network_app, sai
from asc_tiny.projects.generator import TEMPLATES, GenerationRequest, NetworkRequest, render
from asc_tiny.util import fields
from asc_tiny.util.errors import AscError

_PIN, _PIN_TEXT = r"P([A-I])(\d|1[0-5])", "pins PA0 to PI15"
_DFSDM, _SAI, _I2S = "dfsdm", "sai", "i2s"


@dataclass(frozen=True)
class _Reader:
    """What reads a microphone, as ST's HAL has it.

    Attributes:
        families: lines of chips that the application drives it on.
        handle: the HAL's type of its handle.
        variable: name of the handle in the C code.
        dma_member: the handle's member for the DMA.
        dma_width: the HAL's name of what the DMA moves at once.
        kind: kind of the microphone.
    """

    families: tuple[str, ...]
    handle: str
    variable: str
    dma_member: str
    dma_width: str
    kind: str


_READERS = {
    _DFSDM: _Reader(("l4",), "DFSDM_Filter_HandleTypeDef", "filter", "hdmaReg", "WORD", "pdm"),
    _SAI: _Reader(("l4", "f7", "h7"), "SAI_HandleTypeDef", "sai", "hdmarx", "WORD", "i2s"),
    _I2S: _Reader(("f4",), "I2S_HandleTypeDef", "i2s", "hdmarx", "HALFWORD", "pdm"),
}

CACHE_LINE = 32
"""Bytes of a line of the data cache of a Cortex-M7."""

_CLOCKS: Mapping[str, range] = {
    # RM0351: the main PLL makes of the 4 MHz of the MSI times 8 to 40, by 2.
    "l4": range(16_000_000, 80_000_001, 2_000_000),
    # RM0090: the highest of an STM32F405 or F407, five wait states.
    "f4": range(168_000_000, 168_000_001),
    # RM0385: 50 to 432 times 1 MHz, by 2; over-drive and seven wait states for the highest.
    "f7": range(216_000_000, 216_000_001),
    # RM0433, voltage scaling 1.
    "h7": range(400_000_000, 400_000_001),
}
"""Clocks of the core in Hz that ``main.c`` can set up, by line of chips."""


@dataclass(frozen=True, kw_only=True)
class Stm32CubeBoard:
    """What is where on a board with an STM32: its table ``[stm32cube]``.

    Attributes:
        title: ST's name of the board; that of the board's file if it is empty.
        family: line of chips, which names ST's HAL and the clock tree: ``l4``, ``f4``, ``f7`` or
            ``h7``.
        oscillator_hz: clock in Hz of the oscillator HSE, of a line other than L4; an L4 runs from
            its MSI, which the crystal of 32,768 Hz corrects.
        is_oscillator_external: whether HSE is a clock from outside and not a crystal.
        uart: the UART to the computer.
        is_uart_wired: whether the debugger takes it there; without, users connect an adapter.
        uart_pins: its two pins.
        uart_function: the HAL's name of the pins' function; ``GPIO_AF7_`` with the UART if empty.
        reader: what reads the microphone: ``dfsdm`` (PDM), ``sai`` (I2S), or ``i2s``, an SPI in
            its mode I2S, to which the bits of a PDM microphone go.
        channel: channel of the DFSDM that the microphone's data pin belongs to.
        block: block of the SAI.
        spi: the SPI.
        clock_pin, data_pin: pins of the microphone: CKOUT and DATIN, SCK and SD, or CK and SD.
        word_select_pin: pin FS of the SAI.
        codec: a codec that the microphones are behind, ``wm8994``; empty if there is none. The
            other block of the SAI then makes its clocks.
        master_clock_pin: pin MCLK of the SAI, for the codec.
        i2c, i2c_pins, i2c_function: the bus that the codec is on, its pins SCL and SDA, and the
            HAL's name of their function.
        pin_function: the HAL's name of the function of these pins.
        supply_pin: pin that supplies the microphone while it is high; empty if nothing switches it.
        dma: channel or stream of the DMA that the reader can ask.
        dma_request: the HAL's name of the reader's request there.
        dma_buffer: address of memory for the DMA's buffer of 2,048 bytes, where a linker's script
            may put variables into memory that the DMA does not reach; 0 for a variable.
    """

    title: str = fields.matching(r"([A-Za-z0-9][A-Za-z0-9 ._+-]{0,63})?", "a name", default="")
    family: str = fields.one_of(*_CLOCKS, default="l4")
    oscillator_hz: int = fields.between(0, 50_000_000, default=0)
    is_oscillator_external: bool = False
    uart: str = fields.matching(r"USART[1236]|LPUART1", "USART1 to USART3, USART6 or LPUART1")
    is_uart_wired: bool = True
    uart_pins: tuple[str, ...] = fields.matching(_PIN, _PIN_TEXT)
    uart_function: str = fields.matching(
        r"(GPIO_AF\d{1,2}_[A-Z0-9]{1,20})?", "a name such as GPIO_AF8_LPUART1", default=""
    )
    reader: str = fields.one_of(*_READERS, default=_DFSDM)
    channel: int = fields.between(0, 7, default=0)
    block: str = fields.matching(
        r"SAI[1-4]_Block_[AB]", "SAI1_Block_A to SAI4_Block_B", default="SAI1_Block_A"
    )
    spi: str = fields.matching(r"SPI[123]", "SPI1 to SPI3", default="SPI2")
    clock_pin: str = fields.matching(_PIN, _PIN_TEXT)
    data_pin: str = fields.matching(_PIN, _PIN_TEXT)
    word_select_pin: str = fields.matching(rf"({_PIN})?", _PIN_TEXT, default="")
    codec: str = fields.one_of("", "wm8994", default="")
    master_clock_pin: str = fields.matching(rf"({_PIN})?", _PIN_TEXT, default="")
    i2c: str = fields.matching(r"I2C[1-4]", "I2C1 to I2C4", default="I2C1")
    i2c_pins: tuple[str, ...] = fields.matching(_PIN, _PIN_TEXT, default=())
    i2c_function: str = fields.matching(
        r"GPIO_AF\d{1,2}_[A-Z0-9]{1,20}", "a name such as GPIO_AF4_I2C1", default="GPIO_AF4_I2C1"
    )
    pin_function: str = fields.matching(
        r"GPIO_AF\d{1,2}_[A-Z0-9]{1,20}", "a name such as GPIO_AF6_SAI1", default="GPIO_AF6_DFSDM1"
    )
    supply_pin: str = fields.matching(rf"({_PIN})?", _PIN_TEXT, default="")
    dma: str = fields.matching(
        r"DMA[12]_(Channel|Stream)[0-7]",
        "a name such as DMA1_Channel4 or DMA2_Stream1",
        default="DMA1_Channel4",
    )
    dma_request: str = fields.matching(
        r"DMA_(CHANNEL|REQUEST)_[A-Z0-9_]{1,20}",
        "a name such as DMA_REQUEST_0 or DMA_CHANNEL_0",
        default="DMA_REQUEST_0",
    )
    dma_buffer: int = fields.between(0, 2**32 - 1, default=0)

    def __post_init__(self) -> None:
        """Check what the values must be to each other."""
        if len(self.uart_pins) != 2:
            raise AscError(f"stm32cube.uart_pins: {len(self.uart_pins)} pins, must be 2")
        if self.is_sai and not self.word_select_pin:
            raise AscError("stm32cube.word_select_pin is missing, reader = 'sai' needs it")
        if self.codec and (self.family != "f7" or not self.is_sai):
            raise AscError("stm32cube.codec: needs family = 'f7' and reader = 'sai'")
        if self.codec and (len(self.i2c_pins) != 2 or not self.master_clock_pin):
            raise AscError("stm32cube.codec: needs master_clock_pin and two i2c_pins")
        if self.family not in _READERS[self.reader].families:
            allowed = " or ".join(_READERS[self.reader].families)
            raise AscError(
                f"stm32cube.reader = '{self.reader}': allowed with family = {allowed}, not "
                f"'{self.family}'"
            )
        if self.family != "l4" and not self.oscillator_hz:
            raise AscError(f"stm32cube.oscillator_hz is missing, family = '{self.family}' needs it")
        step = 2_000_000 if self.family == "h7" else 1_000_000
        if self.oscillator_hz % step:
            raise AscError(f"stm32cube.oscillator_hz: must be a multiple of {step}")
        if self.dma_buffer % CACHE_LINE:
            raise AscError(f"stm32cube.dma_buffer: must be a multiple of {CACHE_LINE}")

    @property
    def is_sai(self) -> bool:
        """Whether an SAI reads the microphone, else a DFSDM."""
        return self.reader == _SAI

    @property
    def has_cache(self) -> bool:
        """Whether the core has caches, as a Cortex-M7 has."""
        return self.family in ("f7", "h7")

    @property
    def handle(self) -> str:
        """The HAL's type of what reads the microphone."""
        return _READERS[self.reader].handle

    @property
    def variable(self) -> str:
        """The name of its handle in the C code."""
        return _READERS[self.reader].variable

    @property
    def dma_member(self) -> str:
        """The handle's member for the DMA."""
        return _READERS[self.reader].dma_member

    @property
    def dma_width(self) -> str:
        """The HAL's name of what the DMA moves at once."""
        return _READERS[self.reader].dma_width

    @property
    def error_interrupt(self) -> str:
        """What interrupts the core after an overrun; empty if nothing does."""
        return {_DFSDM: "", _SAI: self.block[:4], _I2S: self.spi}[self.reader]

    @property
    def cube_handle(self) -> str:
        """The name that STM32CubeMX gives the handle of the reader."""
        if self.reader == _I2S:
            return f"hi2s{self.spi[-1]}"
        return f"hsai_Block{self.block[-1]}{self.block[3]}" if self.is_sai else "hdfsdm1_filter0"

    @property
    def cube_uart(self) -> str:
        """The name that STM32CubeMX gives the handle of the UART."""
        return f"h{self.uart.lower().replace('usart', 'uart')}"

    @property
    def uart_alternate(self) -> str:
        """The HAL's name of the function of the UART's pins."""
        return self.uart_function or f"GPIO_AF7_{self.uart}"

    @property
    def uart_port_pins(self) -> tuple[tuple[str, int], ...]:
        """Port and number of the UART's pins."""
        return tuple(_port_pin(pin) for pin in self.uart_pins)

    @property
    def needs_second_supply(self) -> bool:
        """Whether a pin of the UART is of PG2 to PG15 of an L4, which VDDIO2 supplies."""
        return self.family == "l4" and any(
            port == "G" and number >= 2 for port, number in self.uart_port_pins
        )

    @property
    def microphone_ports(self) -> Mapping[str, tuple[int, ...]]:
        """The numbers of the microphone's pins by port, each in rising order."""
        named = [self.clock_pin, self.data_pin, self.word_select_pin, self.master_clock_pin]
        pins = filter(None, named if self.is_sai else named[:2])
        found: dict[str, tuple[int, ...]] = {}
        for port, number in sorted(map(_port_pin, pins)):
            found[port] = (*found.get(port, ()), number)
        return found

    @property
    def i2c_port_pins(self) -> tuple[tuple[str, int], ...]:
        """Port and number of the pins of the codec's bus."""
        return tuple(_port_pin(pin) for pin in self.i2c_pins)

    @property
    def other_block(self) -> str:
        """The SAI's other block."""
        return self.block[:-1] + ("A" if self.block.endswith("B") else "B")

    @property
    def supply_port_pin(self) -> tuple[str, int] | None:
        """Port and number of the pin that supplies the microphone, None if there is none."""
        return _port_pin(self.supply_pin) if self.supply_pin else None

    @property
    def pins(self) -> str:
        """The microphone's pins for people."""
        if self.is_sai:
            pins = f"SCK {self.clock_pin}, WS {self.word_select_pin}, SD {self.data_pin}"
            return f"{pins}, MCLK {self.master_clock_pin}" if self.codec else pins
        if self.reader == _I2S:
            return f"CK {self.clock_pin}, SD {self.data_pin}"
        return f"CKOUT {self.clock_pin}, DATIN{self.channel} {self.data_pin}"


def _port_pin(pin: str) -> tuple[str, int]:
    return pin[1], int(pin[2:])


TABLE = BoardTable("stm32cube", Stm32CubeBoard)


def check(board: Board) -> None:
    """Check that the application can be set up for a board with the table.

    Raises:
        AscError: a value of the table is not allowed, the clock cannot be made, or the reader is
            for microphones of another kind.
    """
    table = TABLE.read(board)
    clocks = _CLOCKS[table.family]
    if board.clock_hz not in clocks:
        steps = f" to {clocks[-1]} in steps of {clocks.step}" if len(clocks) > 1 else ""
        raise AscError(
            f"{board.origin}: clock_hz = {board.clock_hz}, allowed with a table [stm32cube]: "
            f"{clocks[0]}{steps}"
        )
    kind = _READERS[table.reader].kind
    if board.microphone and board.microphone.kind != kind:
        raise AscError(
            f"{board.origin}: stm32cube.reader = '{table.reader}' reads a microphone of kind "
            f"{kind}, not {board.microphone.kind}"
        )


def title(board: Board) -> str:
    """Return the name of a board for people."""
    return TABLE.read(board).title or board.title or board.name


def _board_values(board: Board) -> dict[str, object]:
    table = TABLE.read(board)
    return {
        "board": table,
        "board_title": title(board),
        "clock_mhz": board.clock_hz // 1_000_000,
    }


def values(request: GenerationRequest) -> dict[str, object]:
    """Return what the templates of these boards print."""
    return {
        **microphone_app.values(request),
        **_board_values(request.board),
        **_reader_values(TABLE.read(request.board), request.microphone_rate),
    }


_CODEC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Rates in Hz of the WM8994 by the value of AIF1_SR in its register 0x210."""


def _reader_values(board: Stm32CubeBoard, rate: Fraction) -> dict[str, object]:
    """Return the settings of what reads the microphone, for a rate in Hz.

    Raises:
        AscError: the codec does not have the rate.
    """
    values: dict[str, object] = {"filter": None, "i2s": None, "sai": None}
    if board.reader == _I2S:
        return {**values, "i2s": i2s.nearest(rate)}
    if board.reader == _DFSDM:
        return {**values, "filter": dfsdm.nearest(rate), "order": dfsdm.ORDER}
    values["sai"] = sai.nearest(board.family, rate)
    if board.codec:
        if round(rate) not in _CODEC_RATES:
            raise AscError(
                f"stm32cube.codec: gives {', '.join(map(str, _CODEC_RATES))} Hz, not {round(rate)}"
            )
        values["codec_rate"] = _CODEC_RATES.index(round(rate))
    return values


def sources(request: GenerationRequest) -> dict[str, str]:
    """Return the library with what the microphone's reader needs, file name to text."""
    files = microphone_app.sources(request)
    if TABLE.read(request.board).reader != _I2S:
        return files
    decimator = Decimator(i2s.nearest(request.microphone_rate).bits)
    # The I2S stores words of 16 bits whose highest bit was the first.
    return files | pdm_sources(request.model, decimator, prefix=request.prefix, msb_first=2)


def network_values(request: NetworkRequest) -> dict[str, object]:
    """Return what the templates of these boards print for a network alone."""
    return {**network_app.values(request), **_board_values(request.board)}


_FOLDER = TEMPLATES / "stm32"


def _render(
    folder: Path, names: Sequence[str], values: Mapping[str, object], prefix: str
) -> dict[str, str]:
    """Return the texts of some templates, by the name that each file has in a project."""
    return {
        name.removesuffix(".j2").replace("asc_", f"{prefix}_"): render(
            folder / name, values, prefix
        )
        for name in names
    }


def application(request: GenerationRequest) -> dict[str, str]:
    """Return the application, which needs a microphone and a UART that run, name to text."""
    codec = ("asc_codec.c.j2", "asc_codec.h") if TABLE.read(request.board).codec else ()
    names = ("asc_app.c.j2", "asc_app.h.j2", *codec)
    return _render(_FOLDER, names, values(request), request.prefix)


def network_application(request: NetworkRequest) -> dict[str, str]:
    """Return the application that checks a network alone, which needs a UART that runs."""
    files = ("asc_app.c.j2", "asc_app.h")
    return _render(_FOLDER / "network", files, network_values(request), request.prefix)


_START_UP = ("main.c.j2", "main.h.j2")


def network_start_up(request: NetworkRequest) -> dict[str, str]:
    """Return the main function of a network alone with its header, as ``start_up`` does."""
    return _render(_FOLDER, _START_UP, network_values(request), request.prefix)


def start_up(request: GenerationRequest) -> dict[str, str]:
    """Return the main function, which starts them, with its header."""
    return _render(_FOLDER, _START_UP, values(request), request.prefix)


def linker_script(board: Board, banner: str) -> str:
    """Return a linker's script with the regions of a board's memory.

    Args:
        board: a board with the table.
        banner: the line that says what made the file.
    """
    script = {"banner": banner, "memory": board.memory, "board_title": title(board)}
    return render(_FOLDER / "memory.ld.j2", script, "asc")
