"""What is where on STM32 chips and their boards: ``files/stm32_chips.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asc_tiny.util.files import parse_toml
from support.paths import TESTS


@dataclass(frozen=True, kw_only=True)
class Family:
    """A line of chips; the file tells what is what."""

    core: str
    has_streams: bool
    gpio: int
    sai: int
    dma: Sequence[int]
    reset: Sequence[tuple[int, int]]
    follow: Sequence[tuple[int, int, int, int]]

    @property
    def has_cache(self) -> bool:
        """Whether there is a data cache."""
        return self.core == "CORTEX_M7"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """A board: what must be set for its microphone and its UART to work; the file tells it."""

    family: str
    chip: str
    uart: tuple[str, int, int]
    pins: Mapping[str, int]
    dma: tuple[int, int]
    request: int
    clocks: Sequence[tuple[int, int]]
    oscillator_hz: int = 8_000_000
    channel: int | None = None
    block: str = "1A"
    spi: tuple[str, int] | None = None
    i2c: int = 0
    supply: str | None = None

    @property
    def dma_name(self) -> str:
        """The interrupt's name."""
        kind = "Stream" if FAMILIES[self.family].has_streams else "Channel"
        return f"DMA{self.dma[0]}_{kind}{self.dma[1]}"


_FILE = TESTS / "files/stm32_chips.toml"
_TABLES = parse_toml(_FILE.read_bytes(), source=str(_FILE))

FAMILIES = {name: Family(**table) for name, table in _TABLES["families"].items()}
WIRINGS = {name: Wiring(**table) for name, table in _TABLES["boards"].items()}
