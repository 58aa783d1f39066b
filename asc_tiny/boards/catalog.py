"""Boards that firmware is generated for, a TOML file each.

docs/reference/board_files.md has the keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from fractions import Fraction
from pathlib import Path
from typing import Any

from asc_tiny.boards import microphones
from asc_tiny.boards.microphones import Microphone
from asc_tiny.boards.toolchains import ARM, NATIVE, NONE, RISCV, TOOLCHAINS, Toolchain
from asc_tiny.util import fields
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_toml, read_text

__all__ = ["ARM", "BOARDS", "NATIVE", "NONE", "RISCV", "Board", "Toolchain", "get"]

DEFAULT_BOARD = "mps2-an386"
HOST = "host"
SUFFIX = ".toml"
FLASH_TOOLS = ("arduino-cli", "esptool", "pyocd", "uf2", "wlink")

_FOLDER = Path(__file__).with_name("board_files")

MOST = 2**32 - 1
"""Highest address and size: all cores have 32 bits."""

TABLES = ("flash", "memory", "microphone")
"""Tables of every board's file; others are of kinds of project."""

_INSTRUCTIONS_PER_S = 10**9
"""Instructions that QEMU runs in a second of its time under ``-icount shift=0``."""

_FLASH, _RAM = "flash", "ram"
_REGION = re.compile(r"(flash|ram)[2-9]?")

_WORD = r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}"
_WORD_TEXT = "a name of up to 64 letters, digits and ._:+-"


@dataclass(frozen=True)
class FlashMethod:
    """How an image gets into a board.

    Attributes:
        tool: one of ``FLASH_TOOLS``.
        target: what the tool calls the chip or board; for ``uf2`` the label of its volume.
        family: number of the chip's family in UF2 files, 0 for a board that takes any.
    """

    tool: str = fields.one_of(*FLASH_TOOLS)
    target: str = fields.matching(_WORD, _WORD_TEXT)
    family: int = fields.between(0, MOST, default=0)


@dataclass(frozen=True, kw_only=True)
class MemoryRegion:
    """Memory at addresses without a gap.

    Attributes:
        origin: first address; 0 where no tool of ours needs it.
        bytes: size in bytes.
    """

    origin: int = fields.between(0, MOST, default=0)
    bytes: int = fields.between(0, MOST)


