"""Boards that firmware is generated for, a TOML file each; docs/boards.md tells their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from asc_tiny.errors import AscError
from asc_tiny.files import read_toml
from asc_tiny.targets import microphones
from asc_tiny.targets.microphones import Microphone
from asc_tiny.targets.toolchains import ARM, NATIVE, NONE, RISCV, TOOLCHAINS, Toolchain

__all__ = ["ARM", "BOARDS", "NATIVE", "NONE", "RISCV", "Board", "Toolchain", "get"]

DEFAULT_BOARD = "mps2-an386"
HOST = "host"
SUFFIX = ".toml"
FLASH_TOOLS = ("arduino-cli", "esptool", "pyocd", "uf2")

_FOLDER = Path(__file__).with_name("board_files")


@dataclass(frozen=True)
class FlashMethod:
    """How an image gets into a board.

    Attributes:
        tool: one of ``FLASH_TOOLS``.
        target: what the tool calls the chip or board; for ``uf2`` the label of its volume.
    """

    tool: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Board:
    """A target of generated firmware.

    Attributes:
        name: as given to ``--board``.
        title: name for people.
        core: the processor, for people.
        toolchain: builds and runs its images.
        machine: QEMU's machine name, empty for a native build.
        core_flags: select the core for the compiler.
        flash_origin, flash_bytes, ram_origin, ram_bytes: memory map.
        clock_hz: of the core as the board's tools set it up, 0 for an emulated board.
        instructions_per_1024_ticks: of SysTick under ``-icount shift=0``, 0 without one.
        uart: address of the UART that the firmware talks over, 0 on the host.
        uart_interrupt: number of its interrupt for received bytes.
        has_coprocessors: floating point or vector unit to enable at start.
        has_low_overhead_loops: Armv8.1-M loop cache to enable at start.
        microphone: on the board, or the usual one to connect; None for an emulated board.
        baud: of its serial port.
        flash: how an image gets into it, None where nothing is to be flashed.
        source: where the figures come from.
        definition: the text of a file of the user's, empty for a board that comes with this tool.
    """

    name: str
    title: str = ""
    core: str
    toolchain: Toolchain = NONE
    machine: str = ""
    core_flags: tuple[str, ...] = ()
    flash_origin: int = 0
    flash_bytes: int = 0
    ram_origin: int = 0
    ram_bytes: int = 0
    clock_hz: int = 0
    instructions_per_1024_ticks: int = 0
    uart: int = 0
    uart_interrupt: int = 0
    has_coprocessors: bool = False
    has_low_overhead_loops: bool = False
    microphone: Microphone | None = None
    baud: int = 115200
    flash: FlashMethod | None = None
    source: str = ""
    definition: str = ""

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


_KEYS = {field.name: field.type for field in fields(Board) if field.name not in ("definition",)}
_REQUIRED = ("core",)


def load(path: Path, *, user: bool = True) -> Board:
    """Read a board's file; its name is the file's without the ending, unless the file says one.

    Raises:
        AscError: the file cannot be read, has a key that no board has, or a value of a wrong kind.
    """
    data = read_toml(path)
    unknown = sorted(set(data) - set(_KEYS))
    if unknown:
        raise AscError(f"{path}: unknown key {unknown[0]}, allowed: {', '.join(_KEYS)}")
    for key in _REQUIRED:
        if key not in data:
            raise AscError(f"{path}: {key} is missing")
    values: dict[str, Any] = {"name": path.stem, **data}
    for key, value in values.items():
        values[key] = _value(path, key, value)
    if user:
        values["definition"] = path.read_text(encoding="utf-8")
    board = Board(**values)
    if board.machine and not board.toolchain.emulator:
        raise AscError(f"{path}: machine {board.machine} needs a toolchain with an emulator")
    return board


def _value(path: Path, key: str, value: Any) -> Any:
    convert = {
        "toolchain": _toolchain,
        "microphone": _microphone,
        "flash": _flash,
        "core_flags": _strings,
    }.get(key)
    try:
        if convert is not None:
            return convert(value)
        kind = {"int": int, "bool": bool, "str": str}[str(_KEYS[key])]
        if type(value) is not kind or (isinstance(value, int) and value < 0):
            raise ValueError(f"{value!r}, must be {_WANTED[kind]}")
    except (ValueError, KeyError, TypeError) as error:
        text = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise AscError(f"{path}: {key} = {text}") from None
    return value


_WANTED = {int: "a whole number of 0 or more", bool: "true or false", str: "a text"}


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{value!r}, must be a list of texts")
    return tuple(value)


def _toolchain(value: Any) -> Toolchain:
    if value not in TOOLCHAINS:
        raise ValueError(f"{value!r}, allowed: {', '.join(TOOLCHAINS)}")
    return TOOLCHAINS[value]


def _microphone(value: Any) -> Microphone:
    if isinstance(value, Mapping):
        return microphones.from_dict(value)
    if value not in microphones.MICROPHONES:
        raise ValueError(f"{value!r}, allowed: {', '.join(microphones.MICROPHONES)}, or a table")
    return microphones.MICROPHONES[value]


def _flash(value: Any) -> FlashMethod:
    method = FlashMethod(**value)
    if method.tool not in FLASH_TOOLS:
        raise ValueError(f"{method.tool!r}, allowed tools: {', '.join(FLASH_TOOLS)}")
    return method


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
