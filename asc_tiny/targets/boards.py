"""Boards that firmware is generated for: cores, memories, compiler flags, emulated machines."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.errors import AscError
from asc_tiny.targets import microphones
from asc_tiny.targets.microphones import Microphone

DEFAULT_BOARD = "mps2-an386"
HOST = "host"

_MIB = 1 << 20
_KIB = 1 << 10


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """Programs that build and run the images of a kind of processor.

    Attributes:
        platform: the platform source in the project, without its ending; empty if there is none.
        compiler: the program.
        processor: CMake's name of the processor, empty for a native build.
        compiler_flags: choose the C library.
        emulator: QEMU's program, empty for a native build.
        emulator_options: for images that start without firmware below them.
    """

    platform: str
    compiler: str
    processor: str = ""
    compiler_flags: tuple[str, ...] = ()
    emulator: str = ""
    emulator_options: tuple[str, ...] = ()


NATIVE = Toolchain(platform="host", compiler="cc")
NONE = Toolchain(platform="", compiler="")
"""Of boards whose firmware is built in projects of other tools."""

ARM = Toolchain(
    platform="cortex_m",
    compiler="arm-none-eabi-gcc",
    processor="arm",
    compiler_flags=("--specs=nano.specs", "--specs=nosys.specs"),
    emulator="qemu-system-arm",
)
RISCV = Toolchain(
    platform="riscv",
    compiler="riscv64-unknown-elf-gcc",
    processor="riscv",
    compiler_flags=("--specs=picolibc.specs",),
    emulator="qemu-system-riscv32",
    emulator_options=("-bios", "none"),
)


@dataclass(frozen=True, kw_only=True)
class Board:
    """A target of generated firmware.

    Attributes:
        name: as given to ``--board``.
        core: the processor, for people.
        toolchain: builds and runs its images.
        machine: QEMU's machine name, empty for a native build.
        core_flags: select the core for the compiler.
        flash_origin, flash_bytes, ram_origin, ram_bytes: memory map.
        clock_hz: of the core as the board's tools set it up, 0 for an emulated board.
        instructions_per_1024_ticks: of SysTick under ``-icount shift=0``, 0 without one.
        has_coprocessors: floating point or vector unit to enable at start.
        has_low_overhead_loops: Armv8.1-M loop cache to enable at start.
        microphone: on the board, or the usual one to connect; None for an emulated board.
    """

    name: str
    core: str
    toolchain: Toolchain
    machine: str = ""
    core_flags: tuple[str, ...] = ()
    flash_origin: int = 0
    flash_bytes: int = 0
    ram_origin: int = 0
    ram_bytes: int = 0
    clock_hz: int = 0
    instructions_per_1024_ticks: int = 0
    has_coprocessors: bool = False
    has_low_overhead_loops: bool = False
    microphone: Microphone | None = None

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


def _mps2(name: str, core: str, cpu: str, *, has_coprocessors: bool) -> Board:
    """Describe one of the MPS2 images that share a memory map and a 25 MHz clock."""
    return Board(
        name=name,
        core=core,
        toolchain=ARM,
        machine=name,
        core_flags=(f"-mcpu={cpu}", "-mthumb"),
        flash_origin=0x00000000,
        flash_bytes=4 * _MIB,
        ram_origin=0x20000000,
        ram_bytes=4 * _MIB,
        instructions_per_1024_ticks=40 * 1024,
        has_coprocessors=has_coprocessors,
    )


def _development(
    name: str, core: str, mhz: int, flash_bytes: int, ram_bytes: int, microphone: Microphone
) -> Board:
    """Describe a board that people buy; names are Zephyr's where it has one of the same kind."""
    return Board(
        name=name,
        core=core,
        toolchain=NONE,
        flash_bytes=flash_bytes,
        ram_bytes=ram_bytes,
        clock_hz=mhz * 1_000_000,
        microphone=microphone,
    )


BOARDS = {
    board.name: board
    for board in (
        Board(name=HOST, core="this computer", toolchain=NATIVE),
        _mps2("mps2-an385", "Cortex-M3", "cortex-m3", has_coprocessors=False),
        _mps2("mps2-an386", "Cortex-M4", "cortex-m4", has_coprocessors=True),
        _mps2("mps2-an500", "Cortex-M7", "cortex-m7", has_coprocessors=True),
        Board(
            name="mps2-an505",
            core="Cortex-M33",
            toolchain=ARM,
            machine="mps2-an505",
            core_flags=("-mcpu=cortex-m33", "-mthumb"),
            flash_origin=0x10000000,
            flash_bytes=4 * _MIB,
            ram_origin=0x38000000,
            ram_bytes=4 * _MIB,
            instructions_per_1024_ticks=50 * 1024,
            has_coprocessors=True,
        ),
        Board(
            name="mps3-an547",
            core="Cortex-M55",
            toolchain=ARM,
            machine="mps3-an547",
            core_flags=("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
            flash_origin=0x00000000,
            flash_bytes=512 * _KIB,
            ram_origin=0x31000000,
            ram_bytes=2 * _MIB,
            instructions_per_1024_ticks=32000,
            has_coprocessors=True,
            has_low_overhead_loops=True,
        ),
        _development(
            "nano33ble_sense", "Cortex-M4F", 64, _MIB, 256 * _KIB, microphones.NANO_33_BLE_SENSE
        ),
        _development("nrf52840dk", "Cortex-M4F", 64, _MIB, 256 * _KIB, microphones.NRF_PDM),
        _development("nrf5340dk", "Cortex-M33", 128, _MIB, 512 * _KIB, microphones.NRF_PDM),
        _development(
            "disco_l475_iot1", "Cortex-M4F", 80, _MIB, 128 * _KIB, microphones.STM32L4_DFSDM
        ),
        _development(
            "stm32l496g_disco", "Cortex-M4F", 80, _MIB, 320 * _KIB, microphones.STM32L4_DFSDM
        ),
        _development(
            "esp32s3_devkitc", "Xtensa LX7", 240, 8 * _MIB, 512 * _KIB, microphones.I2S_INMP441
        ),
        _development("rpi_pico", "Cortex-M0+", 125, 2 * _MIB, 264 * _KIB, microphones.I2S_INMP441),
        Board(
            name="virt-rv32",
            core="RISC-V, RV32IMC",
            toolchain=RISCV,
            machine="virt",
            core_flags=("-march=rv32imc", "-mabi=ilp32"),
            # The machine starts at the beginning of its RAM.
            flash_origin=0x80000000,
            flash_bytes=4 * _MIB,
            ram_origin=0x80400000,
            ram_bytes=4 * _MIB,
        ),
    )
}


def get(name: str) -> Board:
    """Return the board of that name.

    Raises:
        AscError: there is none.
    """
    try:
        return BOARDS[name]
    except KeyError:
        raise AscError(f"unknown board {name}, allowed: {', '.join(sorted(BOARDS))}") from None