@dataclass(frozen=True, kw_only=True)
class Board:
    """A target of generated firmware.

    Attributes:
        name: as given to ``--board``.
        like: name of a board of this tool with the same chip and the same wiring, for projects;
            empty if its name or its chip says so.
        title: name for people.
        core: the processor, for people.
        toolchain: builds and runs its images.
        machine: QEMU's machine name, empty for a native build.
        core_flags: select the core for the compiler.
        memory: regions by name: ``flash``; ``flash2``, what else the flash tool may write, such
            as settings of the chip; ``ram``, in which a program's variables lie; more RAM elsewhere
            is ``ram2``, ``ram3`` and so on.
        clock_hz: clock of the core in Hz as the board's tools set it up, 0 for an emulated board.
        systick_hz: clock in Hz of SysTick where QEMU runs the core, by which instructions are
            counted; 0 without SysTick.
        instructions_per_1024_ticks: older key for the same: instructions that QEMU runs under
            ``-icount shift=0``, one each nanosecond, while SysTick counts 1,024 ticks.
        uart: address of the UART that the firmware talks over, 0 on the host.
        uart_kind: ``cmsdk`` (Arm's, of its MPS boards) or ``stm32`` (USART of an STM32F1, F2 or
            F4).
        uart_interrupt: number of its interrupt for received bytes.
        has_coprocessors: floating point or vector unit to enable at start.
        has_low_overhead_loops: Armv8.1-M loop cache to enable at start.
        microphone: the microphone on the board, or the usual one to connect; None for an emulated
            board.
        baud: bits per second of its serial port.
        flash: how an image gets into it, None where nothing is to be flashed.
        source: where the figures come from.
        own_tables: what the board's file says for kinds of project, by name of the table.
        definition: the text of a file of the user's, empty for a board that comes with this tool.
        path: path of that file as it was given, empty for a board that comes with this tool.
    """

    name: str = fields.line()
    like: str = fields.line(default="")
    title: str = fields.line(default="")
    core: str = fields.line()
    toolchain: Toolchain = NONE
    machine: str = fields.matching(f"({_WORD})?", _WORD_TEXT, default="")
    core_flags: tuple[str, ...] = ()
    memory: Mapping[str, MemoryRegion] = field(default_factory=dict, hash=False)
    clock_hz: int = fields.between(0, MOST, default=0)
    systick_hz: int = fields.between(0, MOST, default=0)
    instructions_per_1024_ticks: int = fields.between(0, MOST, default=0)
    uart: int = fields.between(0, MOST, default=0)
    uart_kind: str = fields.one_of("cmsdk", "stm32", default="cmsdk")
    uart_interrupt: int = fields.between(0, MOST, default=0)
    has_coprocessors: bool = False
    has_low_overhead_loops: bool = False
    microphone: Microphone | None = None
    baud: int = fields.between(0, MOST, default=115200)
    flash: FlashMethod | None = None
    source: str = fields.line(default="")
    own_tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    definition: str = ""
    path: str = field(default="", compare=False)

    @property
    def design(self) -> str:
        """Name of the board of this tool that it is or is built like; its own if there is none.

        A file that does not say is built like the board whose chip its flash tool writes.
        """
        if self.like or not self.definition or self.name in BOARDS:
            return self.like or self.name
        same = (each.name for each in BOARDS.values() if each.flash and each.flash == self.flash)
        return next(same, self.name)

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """What kinds of project are told: its own tables, and others of the board it is like."""
        design = BOARDS.get(self.design, self)
        return {**design.own_tables, **self.own_tables}

    @property
    def instructions_per_tick(self) -> Fraction:
        """Instructions that QEMU runs while SysTick counts one tick, 0 without SysTick."""
        if self.systick_hz:
            return Fraction(_INSTRUCTIONS_PER_S, self.systick_hz)
        return Fraction(self.instructions_per_1024_ticks, 1024)

    @property
    def origin(self) -> str:
        """Where its values come from, for messages: its file, or the name of the board."""
        return self.path or f"board {self.name}"

    @property
    def flash_region(self) -> MemoryRegion:
        """The flash, of size 0 on this computer."""
        return self.memory.get(_FLASH, MemoryRegion(bytes=0))

    @property
    def ram_region(self) -> MemoryRegion:
        """The RAM in which a program's variables lie, of size 0 on this computer."""
        return self.memory.get(_RAM, MemoryRegion(bytes=0))

    @property
    def flash_bytes(self) -> int:
        """Bytes of flash."""
        return self.flash_region.bytes

    @property
    def rams(self) -> tuple[MemoryRegion, ...]:
        """All regions of RAM."""
        return tuple(each for name, each in self.memory.items() if name.startswith(_RAM))

    @property
    def ram_bytes(self) -> int:
        """Bytes of RAM in all regions."""
        return sum(each.bytes for each in self.rams)

    @property
    def writable(self) -> tuple[MemoryRegion, ...]:
        """The regions that a flash tool may write."""
        return tuple(each for name, each in self.memory.items() if name.startswith(_FLASH))

    @property
    def platform(self) -> str:
        """The platform source in a CMake project, without its ending; empty if there is none."""
        return self.toolchain.platform

    @property
    def compiler_flags(self) -> tuple[str, ...]:
        """What selects the core and the C library."""
        return self.core_flags + self.toolchain.compiler_flags

    @property
    def cpu(self) -> str:
        """The core's name for compilers, empty for a native build."""
        flags = [flag for flag in self.core_flags if flag.startswith("-mcpu=")]
        return flags[0].removeprefix("-mcpu=") if flags else ""


_NOT_KEYS = ("definition", "own_tables", "path")

_CORE_FLAG = re.compile(r"-m[a-z0-9-]+(=[A-Za-z0-9_.+-]+)?")


def load(path: Path, *, user: bool = True) -> Board:
    """Read a board's file; its name is the file's without the ending, unless the file says one.

    Raises:
        AscError: the file cannot be read, has a key that no board has, or a value of a wrong kind.
    """
    text = read_text(path)
    values, own_tables = _split(parse_toml(text.encode(), source=str(path)))
    special = {
        "memory": _memory,
        "toolchain": _toolchain,
        "microphone": _microphone,
        "flash": _flash,
        "core_flags": _core_flags,
    }
    try:
        values, old_memory = _without_old_memory({"name": path.stem, **values})
        arguments = fields.checked(Board, values, without=_NOT_KEYS, special=special)
        arguments.setdefault("memory", old_memory)
    except AscError as error:
        raise AscError(f"{path}: {error}") from error
    board = Board(
        **arguments,
        own_tables=own_tables,
        definition=text if user else "",
        path=str(path) if user else "",
    )
    if board.like and board.like not in BOARDS:
        raise AscError(f"{path}: like = {shown(board.like)}, allowed: {', '.join(sorted(BOARDS))}")
    if board.machine and not board.toolchain.emulator:
        raise AscError(f"{path}: machine {board.machine} needs a toolchain with an emulator")
    return board


