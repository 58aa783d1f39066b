"""STM32 chips as far as the application uses them, around a core that Unicorn emulates.

The image is the one that would be flashed: ST's start-up code and HAL with what was generated. Its
registers are memory, in which this module moves what the hardware moves: ready bits, the UART,
the DMA, and an SAI or a DFSDM that hears a clip. What is wired to which pin, which request a DMA
hears and where a PLL gets its clock from stands here a second time, by the reference manuals
RM0351 (L4), RM0385 (F7) and RM0433 (H7) and the data sheets.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

HALF = 256
"""Samples of half of the DMA's buffer."""

LINE = 32
"""Bytes of a line of the data cache."""

_RETURN = 0xF000
"""Where an interrupt's function returns to: nothing runs there."""

_FILTER = 0x40016100
"""Filter 0 of the DFSDM of an L4."""

_PATIENCE_US = 60_000_000


def bits(value: int, highest: int, lowest: int) -> int:
    """Return a field of a register."""
    return value >> lowest & (1 << highest - lowest + 1) - 1


@dataclass(frozen=True, kw_only=True)
class Family:
    """A line of chips.

    Attributes:
        reset: values of registers after a reset, by address.
        follow: by address of a register, bits of it that are set while another is: address and
            number of the other, and number of the bit.
        gpio: address of port A.
        sai1: address of SAI1.
        dma: addresses of DMA1 and DMA2.
        has_streams: whether the DMA has streams (F7, H7) or channels (L4).
        has_cache: whether there is a data cache.
    """

    reset: Mapping[int, int]
    follow: Mapping[int, Sequence[tuple[int, int, int]]]
    gpio: int
    sai1: int
    dma: tuple[int, int]
    has_streams: bool
    has_cache: bool


_RCC_L4, _RCC_F7, _RCC_H7 = 0x40021000, 0x40023800, 0x58024400


def _same(address: int, *pairs: tuple[int, int]) -> dict[int, list[tuple[int, int, int]]]:
    """Return the bits of a register that follow others of it: the other's number and the bit's."""
    return {address: [(address, other, bit) for other, bit in pairs]}


