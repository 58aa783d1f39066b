"""A codec WM8994 on an I2C, as far as its registers are written."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from support.stm32_chip.device import Device, bits

if TYPE_CHECKING:
    from support.stm32_chip.chip import Chip


class Wm8994(Device):
    """The codec with the bus that it is on.

    Attributes:
        is_there: whether it acknowledges.
        registers: what has been written, by number.
    """

    def __init__(self, chip: Chip) -> None:
        self.chip, self.at = chip, chip.wiring.i2c
        self.is_there = True
        self.registers: dict[int, int] = {}
        self.on_bus: list[int] = []
        self.awaited = 0

    def before_read(self, address: int) -> None:
        """Set the bus's flags: a byte is wanted (TXIS), or all have gone (STOPF)."""
        if address == self.at + 0x18:
            flags = 2 if len(self.on_bus) < self.awaited else 0x20
            # Nobody acknowledges (NACKF).
            self.chip.write(address, 1 | (flags if self.is_there else 0x30))
        elif address == self.at + 4:  # START does not stay
            self.chip.write(address, self.chip.read(address) & ~(1 << 13))

    def before_write(self, address: int, value: int) -> None:
        """Take START with the number of bytes, or a byte."""
        if address == self.at + 4 and value >> 13 & 1:
            assert value & 0x3FF == 0x34 and not value >> 10 & 1, "nobody at this address"
            self.awaited = bits(value, 23, 16)  # the first of them may have come before
        elif address == self.at + 0x28:
            self.on_bus.append(value & 0xFF)
            if len(self.on_bus) == self.awaited:
                number, word = struct.unpack(">HH", bytes(self.on_bus))
                self.on_bus, self.awaited = [], 0
                self.registers = {} if number == 0 else {**self.registers, number: word}

    def check(self) -> None:
        """Check its registers, whose bits ST's driver stm32-wm8994 explains."""
        has = self.registers
        assert has[0x01] & 1 and bits(has[0x01], 2, 1) == 1  # bias, VMID
        assert has[0x04] >> 5 & 1 and has[0x04] >> 11 & 1  # DMIC2 left, AIF1ADC2 left
        assert has[0x608] & 2  # from there to timeslot 1
        assert has[0x200] == 1 and has[0x208] & 0xB == 0xA  # AIF1 from MCLK1, clocks on
        assert has[0x210] == 0x73  # 44.1 kHz, 256 clocks
        assert bits(has[0x300], 6, 3) == 2 and not has[0x302] >> 14 & 1  # I2S of 16 bits, slave