def _split(content: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
    """Split a board's file into what every board has and the tables for kinds of project.

    Which tables there are is known where the kinds are, above the boards; they check them.
    """
    known = {each.name for each in fields_of(Board)} - set(_NOT_KEYS)
    tables = {
        key: value
        for key, value in content.items()
        if isinstance(value, Mapping) and key not in known
    }
    return {key: value for key, value in content.items() if key not in tables}, tables


def _core_flags(value: Any) -> tuple[str, ...]:
    flags: tuple[str, ...] = fields.typed(value, "tuple[str, ...]", "core_flags")
    for flag in flags:
        # They reach a shell, and options of other kinds could run programs.
        if not _CORE_FLAG.fullmatch(flag):
            raise AscError(
                f"core_flags: {shown(flag)}, allowed: options of the compiler for the core, such "
                "as -mcpu=cortex-m4 and -mthumb"
            )
    return flags


def _without_old_memory(
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, MemoryRegion]]:
    """Take the keys out that told of memory before there were regions; return both.

    Raises:
        AscError: a value is not allowed, or there are regions too.
    """
    old: dict[str, MemoryRegion] = {}
    left = dict(values)
    for name in (_FLASH, _RAM):
        parts = {part: left.pop(f"{name}_{part}", None) for part in ("origin", "bytes")}
        given = {part: value for part, value in parts.items() if value is not None}
        if given:
            old[name] = _region({"bytes": 0, **given}, f"{name}_")
    if old and "memory" in left:
        raise AscError("memory and keys such as flash_bytes: give the table alone")
    return left, old


def _memory(value: Any) -> dict[str, MemoryRegion]:
    regions = fields.table(value, "memory")
    for name in regions:
        if not _REGION.fullmatch(name):
            raise AscError(
                f"unknown key memory.{shown(name)[1:-1]}, allowed: flash, flash2, ram, ram2, ram3"
            )
    return {
        name: _region(fields.table(each, f"memory.{name}"), f"memory.{name}.")
        for name, each in regions.items()
    }


def _region(table: Mapping[str, Any], prefix: str) -> MemoryRegion:
    region = MemoryRegion(**fields.checked(MemoryRegion, table, prefix=prefix))
    end = region.origin + region.bytes
    if end > MOST + 1:
        raise AscError(f"{prefix}bytes: the region ends at 0x{end:x}, allowed: to 0x{MOST:x}")
    return region


def _toolchain(value: Any) -> Toolchain:
    if not isinstance(value, str) or value not in TOOLCHAINS:
        raise AscError(f"toolchain = {shown(value)}, allowed: {', '.join(TOOLCHAINS)}")
    return TOOLCHAINS[value]


def _microphone(value: Any) -> Microphone:
    if isinstance(value, Mapping):
        return microphones.from_dict(value)
    if not isinstance(value, str) or value not in microphones.MICROPHONES:
        allowed = ", ".join(microphones.MICROPHONES)
        raise AscError(f"microphone = {shown(value)}, allowed: {allowed}, or a table")
    return microphones.MICROPHONES[value]


def _flash(value: Any) -> FlashMethod:
    table = fields.table(value, "flash")
    return FlashMethod(**fields.checked(FlashMethod, table, prefix="flash."))


BOARDS = {
    board.name: board
    for board in (load(path, user=False) for path in sorted(_FOLDER.glob(f"*{SUFFIX}")))
}


def get(name: str) -> Board:
    """Return the board of that name, or the one of a file if it ends with ``.toml``.

    Raises:
        AscError: there is none, or the file is not a board's.
    """
    if name.endswith(SUFFIX):
        return load(Path(name))
    try:
        return BOARDS[name]
    except KeyError:
        raise AscError(
            f"unknown board {name}, allowed: {', '.join(sorted(BOARDS))}, or a {SUFFIX} file"
        ) from None
