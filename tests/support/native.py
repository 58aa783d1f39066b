"""Compiles emitted C for this computer and calls it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from asc_tiny.boards import catalog
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.frontend.config import FrontEndConfig
from support.objects import compiled

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror", "-O2")
CORES = {
    "cortex-m0plus": (catalog.ARM, "-mcpu=cortex-m0plus", "-mthumb"),
    "cortex-m4": (catalog.ARM, "-mcpu=cortex-m4", "-mthumb"),
    "cortex-m55": (catalog.ARM, "-mcpu=cortex-m55", "-mthumb"),
    "rv32imc": (catalog.RISCV, "-march=rv32imc", "-mabi=ilp32"),
}


def write(files: Mapping[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


SANITISER = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")


def shared_library(folder: Path, *, sanitizer: Sequence[str] = SANITISER) -> ctypes.CDLL:
    """Build all C files in ``folder``, undefined behaviour trapped unless told otherwise."""
    library = folder / "library.so"
    sources = sorted(folder.glob("*.c"))
    command = ["cc", *FLAGS, *sanitizer, "-fPIC"]
    objects = compiled(command, sources)
    subprocess.run([*command, "-shared", *objects, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def compile_for(core: str, folder: Path) -> None:
    """Compile all C files in ``folder`` for one of ``CORES``; a warning is an error."""
    toolchain, *flags = CORES[core]
    assert shutil.which(toolchain.compiler), f"{toolchain.compiler} is not installed"
    command = [toolchain.compiler, *flags, *toolchain.compiler_flags, *FLAGS]
    compiled(command, sorted(folder.glob("*.c")))


class CFrontEnd:
    """The C front end of a configuration."""

    def __init__(self, config: FrontEndConfig, folder: Path, *, continuous: bool = False) -> None:
        write(frontend_code.generate(config, "a test", continuous=continuous), folder)
        write(runtime_sources("fixed_point", "frontend"), folder)
        self.config = config
        self.library = shared_library(folder)
        self.library.asc_frontend_push.restype = ctypes.c_size_t

    def features(self, pcm: np.ndarray, chunks: Sequence[int]) -> np.ndarray:
        """Push a stream in chunks of these sizes; (clips, n_mels, columns, channels)."""
        config = self.config
        shape = (config.n_mels, -1, config.columns, config.channels)
        return self.columns(pcm, chunks).reshape(shape).transpose(1, 0, 2, 3)

    def columns(self, pcm: np.ndarray, chunks: Sequence[int], skip: int = 0) -> np.ndarray:
        """Push a stream in chunks of these sizes; (n_mels, columns, channels).

        With ``skip``, a continuous front end leaves out as many columns after each one.
        """
        config = self.config
        state = ctypes.create_string_buffer(1 << 18)
        self.library.asc_frontend_init(state)
        pcm = np.ascontiguousarray(pcm)
        column = np.zeros((config.n_mels, config.channels), np.int8)
        columns = []
        position = turn = 0
        while position < len(pcm):
            end = min(position + chunks[turn % len(chunks)], len(pcm))
            turn += 1
            while position < end:
                samples = ctypes.c_void_p(pcm.ctypes.data + pcm.itemsize * position)
                count = ctypes.c_size_t(end - position)
                position += self.library.asc_frontend_push(state, samples, count)
                stride = ctypes.c_size_t(config.channels)
                while self.library.asc_frontend_pop(
                    state, ctypes.c_void_p(column.ctypes.data), stride
                ):
                    columns.append(column.copy())
                    if skip:
                        self.library.asc_frontend_skip(state, ctypes.c_uint32(skip))
        return np.stack(columns, axis=1)
