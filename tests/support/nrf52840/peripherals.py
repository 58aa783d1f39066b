"""Nordic's peripherals: tasks that are triggered, events that happen, and what follows from them.

All by the nRF52840 Product Specification 1.1; numbers of registers are offsets in bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, ClassVar

from support.cortex_m import IRQ, Core

CLOCK_HZ = 64_000_000
_BASE, _SIZE, _PAGE = 0x40000000, 0x30000, 0x1000
_TASKS, _EVENTS, _END = 0x000, 0x100, 0x200
_SHORTS, _INTERRUPTS, _SET, _CLEAR = 0x200, 0x300, 0x304, 0x308


_OSCILLATORS = {0x0: (0x100, 0x40C), 0x8: (0x104, 0x418)}
"""For the task that starts one: its event and its status."""

_RUNS = 0x10001
"""Of a status: the crystal, which runs."""


class Bus:
    """What connects the core with the peripherals, and events with tasks.

    Args:
        core: the core.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.parts: dict[int, Peripheral] = {}
        self._plain: dict[int, int] = {}
        core.uc.mmio_map(_BASE, _SIZE, self._read, None, self._write, None)

    def connected(self, event: int) -> None:
        """Trigger the tasks that the PPI connects with the address of an event."""
        enabled = self.parts[0x1F000].registers.get(0x500, 0)
        registers = self.parts[0x1F000].registers
        for channel in range(20):
            if enabled >> channel & 1 and registers.get(0x510 + 8 * channel) == event:
                task = registers.get(0x514 + 8 * channel, 0) - _BASE
                self._write(None, task, 4, 1, None)

    def _read(self, uc: Any, offset: int, size: int, _: object) -> int:
        self.core.pass_time()
        part = self.parts.get(offset & -_PAGE)
        return part.read(offset % _PAGE) if part else self._plain.get(offset, 0)

    def _write(self, uc: Any, offset: int, size: int, value: int, _: object) -> None:
        part = self.parts.get(offset & -_PAGE)
        if part:
            part.write(offset % _PAGE, value)
        else:
            self._plain[offset] = value


