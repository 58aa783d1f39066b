"""The system timer: two counters of 16 MHz, three alarms."""

from __future__ import annotations

from support.esp32c3.core import CLOCK_HZ, Core

_BASE, _END = 0x23000, 0x23100
_CONFIG, _OPERATE, _TARGETS, _ALARMS, _VALUES, _LOADS = 0x0, 0x4, 0x1C, 0x34, 0x40, 0x50
_ENABLE, _RAW, _CLEAR, _STATE = 0x64, 0x68, 0x6C, 0x70
_VALID, _PERIODIC, _PERIOD = 1 << 29, 1 << 30, (1 << 26) - 1
_CYCLES = CLOCK_HZ // 16_000_000


class SystemTimer:
    """The timer."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._registers: dict[int, int] = {}
        self._raw = 0
        self._generation = [0, 0, 0]

    def asking(self) -> list[int]:
        """Return the alarms that ask for an interrupt."""
        bits = self._raw & self._registers.get(_ENABLE, 0)
        return [number for number in range(3) if bits >> number & 1]

    def read(self, offset: int) -> int | None:
        """Return a register, if it is one of the timer's."""
        if not _BASE <= offset < _END:
            return None
        at = offset - _BASE
        now = self._core.now // _CYCLES
        if at in (_OPERATE, _OPERATE + 4):
            return _VALID
        if _VALUES <= at < _VALUES + 16:
            return now >> 32 if at % 8 == 0 else now & 0xFFFFFFFF
        if at in (_RAW, _STATE):
            return self._raw & (self._registers.get(_ENABLE, 0) if at == _STATE else -1)
        return self._registers.get(at, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register, if it is one of the timer's."""
        if not _BASE <= offset < _END:
            return
        at = offset - _BASE
        self._registers[at] = value
        if at == _CLEAR:
            self._raw &= ~value
        elif _LOADS <= at < _LOADS + 12:
            self._set((at - _LOADS) // 4)
        elif at == _CONFIG:
            for number in range(3):
                self._set(number)

    def _set(self, number: int) -> None:
        """Set an alarm for when its registers say."""
        self._generation[number] += 1
        if not self._registers.get(_CONFIG, 0) >> 24 - number & 1:
            return
        alarm, now = self._registers.get(_ALARMS + 4 * number, 0), self._core.now // _CYCLES
        if alarm & _PERIODIC:
            ticks = alarm & _PERIOD
        else:
            high, low = (self._registers.get(_TARGETS + 8 * number + at, 0) for at in (0, 4))
            ticks = max((high << 32 | low) - now, 0)
        generation = self._generation[number]

        def ring() -> None:
            if generation == self._generation[number]:
                self._raw |= 1 << number
                if alarm & _PERIODIC:
                    self._core.after(ticks * _CYCLES, ring)

        self._core.after(ticks * _CYCLES, ring)
