"""The RISC-V core with its interrupts: what Unicorn leaves to others of the chip."""

from __future__ import annotations

import ctypes
import heapq
import struct
from bisect import bisect_right
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

CLOCK_HZ = 160_000_000
"""Instructions a second, at one a cycle."""

_DATA_RAM, _CODE_RAM, _RAM_BYTES = 0x3FC80000, 0x40380000, 0x60000
"""Two addresses of the same memory."""

_TABLES, _LAYOUT_POINTER, _LAYOUT = 0x3FF1F000, 0x3FF1FFFC, 0x3FF1F000
_ROM_DATA = (0x3FCDE710, 0x3FCDF060)
"""Where the ROM's data begins, when it has been left and for good."""

_DATA_FLASH, _CODE_FLASH, _PAGE = 0x3C000000, 0x42000000, 0x10000
_ROM, _ROM_BYTES = 0x40000000, 0x60000
_SLOW_RAM = 0x50000000
_SIZES = {
    _DATA_FLASH: 0x100000,
    _CODE_FLASH: 0x100000,
    _SLOW_RAM: 0x2000,
    _ROM: _ROM_BYTES,
    _TABLES: 0x1000,
}
_BOOT_STACK = 0x3FCDE000

_RETURN, _LOOP = bytes.fromhex("8280"), bytes.fromhex("01a0")
_WFI, _MRET = 0x10500073, 0x30200073
_CYCLES = 0x7E2
_OWN_REGISTERS = (0x7E0, 0x7E1, _CYCLES, 0x803, 0x805)
"""Control registers that no other core has: counters, and pins that are driven by instructions."""

_ENABLED, _WAS_ENABLED, _WAS_MACHINE = 1 << 3, 1 << 7, 3 << 11
"""Bits of mstatus."""

_SLICE, _SHORT_SLICE = 20_000, 200
"""Instructions until what happens around the core is looked at; while an interrupt waits for a
task that lets none through."""


