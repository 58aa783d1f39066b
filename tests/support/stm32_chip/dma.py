"""A DMA's channel (L4) or stream (F4, F7, H7) that brings a microphone's data into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.stm32_chip.device import Device, bits

if TYPE_CHECKING:
    from support.stm32_chip.chip import Chip

_STREAM_FLAGS = {"error": 3, "half": 4, "whole": 5}
_CHANNEL_FLAGS = {"whole": 1, "half": 2, "error": 3}


class Dma(Device):
    """The channel or stream that the board's microphone is given."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        controller, self.number = chip.wiring.dma
        self.has_streams = chip.family.has_streams
        self.bases = chip.family.dma
        self.base = self.bases[controller - 1]
        self.at = self.base + (
            0x10 + 0x18 * self.number if self.has_streams else 0x14 * self.number - 12
        )
        self.half = 0

    def before_write(self, address: int, value: int) -> None:
        """Clear flags that the core clears, and begin with the first half once it is on."""
        if address == self.at and value & 1 and not self.is_on():
            self.half = 0
        for base in self.bases:
            for clear, flags in ((8, 0), (0xC, 4)) if self.has_streams else ((4, 0),):
                if address == base + clear:
                    if not self.has_streams:  # GIF clears all flags of a channel
                        value |= sum(0xF << 4 * n for n in range(7) if value >> 4 * n & 1)
                    self.chip.write(base + flags, self.chip.read(base + flags) & ~value)

    def _registers(self) -> tuple[int, int, int, int]:
        """Return control register, count, peripheral and memory."""
        control, count, peripheral, memory = (self.chip.read(self.at + 4 * i) for i in range(4))
        return control, count, peripheral, memory

    def is_on(self) -> bool:
        """Return whether it moves data."""
        return bool(self.chip.read(self.at) & 1)

    def hear(self, data: bytes) -> None:
        """Write half of its buffer, and tell the core."""
        memory = self._registers()[3]
        self.chip.store(memory + len(data) * self.half, data)
        self._flag("whole" if self.half else "half")
        self.half = 1 - self.half

    def fail(self) -> None:
        """Meet a bus error: it switches itself off."""
        self.chip.write(self.at, self.chip.read(self.at) & ~1)
        self._flag("error")

    def _flag(self, name: str) -> None:
        """Set a flag and interrupt the core."""
        if self.has_streams:
            address = self.base + 4 * (self.number // 4)
            place = (0, 6, 16, 22)[self.number % 4] + _STREAM_FLAGS[name]
        else:
            address, place = self.base, 4 * (self.number - 1) + _CHANNEL_FLAGS[name]
        self.chip.write(address, self.chip.read(address) | 1 << place)
        self.chip.interrupt(self.chip.wiring.dma_name)

    def check(self) -> None:
        """Check that it moves the microphone's data in a circle, and interrupts the core."""
        control, count, peripheral, memory = self._registers()
        heard = self.chip.microphone
        size = {4: 2, 2: 1}[heard.item_bytes]
        assert count == 2 * heard.half_bytes // heard.item_bytes
        assert peripheral == heard.data_register
        if self.has_streams:
            assert control >> 8 & 1 and control >> 10 & 1 and not control >> 9 & 1
            assert bits(control, 7, 6) == 0 and bits(control, 14, 11) == size << 2 | size
            assert control & 0b11100 == 0b11100
        else:
            assert control & 0xFFF == 0xAF | size << 8 | size << 10
        assert self._request(control) == self.chip.wiring.request
        if self.chip.wiring.family == "h7":
            assert not 0x20000000 <= memory < 0x20020000  # DTCM, which DMA1 does not reach
        elif self.chip.wiring.family == "f4":
            assert memory >= 0x20000000  # not the CCM
        if self.chip.family.has_cache:
            assert memory % 32 == 0

    def _request(self, control: int) -> int:
        if self.chip.wiring.family == "h7":
            multiplexer = 0x40020800 + 4 * (8 * self.bases.index(self.base) + self.number)
            return self.chip.read(multiplexer) & 0x7F
        if self.has_streams:
            return bits(control, 27, 25)
        selection = self.chip.read(self.base + 0xA8)
        return bits(selection, 4 * self.number - 1, 4 * self.number - 4)
