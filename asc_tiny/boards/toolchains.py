"""Programs that build and run the images of a kind of processor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """What a kind of processor is built for and emulated with.

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
"""What boards have whose firmware is built in projects of other tools."""

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

TOOLCHAINS = {"native": NATIVE, "none": NONE, "arm": ARM, "riscv": RISCV}
"""As a board's file names them."""
