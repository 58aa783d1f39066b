"""UARTs of STM32 chips: what the program prints, and bytes that it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.stm32_chip.device import Device

if TYPE_CHECKING:
    from support.stm32_chip.chip import Chip


class Uart(Device):
    """A UART of the newer kind, with flags in ISR and data in RDR and TDR.

    Attributes:
        printed: bytes that the program has sent.
        sent: bytes that wait for it.
    """

    control, divisor, status, data_in, data_out = 0x00, 0x0C, 0x1C, 0x24, 0x28
    ready = 0x006000C0
    """Flags that are always set: the transmitter is empty and done, both parts are on."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.name, self.at, _ = chip.wiring.uart
        self.printed = bytearray()
        self.sent: list[int] = []
        self.is_overrun = False

    def before_read(self, address: int) -> None:
        """Set the flags, or the next byte."""
        if address == self.at + self.status:
            flags = (0x20 if self.sent else 0) | (8 if self.is_overrun else 0)
            self.chip.write(address, self.ready | flags)
        elif address == self.at + self.data_in:
            self._before_data()

    def _before_data(self) -> None:
        if self.sent:
            self.chip.write(self.at + self.data_in, self.sent.pop(0))

    def before_write(self, address: int, value: int) -> None:
        """Take a byte, or that the overrun has been seen."""
        if address == self.at + self.data_out:
            self.printed.append(value & 0xFF)
        elif address == self.at + 0x20 and value & 8:
            self.is_overrun = False

    def has_byte(self) -> bool:
        """Return whether a byte waits and interrupts the core."""
        return bool(self.sent and self.chip.read(self.at + self.control) >> 5 & 1)

    def overrun(self) -> None:
        """Lose a byte."""
        self.is_overrun = True
        self.chip.interrupt(self.name)
        assert not self.is_overrun

    def baud(self, clock_hz: int) -> float:
        """Return the bits per second at a clock in Hz."""
        factor = 256 if self.name.startswith("LP") else 1
        return clock_hz * factor / self.chip.read(self.at + self.divisor)


class OldUart(Uart):
    """A UART of an STM32F4: flags in SR, and one register for data.

    An overrun ends when SR and then the data have been read.
    """

    control, divisor, status, data_in, data_out = 0x0C, 0x08, 0x00, 0x04, 0x04
    ready = 0xC0

    def _before_data(self) -> None:
        self.is_overrun = False
        super()._before_data()

    def overrun(self) -> None:
        """Lose the byte behind one that has not been read."""
        self.sent.insert(0, 0)
        super().overrun()


def uart(chip: Chip) -> Uart:
    """Return the UART that the debugger takes to the computer."""
    return OldUart(chip) if chip.wiring.family == "f4" else Uart(chip)
