"""The Virtual Streaming Interface of Arm's Fixed Virtual Platforms, by its documentation.

A timer at 1 MHz starts a DMA that brings a block, and interrupts the core. The streaming device
behind the user registers is the one of Arm's driver of audio: a microphone that never ends.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from support.cortex_m import IRQ, Core

_BASE, _INTERRUPT = 0x4FF00000, 224
_CONSOLE = 0x40200000
_FLASH, _RAM = 0x00000000, 0x20000000
_SIZES = {_FLASH: 0x80000, _RAM: 0x40000}

CLOCK_HZ = 32_000_000

_ENABLE, _CLEAR = 0x000, 0x008
_TIMER, _INTERVAL = 0x100, 0x104
_DMA, _ADDRESS, _SIZE, _BLOCKS = 0x200, 0x204, 0x208, 0x20C
_CONTROL, _STATUS, _CHANNELS, _RATE, _BITS = 0x300, 0x304, 0x310, 0x314, 0x318
_ACTIVE, _DATA = 1, 2
_RUNS_AND_MOVES = 0b1111
"""Of the timer: it runs, again and again, interrupts, and starts the DMA."""


class Chip:
    """A Cortex-M4 with the interface and a console.

    Args:
        image: ELF file.

    Attributes:
        stream: int16 samples that the microphone gives, then zeros; on the left of two channels.
        heard: samples that have been brought.
    """

    def __init__(self, image: Path) -> None:
        self.core = Core(image, _SIZES, _FLASH)
        self.stream = np.zeros(0, np.int16)
        self.heard = 0
        self._printed = bytearray()
        self._registers: dict[int, int] = {}
        self._block = 0
        self._interrupts = False
        self._has_data = False
        self.core.uc.mmio_map(_BASE, 0x1000, self._read, None, self._write, None)
        self.core.uc.mmio_map(_CONSOLE, 0x1000, self._read, None, self._print, None)
        self.core.lines[IRQ + _INTERRUPT] = lambda: (
            self._interrupts and bool(self._registers.get(_ENABLE, 0) & 1)
        )

    def _read(self, uc: Any, offset: int, size: int, _: object) -> int:
        if offset == _STATUS:
            status = self._registers.get(_CONTROL, 0) & _ACTIVE | self._has_data * _DATA
            self._has_data = False
            return status
        return self._registers.get(offset, 0)

    def _print(self, uc: Any, offset: int, size: int, value: int, _: object) -> None:
        self._printed.append(value & 0xFF)

    def _write(self, uc: Any, offset: int, size: int, value: int, _: object) -> None:
        self._registers[offset] = value
        if offset == _CLEAR:
            self._interrupts = False
        elif offset == _TIMER and value & 1:
            assert value == _RUNS_AND_MOVES
            self._start()

    def rate(self) -> Fraction:
        """Return the samples a second that the registers tell the streaming device."""
        return Fraction(self._registers[_RATE])

    def _start(self) -> None:
        passes = self._registers[_INTERVAL] * CLOCK_HZ // 1_000_000

        def overflow() -> None:
            if self._registers[_TIMER] & 1:
                self._bring()
                self.core.after(passes, overflow)

        self.core.after(passes, overflow)

    def _bring(self) -> None:
        assert self._registers[_DMA] == 1 and self._registers[_BITS] == 16
        size, channels = self._registers[_SIZE], self._registers[_CHANNELS]
        frames = np.full((size // 2 // channels, channels), 12345, "<i2")
        part = self.stream[self.heard : self.heard + len(frames)]
        frames[:, 0] = 0
        frames[: len(part), 0] = part
        address = self._registers[_ADDRESS] + size * self._block
        self.core.uc.mem_write(address, frames.tobytes())
        self.heard += len(frames)
        self._block = (self._block + 1) % self._registers[_BLOCKS]
        self._has_data = self._interrupts = True
        self.core.look()

    def play(self, pcm: np.ndarray) -> None:
        """Let the microphone hear samples from where it starts, and a quarter of a second more."""
        self.stream = pcm
        while self.heard < len(pcm) + 11025:
            self.core.run(CLOCK_HZ / 20)
            assert self.heard or self.core.now < 10 * CLOCK_HZ, self.lines()

    def lines(self) -> list[str]:
        """Return what has been printed."""
        return self._printed.decode().splitlines()
