"""The chip with a program in its flash, and what is around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from support.cortex_m import Core
from support.nrf52840.pdm import Pdm
from support.nrf52840.peripherals import CLOCK_HZ, Bus, Clock, Port, Ppi, Rtc, Timer, Uarte

_FLASH, _RAM, _FACTORY, _TEST = 0, 0x20000000, 0x10000000, 0xF0000000
_SIZES = {_FLASH: 0x100000, _RAM: 0x40000, _FACTORY: 0x2000, _TEST: 0x1000}
_FACTORY_VALUES = {
    0x10000100: 0x52840,
    # The pin of the reset is P0.18; the program need not write that.
    0x10001200: 18,
    0x10001204: 18,
}
_UNWRITTEN = 0x10001000


class Chip:
    """The chip.

    Args:
        image: ELF file.
        vectors: address of the table of vectors that the bootloader, if any, starts.
    """

    def __init__(self, image: Path, vectors: int = 0) -> None:
        self.core = Core(image, _SIZES, vectors)
        self.core.uc.mem_write(_UNWRITTEN, b"\xff" * 0x1000)
        for address, value in _FACTORY_VALUES.items():
            self.core.uc.mem_write(address, value.to_bytes(4, "little"))
        self.bus = Bus(self.core)
        Clock(self.bus, 0x0)
        self.uart = Uarte(self.bus, 0x2000)
        for at in (0x8000, 0x9000, 0xA000, 0x1A000, 0x1B000):
            Timer(self.bus, at)
        for at in (0xB000, 0x11000, 0x24000):
            Rtc(self.bus, at)
        self.pdm = Pdm(self.bus, 0x1D000)
        Ppi(self.bus, 0x1F000)
        self.port = Port(self.core)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.core.run(seconds * CLOCK_HZ)

    def play(self, pcm: np.ndarray) -> None:
        """Let the microphone hear samples from where it starts, and half a second of nothing."""
        self.pdm.stream = pcm
        while self.pdm.heard < len(pcm) + self.pdm.rate() / 2:
            self.run(0.05)
            assert self.pdm.is_on() or self.core.now < CLOCK_HZ, self.lines()

    def fail_once(self, function: str, value: int, *, at_sample: int) -> None:
        """Have a function return a value at once, the first time that an interrupt calls it.

        Args:
            function: its name in the image.
            value: what it returns.
            at_sample: samples that have been brought at least.
        """
        core = self.core
        rest = [value]

        def enter(*_: object) -> None:
            if rest and self.pdm.heard >= at_sample and core.get("IPSR"):
                core.set("R0", rest.pop())
                core.set("PC", core.get("LR"))

        core.hook(core.functions[function], enter)

    def level(self, pin: int) -> bool:
        """Return whether a pin of port 0 is an output that is high."""
        return pin in self.port.outputs and pin in self.port.high

    def lines(self) -> list[str]:
        """Return what has been printed."""
        return self.uart.printed.decode().replace("\r\n", "\n").splitlines()