class Core:
    """The core with an image in its memory.

    Args:
        image: ELF file, beside the .bin that is flashed.

    Attributes:
        uc: Unicorn's core.
        now: cycles since the reset.
        addresses: functions of image and ROM by their names.
        interrupt: returns the number of the interrupt that waits, if one does and may.
    """

    def __init__(self, image: Path) -> None:
        # The package is not in the project's environment.
        import unicorn
        from unicorn import riscv_const

        self.uc: Any = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        self._names: Any = riscv_const
        self._code_hook, self._error = unicorn.UC_HOOK_CODE, unicorn.UcError
        self._failure = ""
        self.now = 0
        self.interrupt: Callable[[], int | None] = lambda: None
        self.addresses: dict[str, int] = {}
        self._sleeps = self._stopped = False
        self._own: dict[int, int] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count()
        self._map(unicorn.UC_PROT_ALL)
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._fail)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_UNMAPPED, self._fail_at)
        with image.open("rb") as file:
            elf = ELFFile(file)
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                if symbol.name and not symbol.name.startswith("$"):
                    self.addresses.setdefault(symbol.name, symbol["st_value"])
        self._load(image.with_suffix(".bin").read_bytes())
        self.set("SP", _BOOT_STACK)

    def _map(self, protection: int) -> None:
        for address, size in _SIZES.items():
            self.uc.mem_map(address, size)
        self._ram = ctypes.create_string_buffer(_RAM_BYTES)
        for address in (_DATA_RAM, _CODE_RAM):
            self.uc.mem_map_ptr(address, _RAM_BYTES, protection, ctypes.addressof(self._ram))
        self.uc.mem_write(_ROM, _RETURN * (_ROM_BYTES // 2))
        self.uc.mem_write(_LAYOUT_POINTER, struct.pack("<I", _LAYOUT))
        self.uc.mem_write(_LAYOUT, struct.pack("<2I", *_ROM_DATA))

    def _load(self, image: bytes) -> None:
        """Load an image as the bootloader does: flash by pages of the memory map, RAM by bytes."""
        segments, self._pc = image[1], int.from_bytes(image[4:8], "little")
        place = 24
        for _ in range(segments):
            address, size = (int.from_bytes(image[place + at :][:4], "little") for at in (0, 4))
            place += 8
            is_flash = address < _DATA_RAM or _CODE_FLASH <= address < _SLOW_RAM
            into_page = address % _PAGE if is_flash else 0
            code = image[place - into_page : place + size]
            self.uc.mem_write(address - into_page, code)
            if address >= _CODE_RAM:
                self._watch(address, image[place : place + size])
            place += size

    # Registers and memory.

    def get(self, name: str) -> int:
        """Return a register."""
        return int(self.uc.reg_read(getattr(self._names, f"UC_RISCV_REG_{name}")))

    def set(self, name: str, value: int) -> None:
        """Set a register."""
        self.uc.reg_write(getattr(self._names, f"UC_RISCV_REG_{name}"), value & 0xFFFFFFFF)

    def word(self, address: int) -> int:
        """Return a word of memory."""
        return int.from_bytes(self.uc.mem_read(address, 4), "little")

    def text(self, address: int) -> bytes:
        """Return the text that ends with a zero."""
        found = b""
        while b"\0" not in found:
            found += bytes(self.uc.mem_read(address + len(found), 1))
        return found[:-1]

    def place(self, address: int) -> str:
        """Return where an address lies in the image."""
        names = {value: name for name, value in self.addresses.items()}
        known = sorted(names)
        found = known[max(bisect_right(known, address) - 1, 0)]
        return f"{names[found]}+{address - found:#x}"

    # What stops the core.

    def hook(self, address: int, handler: Callable[..., None], end: int | None = None) -> None:
        """Have a function called whenever the core comes to an address, or into a range of them."""
        self.uc.hook_add(self._code_hook, handler, begin=address, end=end or address)

    def leave(self, value: int) -> None:
        """Return a value, of 32 or 64 bits, from the function that the core has come to."""
        self.set("A0", value)
        if value >> 32:
            self.set("A1", value >> 32)
        self.set("PC", self.get("RA"))

    def hold(self, name: str, cycles: float) -> None:
        """Have who calls a function of the image wait in it for so many cycles, at work."""
        address = self.addresses[name]
        kept = bytes(self.uc.mem_read(address, len(_LOOP)))

        def put(code: bytes) -> None:
            self.uc.mem_write(address, code)
            self.uc.ctl_flush_tb()

        put(_LOOP)
        self.after(cycles, lambda: put(kept))

    def stop(self) -> None:
        """Have what happens around the core looked at."""
        self._stopped = True
        self.uc.emu_stop()

    def stop_behind(self) -> None:
        """Stop behind the instruction that is writing a register: Unicorn would write it again."""
        at = self.get("PC")
        is_short = self.uc.mem_read(at, 1)[0] & 3 != 3
        self.set("PC", at + (2 if is_short else 4))
        self.stop()

    def fail(self, why: str) -> None:
        """End the run: what a hook raises is lost in Unicorn."""
        self._failure = f"{why} at {self.place(self.get('PC'))} by {self.place(self.get('RA'))}"
        self.stop()

    def _fail(self, uc: Any, number: int, _: object) -> None:
        self.fail(f"exception {number}")

    def _fail_at(self, uc: Any, kind: int, address: int, *_: object) -> bool:
        self.fail(f"no memory at {address:#x}")
        return False

    def _watch(self, address: int, code: bytes) -> None:
        """Have instructions seen that Unicorn does not know, or does not end at."""
        for offset in range(0, len(code) - 3, 2):
            word = int.from_bytes(code[offset : offset + 4], "little")
            is_own = word & 0x7F == 0x73 and word >> 12 & 3 and word >> 20 in _OWN_REGISTERS
            if word in (_WFI, _MRET) or is_own:
                at = address + offset
                self.uc.hook_add(self._code_hook, self._step, word, at, at)

    def _step(self, uc: Any, address: int, size: int, word: int) -> None:
        if word == _WFI:
            self._sleeps = True
            self.set("PC", address + 4)
            self.stop()
        elif word == _MRET:
            status = self.get("MSTATUS")
            enabled = _ENABLED if status & _WAS_ENABLED else 0
            self.set("MSTATUS", status & ~_ENABLED | enabled | _WAS_ENABLED)
            self.set("PC", self.get("MEPC"))
        else:
            self._access(word)
            self.set("PC", address + 4)

    def _access(self, word: int) -> None:
        """Do what an instruction does with a control register."""
        number, source = word >> 20, word >> 15 & 31
        old = self.now if number == _CYCLES else self._own.get(number, 0)
        value = source if word >> 14 & 1 else self.get(f"X{source}")
        self._own[number] = (0, value, old | value, old & ~value)[word >> 12 & 3]
        if word >> 7 & 31:
            self.set(f"X{word >> 7 & 31}", old)

    # Running.

    def after(self, cycles: float, action: Callable[[], None]) -> None:
        """Have something happen when so many cycles have passed."""
        heapq.heappush(self._due, (self.now + round(cycles), next(self._number), action))

    def run(self, cycles: float) -> None:
        """Run for so many cycles, with all that happens meanwhile."""
        end = self.now + round(cycles)
        while self.now < end:
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            to = min(end, self._due[0][0]) if self._due else end
            self._run_part(max(to - self.now, 1))

    def _run_part(self, cycles: int) -> None:
        number = self.interrupt()
        if number is not None:
            self._sleeps = False
            if self.get("MSTATUS") & _ENABLED:
                self._enter(number)
        if self._sleeps:
            self.now += cycles
            return
        steps = min(cycles, _SLICE if number is None else _SHORT_SLICE)
        self._stopped = False
        try:
            self.uc.emu_start(self._pc, 0xFFFFFFFE, count=steps)
        except self._error as error:
            self.fail(self._failure or str(error))
        assert not self._failure, self._failure
        self._pc = self.get("PC")
        # How many were done until something stopped the core is not known.
        self.now += min(steps, _SHORT_SLICE) if self._stopped else steps

    def _enter(self, number: int) -> None:
        status = self.get("MSTATUS")
        enabled = _WAS_ENABLED if status & _ENABLED else 0
        self.set("MSTATUS", status & ~(_ENABLED | _WAS_ENABLED) | enabled | _WAS_MACHINE)
        self.set("MEPC", self._pc)
        self.set("MCAUSE", 1 << 31 | number)
        self._pc = (self.get("MTVEC") & ~3) + 4 * number