FAMILIES = {
    "l4": Family(
        reset={_RCC_L4: 0x63},
        follow={
            **_same(_RCC_L4, (0, 1), (8, 10), (16, 17), (24, 25), (26, 27), (28, 29)),
            **_same(_RCC_L4 + 0x08, (0, 2), (1, 3)),
            **_same(_RCC_L4 + 0x90, (0, 1)),
        },
        gpio=0x48000000,
        sai1=0x40015400,
        dma=(0x40020000, 0x40020400),
        has_streams=False,
        has_cache=False,
    ),
    "f7": Family(
        reset={_RCC_F7: 0x83, _RCC_F7 + 4: 0x24003010},
        follow={
            **_same(_RCC_F7, (0, 1), (16, 17), (24, 25), (26, 27), (28, 29)),
            **_same(_RCC_F7 + 0x08, (0, 2), (1, 3)),
            0x40007004: [(0x40007000, 16, 16), (0x40007000, 17, 17)],
        },
        gpio=0x40020000,
        sai1=0x40015800,
        dma=(0x40026000, 0x40026400),
        has_streams=True,
        has_cache=True,
    ),
    "h7": Family(
        reset={_RCC_H7: 0x25, 0x58024804: 0x2000, 0x58024818: 0x2000, 0x5802480C: 0x6},
        follow={
            **_same(_RCC_H7, (0, 2), (7, 8), (12, 13), (16, 17), (24, 25), (26, 27), (28, 29)),
            **_same(_RCC_H7 + 0x10, (0, 3), (1, 4), (2, 5)),
        },
        gpio=0x58020000,
        sai1=0x40015800,
        dma=(0x40020000, 0x40020400),
        has_streams=True,
        has_cache=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """A board: what must be set for its microphone and its UART to work.

    Attributes:
        family: line of chips.
        chip: ST's name of the chip, as the device's header has it.
        uart: name and address of the UART that the debugger takes to the computer.
        uart_pins: its pins with their alternate functions.
        pins: the microphone's pins with their alternate functions.
        dma: number of the controller and of its channel or stream.
        request: the number by which that hears the reader of the microphone.
        clocks: addresses of registers with a bit each that lets a part of the chip run.
        oscillator_hz: clock in Hz from outside.
        channel: channel of the DFSDM, None for the SAI.
        block: number of the SAI and its block, A or B.
        i2c: address of the I2C on which a codec WM8994 is, 0 without one.
        supply: a pin that must be high.
    """

    family: str
    chip: str
    uart: tuple[str, int]
    uart_pins: Mapping[str, int]
    pins: Mapping[str, int]
    dma: tuple[int, int]
    request: int
    clocks: Sequence[tuple[int, int]]
    oscillator_hz: int = 8_000_000
    channel: int | None = None
    block: str = "1A"
    i2c: int = 0
    supply: str | None = None

    @property
    def dma_name(self) -> str:
        """The interrupt's name."""
        kind = "Stream" if FAMILIES[self.family].has_streams else "Channel"
        return f"DMA{self.dma[0]}_{kind}{self.dma[1]}"


@dataclass
class Chip:
    """A chip with a program in its flash; ``play`` runs it.

    Attributes:
        image: ELF file.
        wiring: the board.
        memory: first address and size in bytes of each region.
        header: the device's header, which numbers the interrupts.
    """

    image: Path
    wiring: Wiring
    memory: Sequence[tuple[int, int]]
    header: Path
    printed: bytearray = field(default_factory=bytearray)
    sent: list[int] = field(default_factory=list)
    stale: dict[int, bytes] = field(default_factory=dict)
    is_filter_on: bool = False
    is_uart_overrun: bool = False
    is_codec_there: bool = True
    codec: dict[int, int] = field(default_factory=dict)
    on_bus: list[int] = field(default_factory=list)
    awaited: int = 0

    def __post_init__(self) -> None:
        """Map the memory and flash the program."""
        import unicorn
        from unicorn import arm_const as arm

        self.arm = arm
        self.family = FAMILIES[self.wiring.family]
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(
            arm.UC_CPU_ARM_CORTEX_M7 if self.family.has_cache else arm.UC_CPU_ARM_CORTEX_M4
        )
        for origin, size in (
            *self.memory,
            (0, 0x10000),
            (0x40000000, 0x20000000),
            (0xE0000000, 0x100000),
        ):
            self.uc.mem_map(origin, size + -size % 0x1000)
        for address, value in self.family.reset.items():
            self.write(address, value)
        self.flash = self.memory[0][0]
        self.uc.mem_write(self.flash, self._binary())
        self.symbols = self._symbols()
        self.enabled: set[int] = set()
        for kind, handler in (
            (unicorn.UC_HOOK_MEM_READ, self._before_read),
            (unicorn.UC_HOOK_MEM_WRITE, self._before_write),
        ):
            self.uc.hook_add(kind, handler, begin=0x40000000, end=0x5FFFFFFF)
        self.uc.hook_add(
            unicorn.UC_HOOK_MEM_WRITE, self._before_core_write, begin=0xE0000000, end=0xE00FFFFF
        )
        tick = self.symbols["HAL_GetTick"]
        self.uc.hook_add(unicorn.UC_HOOK_CODE, self._pass_time, begin=tick, end=tick)
        step = self.symbols["asc_app_step"]
        self.uc.hook_add(unicorn.UC_HOOK_CODE, self._at_step, begin=step, end=step)
        self.is_at_step = False
        self.half = 0

    def _binary(self) -> bytes:
        out = self.image.with_suffix(".bin")
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", self.image, out], check=True)
        return out.read_bytes()

    def _symbols(self) -> dict[str, int]:
        text = subprocess.run(
            ["arm-none-eabi-nm", self.image], check=True, capture_output=True, text=True
        ).stdout
        rows = (line.split() for line in text.splitlines())
        return {row[2]: int(row[0], 16) for row in rows if len(row) == 3}

    # Memory.

    def read(self, address: int) -> int:
        """Return a word."""
        return int(struct.unpack("<I", self.uc.mem_read(address, 4))[0])

    def write(self, address: int, value: int) -> None:
        """Write a word."""
        self.uc.mem_write(address, struct.pack("<I", value & 0xFFFFFFFF))

    def _before_read(self, uc: Any, access: int, address: int, *_: Any) -> None:
        for other, other_bit, bit in self.family.follow.get(address, ()):
            is_on = self.read(other) >> other_bit & 1
            self.write(address, self.read(address) & ~(1 << bit) | is_on << bit)
        if self.wiring.i2c and address == self.wiring.i2c + 0x18:
            self.write(address, self._bus_status())
        elif self.wiring.i2c and address == self.wiring.i2c + 4:  # START does not stay
            self.write(address, self.read(address) & ~(1 << 13))
        uart = self.wiring.uart[1]
        if address == uart + 0x1C:
            overrun = 8 if self.is_uart_overrun else 0
            self.write(address, 0x006000C0 | (0x20 if self.sent else 0) | overrun)
        elif address == uart + 0x24 and self.sent:
            self.write(address, self.sent.pop(0))

    def _before_write(
        self, uc: Any, access: int, address: int, size: int, value: int, *_: Any
    ) -> None:
        if self.wiring.i2c and 0 <= address - self.wiring.i2c < 0x400:
            self._before_bus_write(address - self.wiring.i2c, value)
        if address == self.wiring.uart[1] + 0x28:
            self.printed.append(value & 0xFF)
        elif address == self.wiring.uart[1] + 0x20 and value & 8:
            self.is_uart_overrun = False
        elif address == self.sai + 0x18:  # CLRFR
            status = self.sai + 0x14
            self.write(status, self.read(status) & ~value)
        if address == self._dma_at and value & 1 and not self.read(address) & 1:
            self.half = 0
        for base in self.family.dma:
            for clear, flags in ((8, 0), (0xC, 4)) if self.family.has_streams else ((4, 0),):
                if address == base + clear:
                    if not self.family.has_streams:  # GIF clears all flags of a channel
                        value |= sum(0xF << 4 * n for n in range(7) if value >> 4 * n & 1)
                    self.write(base + flags, self.read(base + flags) & ~value)
        if address == _FILTER:
            if not value & 1:
                self.is_filter_on = False
            elif value >> 17 & 1 and self.read(address) & 1:
                self.is_filter_on = True

    def _before_core_write(
        self, uc: Any, access: int, address: int, size: int, value: int, *_: Any
    ) -> None:
        if 0xE000E100 <= address < 0xE000E140:
            first = (address - 0xE000E100) * 8
            self.enabled |= {first + bit for bit in range(32) if value >> bit & 1}
        elif address == 0xE000EF5C:  # DCIMVAC: what is in the memory is seen from now on
            line = value & -LINE
            if line in self.stale:
                self.uc.mem_write(line, self.stale.pop(line))

    def _pass_time(self, *_: Any) -> None:
        """Let a millisecond pass whenever the program asks for the time, as when it waits."""
        at = self.symbols["uwTick"]
        self.write(at, self.read(at) + 1)

    @property
    def sai(self) -> int:
        """Address of the registers of the block of the SAI that hears the microphone."""
        return self._sai_block(self.wiring.block)

    def _sai_block(self, block: str) -> int:
        return self.family.sai1 + 0x400 * (int(block[0]) - 1) + (4 if block[1] == "A" else 0x24)

    # The codec.

    def _before_bus_write(self, at: int, value: int) -> None:
        """Take a write to the I2C: START with the number of bytes, or a byte."""
        if at == 4 and value >> 13 & 1:
            assert value & 0x3FF == 0x34 and not value >> 10 & 1, "nobody at this address"
            self.awaited = bits(value, 23, 16)  # the first of them may have come before
        elif at == 0x28:
            self.on_bus.append(value & 0xFF)
            if len(self.on_bus) == self.awaited:
                number, word = struct.unpack(">HH", bytes(self.on_bus))
                self.on_bus, self.awaited = [], 0
                self.codec = {} if number == 0 else {**self.codec, number: word}

    def _bus_status(self) -> int:
        """Return the register ISR: a byte is wanted (TXIS), or all have gone (STOPF)."""
        if not self.is_codec_there:
            return 1 | 0x30  # nobody acknowledges (NACKF)
        return 1 | (2 if len(self.on_bus) < self.awaited else 0x20)

    # The core.

    def _at_step(self, uc: Any, *_: Any) -> None:
        if self.is_at_step:
            self.is_at_step = False
        else:
            self.is_at_step = True
            uc.emu_stop()

    def _run_to_step(self, pc: int) -> None:
        self.uc.emu_start(pc | 1, 0xFFFFFFFE, timeout=_PATIENCE_US)
        assert self.is_at_step, f"no step: {self._where()}; printed {bytes(self.printed)!r}"

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

    # The DMA.

    def _dma(self) -> tuple[int, int, int, int]:
        """Return control register, count, peripheral and memory of the DMA."""
        control, count, peripheral, memory = (self.read(self._dma_at + 4 * i) for i in range(4))
        return control, count, peripheral, memory

    @property
    def _dma_at(self) -> int:
        """Address of the registers of the DMA's channel or stream."""
        controller, number = self.wiring.dma
        base = self.family.dma[controller - 1]
        return base + (0x10 + 0x18 * number if self.family.has_streams else 0x14 * number - 12)

    def is_recording(self) -> bool:
        """Return whether the DMA and what reads the microphone both run."""
        control = self._dma()[0]
        if self.wiring.channel is not None:
            return bool(control & 1) and self.is_filter_on
        return bool(control & 1) and bits(self.read(self.sai), 17, 16) == 3

    def _flag(self, name: str) -> None:
        """Set a flag of the DMA and have it interrupt the core."""
        controller, number = self.wiring.dma
        base = self.family.dma[controller - 1]
        if self.family.has_streams:
            address = base + 4 * (number // 4)
            place = (0, 6, 16, 22)[number % 4] + {"error": 3, "half": 4, "whole": 5}[name]
        else:
            address, place = base, 4 * (number - 1) + {"whole": 1, "half": 2, "error": 3}[name]
        self.write(address, self.read(address) | 1 << place)
        self.interrupt(self.wiring.dma_name)

    def _store(self, address: int, data: bytes) -> None:
        """Write to memory behind the core's back: cached lines keep what they had."""
        is_cached = self.family.has_cache and self.read(0xE000ED14) >> 16 & 1
        if not is_cached:
            self.uc.mem_write(address, data)
            return
        assert address % LINE == 0 and len(data) % LINE == 0
        for i in range(0, len(data), LINE):
            self.stale[address + i] = data[i : i + LINE]

    def fail(self) -> None:
        """Have the DMA meet a bus error: it switches itself off."""
        self.write(self._dma_at, self.read(self._dma_at) & ~1)
        self._flag("error")

    def overrun(self) -> None:
        """Have the SAI meet an overrun: a sample is lost, and it goes on."""
        status = self.sai + 0x14
        assert self.read(status - 4) & 1, "its interrupt is masked"
        self.write(status, self.read(status) | 1)
        self.interrupt(f"SAI{self.wiring.block[0]}")
        assert not self.read(status) & 1

    def overrun_uart(self) -> None:
        """Have the UART lose a byte."""
        self.is_uart_overrun = True
        self.interrupt(self.wiring.uart[0])
        assert not self.is_uart_overrun

    def _hear(self, words: np.ndarray) -> None:
        count, memory = self._dma()[1], self._dma()[3]
        assert count == 2 * HALF
        self._store(memory + 4 * HALF * self.half, words.astype("<u4").tobytes())
        self._flag("whole" if self.half else "half")
        self.half = 1 - self.half

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
        while self.sent and self.read(self.wiring.uart[1]) >> 5 & 1:
            self.interrupt(self.wiring.uart[0])
        self._run_to_step(self.uc.reg_read(self.arm.UC_ARM_REG_PC))

    def play(self, pcm: np.ndarray, *, before: Callable[[int], None] = lambda half: None) -> None:
        """Let the microphone hear 16-bit samples, half a buffer for each step.

        Args:
            pcm: int16 samples, whole halves.
            before: called with the number of each half before it is heard.
        """
        for number, half in enumerate(pcm.reshape(-1, HALF)):
            before(number)
            if self.is_recording():
                self._hear(self._words(half))
            self.step()

    def _words(self, pcm: np.ndarray) -> np.ndarray:
        if self.wiring.channel is not None:
            # 18 bits of the filter in the upper 24 of a word, and the number of the channel.
            return (pcm.astype(np.int32) << (3 + 8)) | self.wiring.channel
        if self.wiring.i2c:
            # The codec's timeslots 0, of which nobody knows what it holds, and 1.
            return (0x5A5A << 16) | (pcm.astype(np.int32) & 0xFFFF)
        # 24 bits of the microphone in the upper ones of a word.
        return (pcm.astype(np.int32) << 16) | 0x5A00

    def lines(self) -> list[str]:
        """Return what has been printed."""
        return self.printed.decode().replace("\r\n", "\n").splitlines()

    # What must be set.

    def check(self, rate: Fraction, clock_hz: int) -> None:
        """Check what a microphone and a serial port need to be set besides."""
        wiring = self.wiring
        for pin, function in {**wiring.pins, **wiring.uart_pins}.items():
            port = self.family.gpio + 0x400 * (ord(pin[1]) - ord("A"))
            number = int(pin[2:])
            assert bits(self.read(port), 2 * number + 1, 2 * number) == 2, pin
            alternate = self.read(port + 0x20 + 4 * (number // 8))
            assert bits(alternate, 4 * (number % 8) + 3, 4 * (number % 8)) == function, pin
        if wiring.supply:
            port = self.family.gpio + 0x400 * (ord(wiring.supply[1]) - ord("A"))
            assert self.read(port + 0x18) >> int(wiring.supply[2:]) & 1
        for address, bit in wiring.clocks:
            assert self.read(address) >> bit & 1, f"clock {address:#x}.{bit}"
        assert self.read(self.symbols["SystemCoreClock"]) == clock_hz
        self._check_dma()
        if wiring.channel is None:
            self._check_sai()
        assert abs(self._rate() / rate - 1) < 500e-6, float(self._rate())
        assert abs(self._baud(clock_hz) / 115200 - 1) < 0.01, self._baud(clock_hz)
        assert self.read(0xE000EDFC) >> 24 & 1 and self.read(0xE0001000) & 1  # cycle counter
        if self.family.has_cache:
            assert self.read(0xE0001FB0) == 0xC5ACCE55  # unlocked
            assert bits(self.read(0xE000ED14), 17, 16) == 3  # both caches

    def _check_dma(self) -> None:
        control, count, peripheral, memory = self._dma()
        controller, number = self.wiring.dma
        base = self.family.dma[controller - 1]
        assert count == 2 * HALF
        expected = 0x4001611C if self.wiring.channel is not None else self.sai + 0x1C
        assert peripheral == expected
        if self.family.has_streams:
            assert control >> 8 & 1 and control >> 10 & 1 and not control >> 9 & 1
            assert bits(control, 7, 6) == 0 and bits(control, 14, 11) == 0b1010
            assert control & 0b11100 == 0b11100
        else:
            assert control & 0xFFF == 0xAAF
        if self.wiring.family == "h7":
            request = self.read(0x40020800 + 4 * (8 * (controller - 1) + number)) & 0x7F
            assert not 0x20000000 <= memory < 0x20020000  # DTCM, which DMA1 does not reach
        elif self.wiring.family == "f7":
            request = bits(control, 27, 25)
        else:
            request = bits(self.read(base + 0xA8), 4 * number - 1, 4 * number - 4)
        assert request == self.wiring.request
        if self.family.has_cache:
            assert memory % LINE == 0

    @property
    def _master(self) -> int:
        """Address of the block of the SAI that makes the clocks: the other one for a codec."""
        return self._sai_block("2A") if self.wiring.i2c else self.sai

    def _check_sai(self) -> None:
        for block in {self.sai, self._master}:
            self._check_block(block)
        master = self.read(self._master)
        assert bits(master, 1, 0) == 1 and bits(master, 11, 10) == 0 and master >> 16 & 1
        if self.wiring.i2c:
            control = self.read(self.sai)
            assert bits(control, 1, 0) == 3 and bits(control, 11, 10) == 1  # slave of the other
            self._check_codec()

    def _check_codec(self) -> None:
        """Check the codec's registers, whose bits ST's driver stm32-wm8994 explains."""
        codec = self.codec
        assert codec[0x01] & 1 and bits(codec[0x01], 2, 1) == 1  # bias, VMID
        assert codec[0x04] >> 5 & 1 and codec[0x04] >> 11 & 1  # DMIC2 left, AIF1ADC2 left
        assert codec[0x608] & 2  # from there to timeslot 1
        assert codec[0x200] == 1 and codec[0x208] & 0xB == 0xA  # AIF1 from MCLK1, clocks on
        assert codec[0x210] == 0x73  # 44.1 kHz, 256 clocks
        assert bits(codec[0x300], 6, 3) == 2 and not codec[0x302] >> 14 & 1  # I2S of 16 bits, slave

    def _check_block(self, block: int) -> None:
        control, _, frame, slots = (self.read(block + 4 * i) for i in range(4))
        assert bits(control, 3, 2) == 0  # free protocol
        assert bits(control, 7, 5) == 7 and not control >> 8 & 1  # 32 bits, the highest first
        assert control >> 9 & 1  # sampled while the clock rises
        assert not control >> 19 & 1  # the divider is in use
        assert bits(frame, 7, 0) == 63 and bits(frame, 14, 8) == 31
        assert bits(frame, 18, 16) == 0b101  # I2S: low for the left slot, a clock before it
        assert bits(slots, 31, 16) == 1 and bits(slots, 11, 8) == 1 and bits(slots, 7, 6) == 2

    def _rate(self) -> Fraction:
        """Return the sample rate that the registers make, in Hz."""
        if self.wiring.family == "f7":
            main, pll, select = (self.read(_RCC_F7 + at) for at in (4, 0x84, 0x8C))
            select_at = 20 if self.wiring.block[0] == "1" else 22
            assert main >> 22 & 1 and bits(select, select_at + 1, select_at) == 1
            vco = Fraction(self.wiring.oscillator_hz * bits(pll, 14, 6), bits(main, 5, 0))
            assert 100e6 <= vco <= 432e6
            clock = vco / bits(pll, 27, 24) / (bits(select, 4, 0) + 1)
        elif self.wiring.family == "h7":
            registers = (0x28, 0x2C, 0x38, 0x50)
            source, config, pll, select = (self.read(_RCC_H7 + at) for at in registers)
            assert source & 3 == 2 and config >> 19 & 1 and bits(select, 2, 0) == 1
            vco = Fraction(self.wiring.oscillator_hz, bits(source, 17, 12)) * (bits(pll, 8, 0) + 1)
            assert 192e6 <= vco <= 836e6 and bits(config, 7, 6) == 1 and not config >> 5 & 1
            clock = vco / (bits(pll, 15, 9) + 1)
        else:
            main, pll, select = (self.read(_RCC_L4 + at) for at in (0xC, 0x10, 0x88))
            assert main & 3 == 1 and bits(main, 6, 4) == 0 and bits(select, 23, 22) == 0
            assert bits(self.read(_RCC_L4), 7, 4) == 6 and pll >> 16 & 1
            vco = Fraction(4_000_000 * bits(pll, 14, 8))
            assert 64e6 <= vco <= 344e6
            clock = vco / (bits(pll, 31, 27) or (17 if pll >> 17 & 1 else 7))
        if self.wiring.channel is not None:
            common, filters = self.read(0x40016000), self.read(0x40016114)
            assert common >> 31 and common >> 30 & 1 and bits(filters, 31, 29) == 3
            return clock / (bits(common, 23, 16) + 1) / (bits(filters, 25, 16) + 1)
        control = self.read(self._master)
        if self.wiring.family == "h7":
            return clock / 256 / max(bits(control, 25, 20), 1)
        return clock / 256 / max(2 * bits(control, 23, 20), 1)

    def _baud(self, clock_hz: int) -> float:
        divisor = self.read(self.wiring.uart[1] + 0x0C)
        divisors = {"l4": 1, "f7": 2 if self.wiring.uart[0] == "USART1" else 4, "h7": 4}
        peripheral = clock_hz // divisors[self.wiring.family]
        return peripheral * (256 if self.wiring.uart[0].startswith("LP") else 1) / divisor
