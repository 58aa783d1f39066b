"""External programs: finding them, and running them with their failure as one clear line."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from asc_tiny.util import child_processes, scratch_folders
from asc_tiny.util.errors import AscError

PACKAGES = {
    "arm-none-eabi-g++": "gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "arm-none-eabi-objdump": "binutils-arm-none-eabi",
    "c++": "g++",
    "cc": "gcc libc6-dev",
    "cmake": "cmake",
    "ninja": "ninja-build",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
}
"""Programs that commands call, and the Debian packages that hold them."""

LIBRARIES = {
    "arm-none-eabi-g++": "libstdc++_nano.a",
    "arm-none-eabi-gcc": "libc_nano.a",
    "riscv64-unknown-elf-gcc": "picolibc.specs",
}
"""What a compiler builds nothing with unless it is there: Debian packages it apart."""


def find(program: str) -> str | None:
    """Return the path of a program, None if it or its library is not installed."""
    path = shutil.which(program)
    library = LIBRARIES.get(program)
    return path if path is None or library is None or _has(path, library) else None


@cache
def _has(compiler: str, library: str) -> bool:
    """Whether a compiler finds a file of its libraries: else it prints the bare name."""
    command = [compiler, f"-print-file-name={library}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return Path(done.stdout.strip()).is_absolute()


def require(program: str) -> str:
    """Return the path of a program.

    Raises:
        AscError: it or its library is not installed; the message names the Debian packages.
    """
    path = find(program)
    if path is None:
        fault = f"finds no {LIBRARIES[program]}" if shutil.which(program) else "is not installed"
        raise AscError(f"{program} {fault}; try: apt-get install {PACKAGES[program]}")
    return path


def execute(
    arguments: Sequence[str], *, folder: Path, timeout_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in ``folder`` without standard input and capture its text output.

    It ends with this process, and so does all that it starts; its temporary files go with them.

    Raises:
        AscError: it cannot be started, or ran longer than ``timeout_s``.
    """
    try:
        with scratch_folders.folder() as temporary:
            environment = {"TMPDIR": str(temporary)}
            return child_processes.run(
                arguments, folder=folder, timeout_s=timeout_s, environment=environment
            )
    except subprocess.TimeoutExpired:
        raise AscError(f"{arguments[0]}: gave no result within {timeout_s:g} s") from None
    except OSError as error:
        raise AscError(f"{arguments[0]}: cannot be started: {error.strerror}") from error