class Peripheral:
    """A peripheral; its registers are what was written there unless a subclass knows better.

    Args:
        bus: the bus.
        at: offset of its registers from the first peripheral's.
    """

    shortcuts: ClassVar[Mapping[int, tuple[int, int]]] = {}
    """Event and task that a bit of SHORTS connects."""

    def __init__(self, bus: Bus, at: int) -> None:
        self.bus, self.at = bus, at
        self.registers: dict[int, int] = {}
        bus.parts[at] = self
        # An interrupt has the number of its peripheral's page.
        bus.core.lines[IRQ + at // _PAGE] = self._interrupts

    def _interrupts(self) -> bool:
        enabled = self.registers.get(_INTERRUPTS, 0)
        return bool(enabled) and any(
            enabled >> bit & 1 and self.registers.get(_EVENTS + 4 * bit) for bit in range(32)
        )

    def happen(self, event: int) -> None:
        """Have an event happen."""
        self.registers[event] = 1
        if self._interrupts():
            self.bus.core.look()
        for bit, (source, task) in self.shortcuts.items():
            if source == event and self.registers.get(_SHORTS, 0) >> bit & 1:
                self.trigger(task)
        self.bus.connected(_BASE + self.at + event)

    def read(self, offset: int) -> int:
        """Return a register."""
        return self.registers.get(_INTERRUPTS if offset in (_SET, _CLEAR) else offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Take what is written to a register."""
        if offset < _EVENTS:
            if value & 1:
                self.trigger(offset)
            return
        enabled = self.registers.get(_INTERRUPTS, 0)
        if offset == _SET:
            offset, value = _INTERRUPTS, enabled | value
        elif offset == _CLEAR:
            offset, value = _INTERRUPTS, enabled & ~value
        self.registers[offset] = value
        if offset == _INTERRUPTS:
            self.bus.core.look()

    def trigger(self, task: int) -> None:
        """Do a task."""


class Port:
    """The pins of port 0.

    Attributes:
        outputs: pins that are outputs.
        high: pins that would be high as outputs.
    """

    def __init__(self, core: Core) -> None:
        self.outputs: set[int] = set()
        self.high: set[int] = set()
        core.uc.mmio_map(0x50000000, _PAGE, self._read, None, self._write, None)

    def _read(self, *_: object) -> int:
        return 0

    def _write(self, uc: Any, offset: int, size: int, value: int, _: object) -> None:
        pins = {pin for pin in range(32) if value >> pin & 1}
        if offset == 0x508:
            self.high |= pins
        elif offset == 0x50C:
            self.high -= pins
        elif offset == 0x518:
            self.outputs |= pins
        elif offset == 0x51C:
            self.outputs -= pins
        elif 0x700 <= offset < 0x780 and value & 1:  # PIN_CNF
            self.outputs.add((offset - 0x700) // 4)


class Clock(Peripheral):
    """Oscillators, which run a moment after they were started."""

    def trigger(self, task: int) -> None:
        """Start or stop an oscillator."""
        if task in _OSCILLATORS:
            event, status = _OSCILLATORS[task]
            self.registers[status - 4] = 1

            def run() -> None:
                self.registers[status] = _RUNS
                self.happen(event)

            self.bus.core.after(CLOCK_HZ * 400e-6, run)
        elif task - 4 in _OSCILLATORS:
            self.registers[_OSCILLATORS[task - 4][1]] = 0


class Ppi(Peripheral):
    """Channels from events to tasks; CHENSET and CHENCLR act on CHEN."""

    def write(self, offset: int, value: int) -> None:
        """Take a register."""
        enabled = self.registers.get(0x500, 0)
        if offset == 0x504:
            self.registers[0x500] = enabled | value
        elif offset == 0x508:
            self.registers[0x500] = enabled & ~value
        else:
            self.registers[offset] = value


class Rtc(Peripheral):
    """A counter of 24 bits at 32,768 Hz."""

    _wrap = 1 << 24

    def __init__(self, bus: Bus, at: int) -> None:
        super().__init__(bus, at)
        self._start: int | None = None
        self._set: dict[int, int] = {}

    def _count(self) -> int:
        passed = 0 if self._start is None else self.bus.core.now - self._start
        return passed * 32768 // CLOCK_HZ

    def trigger(self, task: int) -> None:
        """Start or clear it."""
        if (task == 0 and self._start is None) or task == 8:
            self._start = self.bus.core.now
            for channel in range(4):
                self._plan(channel)

    def read(self, offset: int) -> int:
        """Return a register."""
        return self._count() % self._wrap if offset == 0x504 else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        """Take a register."""
        super().write(offset, value)
        if 0x540 <= offset < 0x550:
            self._plan((offset - 0x540) // 4)

    def _plan(self, channel: int) -> None:
        """Have the channel's event happen when the counter gets to its value."""
        if self._start is None or 0x540 + 4 * channel not in self.registers:
            return
        number = self._set[channel] = self._set.get(channel, 0) + 1
        now = self._count()
        ahead = (self.registers[0x540 + 4 * channel] - now - 1) % self._wrap + 1

        def reach() -> None:
            if self._set[channel] == number:
                self.happen(0x140 + 4 * channel)

        passed = -(-(now + ahead) * CLOCK_HZ // 32768)
        self.bus.core.after(self._start + passed - self.bus.core.now, reach)


class Timer(Peripheral):
    """A timer of 32 bits at 16 MHz, of which only captures are used."""

    def trigger(self, task: int) -> None:
        """Capture the counter."""
        if 0x40 <= task < 0x58:
            self.registers[0x540 + task - 0x40] = self.bus.core.now // 4 & 0xFFFFFFFF


class Uarte(Peripheral):
    """A UART that fetches and brings its bytes itself.

    Attributes:
        printed: bytes that the program has sent.
    """

    shortcuts: ClassVar[Mapping[int, tuple[int, int]]] = {5: (0x110, 0x0), 6: (0x110, 0x4)}

    def __init__(self, bus: Bus, at: int) -> None:
        super().__init__(bus, at)
        self.printed = bytearray()
        self._sent: list[int] = []
        self._received = 0
        self._listens = False

    def trigger(self, task: int) -> None:
        """Start or stop to send or to receive."""
        if task == 0x8:
            self._send()
        elif task == 0xC:
            self.bus.core.after(0, lambda: self.happen(0x158))
        elif task == 0x0:
            self._received, self._listens = 0, True
            self.happen(0x14C)
        elif task == 0x4:
            self._listens = False
            self._end()
            self.happen(0x144)

    def _send(self) -> None:
        start, size = self.registers.get(0x544, 0), self.registers.get(0x548, 0)
        self.printed += self.bus.core.uc.mem_read(start, size)
        self.happen(0x150)

        def end() -> None:
            self.registers[0x54C] = size
            self.happen(0x120)

        self.bus.core.after(size * self.byte_cycles(), end)

    def byte_cycles(self) -> float:
        """Return the cycles that a byte takes."""
        # The product specification's table of baud rates, within 0.2 %.
        return CLOCK_HZ * 10 * 2**32 / 16e6 / (self.registers.get(0x524) or 0x01D60000)

    def receive(self, data: bytes) -> None:
        """Let bytes come, one after the other."""
        is_idle = not self._sent
        self._sent += data
        if is_idle and self._sent:
            self.bus.core.after(self.byte_cycles(), self._bring)

    def _bring(self) -> None:
        byte = self._sent.pop(0)
        if self._listens:
            self.bus.core.uc.mem_write(
                self.registers.get(0x534, 0) + self._received, struct.pack("B", byte)
            )
            self._received += 1
            self.happen(0x108)
            if self._received == self.registers.get(0x538, 0):
                self._listens = False
                self._end()
        if self._sent:
            self.bus.core.after(self.byte_cycles(), self._bring)

    def _end(self) -> None:
        self.registers[0x53C] = self._received
        self.happen(0x110)
