"""The PDM interface: samples of a microphone, brought into memory buffer by buffer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from support.nrf52840.peripherals import CLOCK_HZ, Bus, Peripheral

_STARTED, _STOPPED, _END = 0x100, 0x104, 0x108
_ENABLE, _CLOCK, _MODE, _RATIO = 0x500, 0x504, 0x508, 0x520
_PINS, _POINTER, _MOST = (0x540, 0x544), 0x560, 0x564
_SOURCE_HZ = 32_000_000


class Pdm(Peripheral):
    """The interface with a microphone at its pins.

    A buffer's address is taken over where it begins, and STARTED happens: the program names the
    next one meanwhile.

    Args:
        bus: the bus.
        at: offset of its registers.

    Attributes:
        stream: int16 samples that the microphone gives from the start on, then zeros.
        heard: samples that have been brought.
        begins: for each start, the samples that had been brought.
    """

    def __init__(self, bus: Bus, at: int) -> None:
        super().__init__(bus, at)
        self.stream = np.zeros(0, np.int16)
        self.heard = 0
        self.begins: list[int] = []
        self._runs = False
        self.registers[_CLOCK] = 0x08400000

    def rate(self) -> Fraction:
        """Return the samples a second that the registers make."""
        divisor = 2**32 // self.registers[_CLOCK]
        return Fraction(_SOURCE_HZ, divisor * (80 if self.registers.get(_RATIO) else 64))

    def pins(self) -> tuple[int, int]:
        """Return the numbers of the clock's and the data's pin, 32 more for port 1."""
        clock, data = (self.registers.get(each, 1 << 31) for each in _PINS)
        return clock, data

    def is_on(self) -> bool:
        """Return whether it records one channel, sampled where the clock falls."""
        return self._runs and self.registers.get(_MODE) == 1

    def trigger(self, task: int) -> None:
        """Start or stop."""
        if task == 0x0 and self.registers.get(_ENABLE) and not self._runs:
            assert self.bus.parts[0].registers.get(0x40C), "the crystal does not run"
            self._runs = True
            self.begins.append(self.heard)
            self._begin()
        elif task == 0x4:
            self.stop()

    def write(self, offset: int, value: int) -> None:
        """Take a register."""
        super().write(offset, value)
        if offset == _ENABLE and not value & 1:
            self._runs = False

    def stop(self) -> None:
        """Stop within a sample."""
        self._runs = False
        self.bus.core.after(CLOCK_HZ / self.rate(), lambda: self.happen(_STOPPED))

    def _begin(self) -> None:
        pointer, size = self.registers.get(_POINTER, 0), self.registers.get(_MOST, 0)
        run = len(self.begins)

        def end() -> None:
            if self._runs and len(self.begins) == run:
                self._bring(pointer, size)
                self.happen(_END)
                self._begin()

        # What is of no length takes a sample's time.
        self.bus.core.after(max(size, 1) * CLOCK_HZ / self.rate(), end)
        self.happen(_STARTED)

    def _bring(self, pointer: int, size: int) -> None:
        samples = np.zeros(size, "<i2")
        part = self.stream[self.heard : self.heard + size]
        samples[: len(part)] = part
        self.bus.core.uc.mem_write(pointer, samples.tobytes())
        self.heard += size
