"""A Cortex-M4 with its interrupts: what Unicorn leaves to others of the architecture.

Exceptions are entered and left as the ARMv7-M Architecture Reference Manual, B1.5, has it, without
the registers of floating point.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

SVC, PENDSV, IRQ = 11, 14, 16
"""Numbers of exceptions; that of the first interrupt."""

_SYSTEM = 0xE0000000
_CYCLES, _ENABLE, _DISABLE, _PEND, _CLEAR = 0x1004, 0xE100, 0xE180, 0xE200, 0xE280
_PRIORITIES, _SYSTEM_PRIORITIES = 0xE400, 0xED18
_CONTROL, _VECTORS, _MPU = 0xED04, 0xED08, 0xED90

FUNCTION = 40
"""Cycles that pass where a function begins, or a register of a peripheral is read: counting
instructions would take minutes for a second. What matters is that the network is interrupted."""

_WFI, _WFE, _ENABLES = (0xBF30,), (0xBF20,), (0xB662, 0xB661)
_MASKS = (0x10, 0x11, 0x12, 0x13, 0x14)
"""PRIMASK, BASEPRI, BASEPRI_MAX, FAULTMASK and CONTROL, as MSR numbers them."""

_FRAME = ("R0", "R1", "R2", "R3", "R12", "LR", "PC", "XPSR")
_THUMB, _ALIGNED, _NUMBER = 1 << 24, 1 << 9, 0x1FF
_SUPERVISOR_CALL, _EXCEPTION_RETURN = 2, 8
"""What Unicorn calls them."""


class Core:
    """The core with an image in its memory.

    Args:
        image: ELF file.
        memory: first address and size in bytes of each region.
        vectors: address of the table of vectors.

    Attributes:
        now: cycles since the reset.
        sleeps: whether it waits for an interrupt.
        halted: whether nothing runs any more.
        lines: for exceptions that stay as long as something is so, whether it is.
        functions: addresses of the image's functions.
    """

    def __init__(self, image: Path, memory: dict[int, int], vectors: int) -> None:
        # The package is not in the project's environment.
        import unicorn
        from unicorn import arm_const

        self.uc: Any = unicorn.Uc(
            unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
        )
        self.uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        self._names: Any = arm_const
        self._code_hook = unicorn.UC_HOOK_CODE
        self.now = self._end = 0
        self.sleeps = self.halted = False
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count()
        self.lines: dict[int, Callable[[], bool]] = {}
        self.functions: dict[str, int] = {}
        self._cut = False
        self._call = 0
        self._enabled: set[int] = set()
        self._pending: set[int] = set()
        self._active: list[int] = []
        self._priority: dict[int, int] = {SVC: 0, PENDSV: 0}
        self._vectors = vectors
        for address, size in memory.items():
            self.uc.mem_map(address, size)
        self.uc.mmio_map(_SYSTEM, 0x100000, self._read, None, self._write, None)
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._stop_for)
        with image.open("rb") as file:
            elf = ELFFile(file)
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                if symbol["st_info"]["type"] == "STT_FUNC":
                    self.functions[symbol.name] = symbol["st_value"] & ~1
            for address in {*self.functions.values()}:
                self.hook(address, self.pass_time)
            for segment in elf.iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self.uc.mem_write(segment["p_paddr"], segment.data())
                    if segment["p_flags"] & 1:
                        self._watch(segment["p_paddr"], segment.data())
        self.set("SP", self.word(vectors))
        self._pc = self.word(vectors + 4)

    # Registers and memory.

    def get(self, name: str) -> int:
        """Return a register."""
        return int(self.uc.reg_read(getattr(self._names, f"UC_ARM_REG_{name}")))

    def set(self, name: str, value: int) -> None:
        """Set a register."""
        self.uc.reg_write(getattr(self._names, f"UC_ARM_REG_{name}"), value & 0xFFFFFFFF)

    def word(self, address: int) -> int:
        """Return a word of memory."""
        return int(struct.unpack("<I", self.uc.mem_read(address, 4))[0])

    def _read(self, uc: Any, offset: int, size: int, _: object) -> int:
        if offset == _CYCLES:
            return self.now & 0xFFFFFFFF
        if offset == _CONTROL:
            return (PENDSV in self._pending) << 28
        if offset == _VECTORS:
            return self._vectors
        if offset == _MPU:
            return 8 << 8  # regions
        for first, numbers in ((_ENABLE, self._enabled), (_PEND, self._pending)):
            if first <= offset < first + 0x20:
                base = IRQ + 8 * (offset - first)
                return sum(1 << bit for bit in range(32) if base + bit in numbers)
        return 0

    def _write(self, uc: Any, offset: int, size: int, value: int, _: object) -> None:
        if offset == _CONTROL:
            if value >> 28 & 1:
                self.pend(PENDSV)
            elif value >> 27 & 1:
                self._pending.discard(PENDSV)
        elif offset == _VECTORS:
            self._vectors = value
        elif _ENABLE <= offset < _CLEAR + 0x20:
            self._take_bits(offset, value)
        else:
            self._take_priorities(offset, size, value)

    def _take_bits(self, offset: int, value: int) -> None:
        """Enable, disable, pend or clear those interrupts whose bits are set."""
        base = IRQ + 8 * (offset & 0x1F)
        numbers = {base + bit for bit in range(32) if value >> bit & 1}
        kind = offset & ~0x1F
        if kind == _ENABLE:
            self._enabled |= numbers
        elif kind == _DISABLE:
            self._enabled -= numbers
        elif kind == _PEND:
            self._pending |= numbers
        elif kind == _CLEAR:
            self._pending -= numbers
        self._cut_if_interrupted()

    def _take_priorities(self, offset: int, size: int, value: int) -> None:
        for byte in range(size):
            at, priority = offset + byte, value >> 8 * byte & 0xFF
            if _PRIORITIES <= at < _PRIORITIES + 0xF0:
                self._priority[IRQ + at - _PRIORITIES] = priority
            elif _SYSTEM_PRIORITIES <= at < _SYSTEM_PRIORITIES + 12:
                self._priority[4 + at - _SYSTEM_PRIORITIES] = priority

    # Exceptions.

    def look(self) -> None:
        """Take note of lines that have become high."""
        self._cut_if_interrupted()

    def pend(self, number: int) -> None:
        """Have an exception wait until the core takes it."""
        self._pending.add(number)
        self._cut_if_interrupted()

    def _cut_if_interrupted(self, *_: object) -> None:
        if self._next() is not None:
            self._cut = True
            self.uc.emu_stop()

    def _waiting(self) -> set[int]:
        """Return the exceptions that wait: lines that are still high among them."""
        high = {number for number, line in self.lines.items() if line()} - set(self._active)
        return {each for each in self._pending | high if each < IRQ or each in self._enabled}

    def _next(self) -> int | None:
        """Return the exception that the core would take now."""
        waiting = self._waiting()
        if not waiting or self.get("PRIMASK"):
            return None
        first = min(waiting, key=lambda each: (self._priority.get(each, 0), each))
        level = min((self._priority.get(each, 0) for each in self._active), default=256)
        level = min(level, self.get("BASEPRI") or 256)
        return first if self._priority.get(first, 0) < level else None

    def _enter(self, number: int) -> None:
        self._pending.discard(number)
        from_handler = bool(self._active)
        by_process = not from_handler and bool(self.get("CONTROL") & 2)
        stack = self.get("PSP" if by_process else "MSP")
        aligned = stack & 4
        frame = [self.get(name) for name in _FRAME]
        frame[6] = self._pc & ~1
        frame[7] = frame[7] & ~_ALIGNED | (_ALIGNED if aligned else 0) | _THUMB
        stack -= 32 + aligned
        self.uc.mem_write(stack, struct.pack("<8I", *frame))
        self.set("PSP" if by_process else "MSP", stack)
        self.set("XPSR", frame[7] & ~_NUMBER | number)
        self.set("LR", 0xFFFFFFF1 if from_handler else 0xFFFFFFFD if by_process else 0xFFFFFFF9)
        self._active.append(number)
        self._pc = self.word(self._vectors + 4 * number)

    def _leave(self, value: int) -> None:
        """Leave the exception by the value that it branched to."""
        assert value in (0xFFFFFFF1, 0xFFFFFFF9, 0xFFFFFFFD), hex(value)
        self._active.pop()
        by_process = value == 0xFFFFFFFD
        stack = self.get("PSP" if by_process else "MSP")
        frame = dict(zip(_FRAME, struct.unpack("<8I", self.uc.mem_read(stack, 32)), strict=True))
        stack += 32 + (4 if frame["XPSR"] & _ALIGNED else 0)
        self.set("PSP" if by_process else "MSP", stack)
        self.set("XPSR", frame["XPSR"] & ~_ALIGNED)
        if not self._active:
            self.set("CONTROL", self.get("CONTROL") & ~2 | by_process << 1)
        for name in _FRAME[:6]:
            self.set(name, frame[name])
        self._pc = frame["PC"] | 1

    # Running.

    def pass_time(self, *_: object) -> None:
        """Let the cycles of a function pass."""
        self.now += FUNCTION
        if self.now >= self._end:
            self.uc.emu_stop()

    def _watch(self, address: int, code: bytes) -> None:
        """Have the core stop where it sleeps, and where it lets interrupts through again."""
        halves = struct.unpack(f"<{len(code) // 2}H", code[: len(code) // 2 * 2])
        for index, half in enumerate(halves):
            at = address + 2 * index
            after = halves[index + 1] if index + 1 < len(halves) else 0
            if half in (*_WFI, *_WFE):
                self.hook(at, self._sleep)
            elif half in _ENABLES:
                self.hook(at + 2, self._cut_if_interrupted)
            elif half & 0xFFF0 == 0xF380 and after & 0xFF00 == 0x8800 and after & 0xFF in _MASKS:
                self.hook(at + 4, self._cut_if_interrupted)

    def hook(self, address: int, handler: Callable[..., None]) -> None:
        """Have a function called whenever the core comes to an address."""
        self.uc.hook_add(self._code_hook, handler, begin=address, end=address)

    def _sleep(self, *_: object) -> None:
        self.sleeps = self._cut = True
        self.uc.emu_stop()

    def halt(self, *_: object) -> None:
        """Run nothing any more."""
        self.halted = self._cut = True
        self.uc.emu_stop()

    def _stop_for(self, uc: Any, number: int, _: object) -> None:
        assert number in (_SUPERVISOR_CALL, _EXCEPTION_RETURN), f"{number} at {self.get('PC'):#x}"
        self._call = number
        self.uc.emu_stop()

    def after(self, cycles: float, action: Callable[[], None]) -> None:
        """Have something happen when so many cycles have passed."""
        at = self.now + round(cycles)
        heapq.heappush(self._due, (at, next(self._number), action))
        self._end = min(self._end, at)  # it may come before what the core was to run to

    def run(self, cycles: float) -> None:
        """Run for so many cycles, with all that happens meanwhile."""
        end = self.now + round(cycles)
        while self.now < end:
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            to = min(end, self._due[0][0]) if self._due else end
            if self.halted:
                self.now = max(to, self.now + 1)
            else:
                self._run_part(max(to - self.now, 1))

    def _run_part(self, cycles: int) -> None:
        """Run about so many cycles, or until something has to be decided.

        While the core sleeps, all of them pass.
        """
        exception = self._next()
        if exception is not None:
            self.sleeps = False
            self._enter(exception)
        if self.sleeps:
            if not self._waiting():
                self.now += cycles
                return
            self.sleeps = False
        self._cut, self._call = False, 0
        self._end = self.now + cycles
        self.uc.emu_start(self._pc | 1, 0xFFFFFFFE)
        # The core stops before an instruction that has it sleep, and goes on behind it.
        self._pc = self.get("PC") + 2 * self.sleeps
        if self._call == _EXCEPTION_RETURN:
            self._leave(self._pc | 1)
        elif self._call == _SUPERVISOR_CALL:
            self._enter(SVC)
