"""A CH32V307 as far as its application uses it, around a RISC-V core that Unicorn emulates.

The image is the one that would be flashed. Here are the registers that it uses, by WCH's reference
manual CH32FV2x_V3xRM: the clocks' ready bits, USART1, and a DMA that takes what I2S2 hears.
Interrupts come where the core waits for them, or after so many instructions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from elftools.elf.elffile import ELFFile

_FLASH, _RAM, _PERIPHERALS, _CORE = 0x00000000, 0x20000000, 0x40000000, 0xE0000000
_SYSTEM = 0x1FFFF000
"""What the factory has written."""
_KIND, _IS_CH32V307 = 0x1FFFF70C, 1 << 14
"""WCH's drivers look here for how the PLL's multipliers are numbered."""

_SIZES = {_FLASH: 0x30000, _SYSTEM: 0x1000, _RAM: 0x20000, _CORE: 0x10000}

_USART_STATE, _USART_DATA = 0x13800, 0x13804
_CLOCK_CONTROL, _CLOCK_CONFIG = 0x21000, 0x21004
_DMA_FLAGS, _DMA_CLEAR, _DMA_CHANNEL = 0x20000, 0x20004, 0x20044
_I2S_CONFIG, _I2S_PRESCALER, _I2S_DATA = 0x381C, 0x3820, 0x4000380C
_PFIC_ENABLE = 0xE100

_IRQ = 30
"""Of the DMA's channel 4."""

_HALF, _WHOLE = 1 << 14, 1 << 13
"""Flags of channel 4: half of the transfer, and all of it."""

_WFI = 0x10500073
_CSRW, _CSRW_MASK = 0x00001073, 0x0000707F
_MRET = 0x30200073
_VECTORS, _RETURN = 0x305, 0x341
_WCH_REGISTERS = (0xBC0, 0x804, _VECTORS, _RETURN)
"""Control registers that no other core has; mtvec, which has a mode of WCH's own; and mepc, by
which the start-up code enters the application in user mode: Unicorn cannot be told of that."""

_CLOCK = 144e6
SLICE = round(_CLOCK * 256 / 44100)
"""Instructions between interrupts while the core is busy, at one a cycle."""


class Chip:
    """The chip with an image in its flash.

    Attributes:
        printed: what USART1 has sent.
    """

    def __init__(self, image: Path) -> None:
        # The package is not in the project's environment.
        import unicorn
        from unicorn import riscv_const

        self._uc: Any = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        self._registers: Any = riscv_const
        self.printed = ""
        self._memory: dict[int, int] = {}
        for address, size in _SIZES.items():
            self._uc.mem_map(address, size)
        self._uc.mem_write(_KIND, struct.pack("<I", _IS_CH32V307))
        self._uc.mmio_map(_PERIPHERALS, 0x30000, self._read, None, self._write, None)
        with image.open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self._uc.mem_write(segment["p_paddr"], segment.data())
                    self._watch(segment["p_paddr"], segment.data(), unicorn.UC_HOOK_CODE)
        self._waits = False
        self._pc = _FLASH
        self._control: dict[int, int] = {}

    def play(self, pcm: np.ndarray) -> str:
        """Let I2S2 hear samples, then none; return what was printed until the last was heard.

        Args:
            pcm: int16 samples of the left channel; zeros follow to the end of the DMA's half.
        """
        halves = self._halves(pcm)
        next_half = next(halves, None)
        while next_half is not None:
            self._run()
            if self._listens:
                self._interrupt(next_half)
                next_half = next(halves, None)
        while not self._waits:
            self._run()
        return self.printed

    @property
    def frequency(self) -> float:
        """Frames a second that I2S2 is set to, at 144 MHz."""
        prescaler = self._memory[_I2S_PRESCALER]
        return _CLOCK / (64 * (2 * (prescaler & 0xFF) + (prescaler >> 8 & 1)))

    @property
    def _listens(self) -> bool:
        """Whether DMA, I2S and the interrupt are on."""
        enabled = struct.unpack("<I", self._uc.mem_read(_CORE + _PFIC_ENABLE, 4))[0]
        is_on = self._memory.get(_DMA_CHANNEL, 0) & 1 and self._memory.get(_I2S_CONFIG, 0) & 1 << 10
        return bool(is_on and enabled & 1 << _IRQ)

    def _halves(self, pcm: np.ndarray) -> Iterator[tuple[int, bytes, int]]:
        """Yield where the DMA writes, what, and the flag that it sets."""
        for number, start in enumerate(range(0, len(pcm), 256)):
            frames = np.zeros((256, 2), "<i2")
            chunk = pcm[start : start + 256]
            frames[: len(chunk), 0] = chunk
            frames[:, 1] = 12345  # nothing drives the other slot
            yield number % 2, frames.tobytes(), _WHOLE if number % 2 else _HALF

    def _interrupt(self, half: tuple[int, bytes, int]) -> None:
        number, data, flag = half
        count, source, target = (self._memory[_DMA_CHANNEL + offset] for offset in (4, 8, 12))
        assert (count * 2, source) == (2 * len(data), _I2S_DATA)
        self._uc.mem_write(target + number * len(data), data)
        self._memory[_DMA_FLAGS] = self._memory.get(_DMA_FLAGS, 0) | flag
        base = self._control[_VECTORS]
        assert base & 3 == 3, "not a table of addresses"
        vector = (base & ~3) + 4 * _IRQ
        self._control[_RETURN] = self._pc
        self._pc = struct.unpack("<I", self._uc.mem_read(vector, 4))[0]
        self._waits = False

    def _watch(self, address: int, code: bytes, hook: int) -> None:
        """Have instructions seen that Unicorn does not know, or does not end at."""
        for offset in range(0, len(code) - 3, 2):
            word = int.from_bytes(code[offset : offset + 4], "little")
            is_own = word & _CSRW_MASK == _CSRW and word >> 20 in _WCH_REGISTERS
            if word in (_WFI, _MRET) or is_own:
                place = address + offset
                self._uc.hook_add(hook, self._step, word, place, place)

    def _run(self) -> None:
        self._uc.emu_start(self._pc, 0xFFFFFFFE, count=SLICE)
        self._pc = self._uc.reg_read(self._registers.UC_RISCV_REG_PC)

    def _step(self, uc: Any, address: int, size: int, word: int) -> None:
        machine = self._registers
        after = self._control[_RETURN] if word == _MRET else address + size
        uc.reg_write(machine.UC_RISCV_REG_PC, after)
        if word == _WFI:
            self._waits = True
            uc.emu_stop()
        elif word != _MRET:
            source = machine.UC_RISCV_REG_X0 + (word >> 15 & 31)
            self._control[word >> 20] = uc.reg_read(source)

    def _read(self, uc: Any, offset: int, size: int, _: object) -> int:
        value = self._memory.get(offset, 0)
        if offset == _USART_STATE:
            return 0xC0  # sent, and room for the next
        if offset == _CLOCK_CONTROL:  # what is switched on is ready
            return value | (value & (1 << 0 | 1 << 16 | 1 << 24)) << 1
        if offset == _CLOCK_CONFIG:
            return value & ~0xC | (value & 3) << 2
        return value

    def _write(self, uc: Any, offset: int, size: int, value: int, _: object) -> None:
        if offset == _USART_DATA:
            self.printed += chr(value)
        elif offset == _DMA_CLEAR:
            self._memory[_DMA_FLAGS] = self._memory.get(_DMA_FLAGS, 0) & ~value
        else:
            self._memory[offset] = value
