"""The chip with a program in its flash, and what is around it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from support.esp32c3.core import CLOCK_HZ, Core
from support.esp32c3.rom import Rom
from support.esp32c3.sound import Sound
from support.esp32c3.timer import SystemTimer

_BASE, _BYTES = 0x60000000, 0x100000
_UART = 0x0
_MATRIX = 0xC2000
_ENABLES, _PRIORITIES, _THRESHOLD = _MATRIX + 0x104, _MATRIX + 0x114, _MATRIX + 0x194
_YIELD, _YIELD_SOURCE = 0xC0028, 50
_TIMER_SOURCES, _DMA_SOURCE = (37, 38, 39), 44
_LINES = range(1, 32)

_CALIBRATION, _CALIBRATED, _SLOW_CLOCK = 0x1F068, 1 << 15, 0x1F06C
_CRYSTAL = 0x80B8
_FIXED = {_SLOW_CLOCK: (1024 * 40_000_000 // 136_000) << 7, _CRYSTAL: 40 | 40 << 16}
"""The slow clock's 1,024 cycles in those of the crystal; its MHz, left by the bootloader."""

_INPUTS, _OUTPUTS, _PINS = 0x4154, 0x4554, range(22)
_DATA, _BIT_CLOCK, _WORD_SELECT, _NO_SIGNAL = 15, 16, 17, 128
"""Signals by their numbers in the GPIO matrix."""

_FLASH = [
    "esp_mspi_pin_init",
    "bootloader_flash_update_id",
    "spi_flash_init_chip_state",
    "esp_mmu_map_init",
    "bootloader_init_mem",
    "__esp_system_init_fn_init_flash",
]
"""Functions of the image that talk to the flash, of which there is none."""

_LOG = re.compile(r"[EWID] \(\d+\) ")


class Chip:
    """The chip.

    Args:
        image: ELF file, beside the .bin that is flashed.
    """

    def __init__(self, image: Path) -> None:
        self.core = Core(image)
        self._registers: dict[int, int] = {}
        self._printed = bytearray()
        Rom(self.core, self._store, self._load, self._printed.append)
        self._timer = SystemTimer(self.core)
        self.sound = Sound(self.core, self._registers)
        self.core.uc.mmio_map(_BASE, _BYTES, self._read, None, self._write, None)
        self.core.interrupt = self._interrupt
        for name in _FLASH:
            self.core.hook(self.core.addresses[name], lambda *_: self.core.leave(0))
        self.core.hook(self.core.addresses["panic_abort"], self._abort)

    def _abort(self, *_: object) -> None:
        self.core.fail(self.all() + self.core.text(self.core.get("A0")).decode())

    def _store(self, address: int, value: int) -> None:
        self._registers[address - _BASE] = value

    def _load(self, address: int) -> int:
        return self._registers.get(address - _BASE, 0)

    def _read(self, uc: Any, offset: int, size: int, _: object) -> int:
        value = self._timer.read(offset)
        if value is None:
            value = self.sound.read(offset)
        if value is None:
            value = self._registers.get(offset, 0)
            if offset == _CALIBRATION:
                value |= _CALIBRATED
            value = _FIXED.get(offset, value)
        return value

    def _write(self, uc: Any, offset: int, size: int, value: int, _: object) -> None:
        self._registers[offset] = value
        if offset == _UART:
            self._printed.append(value & 0xFF)
        self._timer.write(offset, value)
        self.sound.write(offset, value)
        if offset in (_YIELD, _THRESHOLD) and self._interrupt() is not None:
            self.core.stop_behind()

    def _sources(self) -> set[int]:
        """Return the numbers of what asks for an interrupt."""
        asking = {_YIELD_SOURCE} if self._registers.get(_YIELD, 0) else set()
        asking |= {_TIMER_SOURCES[number] for number in self._timer.asking()}
        return asking | {_DMA_SOURCE + number for number in self.sound.asking()}

    def _interrupt(self) -> int | None:
        enabled = self._registers.get(_ENABLES, 0)
        threshold = self._registers.get(_THRESHOLD, 0)
        lines = {self._registers.get(_MATRIX + 4 * source, 0) for source in self._sources()}
        priority = {line: self._registers.get(_PRIORITIES + 4 * line, 0) for line in _LINES}
        able = [
            line
            for line in lines & {*_LINES}
            if enabled >> line & 1 and priority[line] >= max(threshold, 1)
        ]
        return max(able, key=lambda line: (priority[line], -line)) if able else None

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.core.run(seconds * CLOCK_HZ)

    def all(self) -> str:
        """Return what has been printed."""
        return self._printed.decode(errors="replace").replace("\r\n", "\n")

    def lines(self) -> list[str]:
        """Return what the program has printed, without ESP-IDF's log."""
        return [line for line in self.all().splitlines() if line and not _LOG.match(line)]

    def play(self, pcm: np.ndarray) -> None:
        """Let the microphone hear samples from where it starts, and half a second of nothing."""
        self.sound.stream = pcm
        while self.sound.heard < len(pcm) + 22050:
            self.run(0.05)
            assert self.sound.heard or self.core.now < 10 * CLOCK_HZ, self.all()

    def line(self) -> int:
        """Return the core's interrupt that the DMA asks for."""
        return self._registers[_MATRIX + 4 * _DMA_SOURCE]

    def pins(self) -> tuple[int, int, int]:
        """Return the pins that give the bit clock and the word select, and take the data."""
        outputs = {self._registers.get(_OUTPUTS + 4 * pin, _NO_SIGNAL) & 0xFF: pin for pin in _PINS}
        return (
            outputs[_BIT_CLOCK],
            outputs[_WORD_SELECT],
            self._registers[_INPUTS + 4 * _DATA] & 0x1F,
        )
