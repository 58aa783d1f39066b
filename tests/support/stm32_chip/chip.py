"""A chip: its core, its memory, and the devices that move its registers."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from support.stm32_chip.codec import Wm8994
from support.stm32_chip.device import Device, bits
from support.stm32_chip.dma import Dma
from support.stm32_chip.microphones import microphone
from support.stm32_chip.tables import FAMILIES, Wiring
from support.stm32_chip.uart import uart

_LINE = 32
"""Bytes of a line of the data cache."""

_RETURN = 0xF000
"""Where an interrupt's function returns to: nothing runs there."""

_PATIENCE_US = 60_000_000


class Chip:
    """A chip with a program in its flash; ``play`` runs it.

    Args:
        image: ELF file.
        wiring: the board.
        memory: first address and size in bytes of each region.
        header: the device's header, which numbers the interrupts.
    """

    def __init__(
        self, image: Path, wiring: Wiring, memory: Sequence[tuple[int, int]], header: Path
    ) -> None:
        import unicorn
        from unicorn import arm_const

        self.arm = arm_const
        self.wiring, self.header = wiring, header
        self.family = FAMILIES[wiring.family]
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(getattr(arm_const, f"UC_CPU_ARM_{self.family.core}"))
        others = ((0, 0x10000), (0x40000000, 0x20000000), (0xE0000000, 0x100000))
        for origin, size in (*memory, *others):
            self.uc.mem_map(origin, size + -size % 0x1000)
        for address, value in self.family.reset:
            self.write(address, value)
        self.flash = memory[0][0]
        self.uc.mem_write(self.flash, _binary(image))
        self.symbols = _symbols(image)
        self.enabled: set[int] = set()
        self.stale: dict[int, bytes] = {}
        self.is_at_step = False
        self.dma, self.uart = Dma(self), uart(self)
        self.codec = Wm8994(self) if wiring.i2c else None
        self.microphone = microphone(self)
        parts = (self.dma, self.uart, self.microphone, self.codec)
        self.devices: list[Device] = [each for each in parts if each is not None]
        self._add_hooks(unicorn)

    def _add_hooks(self, unicorn: Any) -> None:
        registers = {"begin": 0x40000000, "end": 0x5FFFFFFF}
        self.uc.hook_add(unicorn.UC_HOOK_MEM_READ, self._before_read, **registers)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._before_write, **registers)
        core = {"begin": 0xE0000000, "end": 0xE00FFFFF}
        self.uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._before_core_write, **core)
        for name, handler in (("HAL_GetTick", self._pass_time), ("asc_app_step", self._at_step)):
            at = self.symbols[name]
            self.uc.hook_add(unicorn.UC_HOOK_CODE, handler, begin=at, end=at)

    # Memory.

    def read(self, address: int) -> int:
        """Return a word."""
        return int(struct.unpack("<I", self.uc.mem_read(address, 4))[0])

    def write(self, address: int, value: int) -> None:
        """Write a word."""
        self.uc.mem_write(address, struct.pack("<I", value & 0xFFFFFFFF))

    def store(self, address: int, data: bytes) -> None:
        """Write to memory behind the core's back: cached lines keep what they had."""
        is_cached = self.family.has_cache and self.read(0xE000ED14) >> 16 & 1
        if not is_cached:
            self.uc.mem_write(address, data)
            return
        assert address % _LINE == 0 and len(data) % _LINE == 0
        for i in range(0, len(data), _LINE):
            self.stale[address + i] = data[i : i + _LINE]

    def _before_read(self, uc: Any, access: int, address: int, *_: Any) -> None:
        if self._is_bit(address):
            word, bit = _bit(address)
            self._set_before_read(word)
            self.write(address, self.read(word) >> bit & 1)
        else:
            self._set_before_read(address)

    def _set_before_read(self, address: int) -> None:
        for at, bit, other, other_bit in self.family.follow:
            if at == address:
                is_on = self.read(other) >> other_bit & 1
                self.write(at, self.read(at) & ~(1 << bit) | is_on << bit)
        for device in self.devices:
            device.before_read(address)

    def _before_write(
        self, uc: Any, access: int, address: int, size: int, value: int, *_: Any
    ) -> None:
        if self._is_bit(address):
            word, bit = _bit(address)
            value = self.read(word) & ~(1 << bit) | (value & 1) << bit
            self._take_before_write(word, value)
            self.write(word, value)
        else:
            self._take_before_write(address, value)

    def _take_before_write(self, address: int, value: int) -> None:
        for device in self.devices:
            device.before_write(address, value)

    def _is_bit(self, address: int) -> bool:
        """Return whether an address stands for a bit of a register, as on a Cortex-M4."""
        return not self.family.has_cache and 0x42000000 <= address < 0x44000000

    def _before_core_write(
        self, uc: Any, access: int, address: int, size: int, value: int, *_: Any
    ) -> None:
        if 0xE000E100 <= address < 0xE000E140:
            first = (address - 0xE000E100) * 8
            self.enabled |= {first + bit for bit in range(32) if value >> bit & 1}
        elif address == 0xE000EF5C:  # DCIMVAC: what is in the memory is seen from now on
            line = value & -_LINE
            if line in self.stale:
                self.uc.mem_write(line, self.stale.pop(line))

    def _pass_time(self, *_: Any) -> None:
        """Let a millisecond pass whenever the program asks for the time, as when it waits."""
        at = self.symbols["uwTick"]
        self.write(at, self.read(at) + 1)

    # The core.

    def _at_step(self, uc: Any, *_: Any) -> None:
        if self.is_at_step:
            self.is_at_step = False
        else:
            self.is_at_step = True
            uc.emu_stop()

    def _run_to_step(self, pc: int) -> None:
        self.uc.emu_start(pc | 1, 0xFFFFFFFE, timeout=_PATIENCE_US)
        assert self.is_at_step, f"no step: {self._where()}; printed {bytes(self.uart.printed)!r}"

    def _where(self) -> str:
        pc = self.uc.reg_read(self.arm.UC_ARM_REG_PC)
        below = [(at & -2, name) for name, at in self.symbols.items() if at & -2 <= pc]
        return f"{max(below)[1]} at {pc:#x}"

    def interrupt(self, name: str) -> None:
        """Have the core take an interrupt, by its name in the device's header, if it is enabled."""
        found = re.search(rf"^\s*{name}_IRQn\s*=\s*(-?\d+)", self.header.read_text("latin-1"), re.M)
        assert found, name
        number = int(found[1])
        assert number < 0 or number in self.enabled, f"{name} is not enabled"
        context = self.uc.context_save()
        self.uc.reg_write(self.arm.UC_ARM_REG_LR, _RETURN | 1)
        handler = self.read(self.flash + 4 * (16 + number))
        self.uc.emu_start(handler | 1, _RETURN, timeout=_PATIENCE_US)
        assert self.uc.reg_read(self.arm.UC_ARM_REG_PC) == _RETURN, f"{name}: {self._where()}"
        self.uc.context_restore(context)

    # The world.

    def boot(self) -> None:
        """Run up to the application's first step."""
        self.uc.reg_write(self.arm.UC_ARM_REG_SP, self.read(self.flash))
        self._run_to_step(self.read(self.flash + 4))

    def run(self, instructions: int) -> None:
        """Run a number of instructions from a reset on, however far they get."""
        self.uc.reg_write(self.arm.UC_ARM_REG_SP, self.read(self.flash))
        self.uc.emu_start(self.read(self.flash + 4) | 1, 0xFFFFFFFE, count=instructions)

    def step(self) -> None:
        """Run a step of the application, and what interrupts it."""
        self.interrupt("SysTick")
        while self.uart.has_byte():
            self.interrupt(self.wiring.uart[0])
        self._run_to_step(self.uc.reg_read(self.arm.UC_ARM_REG_PC))

    def is_recording(self) -> bool:
        """Return whether the DMA and what reads the microphone both run."""
        return self.dma.is_on() and self.microphone.is_on()

    def play(
        self, stream: np.ndarray, *, before: Callable[[int], None] = lambda half: None
    ) -> None:
        """Let the microphone hear a stream, half a buffer for each step.

        Args:
            stream: what the microphone gives (``microphones``), whole halves.
            before: called with the number of each half before it is heard.
        """
        for number, half in enumerate(stream.reshape(-1, self.microphone.half)):
            before(number)
            if self.is_recording():
                self.dma.hear(self.microphone.stored(half))
            self.step()

    def lines(self) -> list[str]:
        """Return what has been printed."""
        return self.uart.printed.decode().replace("\r\n", "\n").splitlines()

    # What must be set.

    def check(self, rate: Fraction, clock_hz: int) -> None:
        """Check what a microphone and a serial port need to be set besides."""
        for port, number, function in self._pins():
            assert bits(self.read(port), 2 * number + 1, 2 * number) == 2, (port, number)
            alternate = self.read(port + 0x20 + 4 * (number // 8))
            found = bits(alternate, 4 * (number % 8) + 3, 4 * (number % 8))
            assert found == function, (port, number)
        if self.wiring.supply:
            port, number = self._pin(self.wiring.supply)
            assert self.read(port + 0x18) >> number & 1
        for address, bit in self.wiring.clocks:
            assert self.read(address) >> bit & 1, f"clock {address:#x}.{bit}"
        assert self.read(self.symbols["SystemCoreClock"]) == clock_hz
        self.dma.check()
        self.microphone.check()
        found_rate = self.microphone.rate()
        assert abs(found_rate / rate - 1) < 500e-6, float(found_rate)
        baud = self.uart.baud(clock_hz // self.wiring.uart[2])
        assert abs(baud / 115200 - 1) < 0.01, baud
        assert self.read(0xE000EDFC) >> 24 & 1 and self.read(0xE0001000) & 1  # cycle counter
        if self.family.has_cache:
            assert self.read(0xE0001FB0) == 0xC5ACCE55  # unlocked
            assert bits(self.read(0xE000ED14), 17, 16) == 3  # both caches

    def _pins(self) -> Iterator[tuple[int, int, int]]:
        for pin, function in self.wiring.pins.items():
            yield (*self._pin(pin), function)

    def _pin(self, pin: str) -> tuple[int, int]:
        return self.family.gpio + 0x400 * (ord(pin[1]) - ord("A")), int(pin[2:])


def _bit(address: int) -> tuple[int, int]:
    """Return the address and the number of the bit that an address of the bit-band stands for."""
    offset = address - 0x42000000
    return 0x40000000 + offset // 128 * 4, offset % 128 // 4


def _binary(image: Path) -> bytes:
    out = image.with_suffix(".bin")
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", image, out], check=True)
    return out.read_bytes()


def _symbols(image: Path) -> dict[str, int]:
    text = subprocess.run(
        ["arm-none-eabi-nm", image], check=True, capture_output=True, text=True
    ).stdout
    rows = (line.split() for line in text.splitlines())
    return {row[2]: int(row[0], 16) for row in rows if len(row) == 3}
