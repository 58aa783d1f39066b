"""Builds small images for emulated cores, such as the front end alone, and runs them there."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.options import Options
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware.c.templates import template_root
from asc_tiny.firmware.network.compiled import DEFAULT
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model.ensemble import Model
from asc_tiny.projects.cmake import platform_sources
from asc_tiny.targets.build.project import run_command
from asc_tiny.targets.image.bench import memory
from support import c_programs
from support.native import FLAGS, write
from support.objects import compiled
from support.patience import PATIENCE_S

PROJECT = template_root() / "projects" / "cmake"
LINK = ("-nostartfiles", "-Wl,--gc-sections")
CLANG = ("clang", "--target=arm-none-eabi", "-isystem", "/usr/include/newlib")
"""Clang with the headers of the C library that Debian's GCC for Arm uses."""


def write_platform(board: Board, folder: Path, *, stack_bytes: int, runtime: str = "aot") -> None:
    """Write start-up code, board description and linker script of a generated project."""
    write(platform_sources(board, stack_bytes=stack_bytes, runtime=runtime), folder)


def emulate(board: Board, image: Path, arguments: Sequence[str]) -> str:
    """Run an image beside its files and return what it prints."""
    return emulate_bytes(board, image, arguments).decode()


def emulate_bytes(board: Board, image: Path, arguments: Sequence[str]) -> bytes:
    """Run an image beside its files and return what it prints, which need not be text."""
    command = run_command(board, Path(image.name), arguments)
    done = subprocess.run(
        command, cwd=image.parent, capture_output=True, timeout=PATIENCE_S, check=True
    )
    return done.stdout + done.stderr


class EmulatedImage:
    """The C files in a folder, built for a board of QEMU.

    Args:
        folder: with a ``main``; the platform's files are added.
        board: name of an emulated board.
        flags: of the compiler instead of the board's, to build for a lesser core of its family.
        optimization: level.
        compiler: another compiler than the board's, with options; the board's links.
    """

    def __init__(
        self,
        folder: Path,
        board: str,
        *,
        flags: tuple[str, ...] = (),
        optimization: str = "-O2",
        compiler: Sequence[str] = (),
    ) -> None:
        self.folder, self.board = folder, catalog.get(board)
        toolchain = self.board.toolchain
        core = flags or self.board.core_flags
        self.compiler = [toolchain.compiler, *core, *toolchain.compiler_flags]
        write_platform(self.board, folder, stack_bytes=4096)
        level = [flag for flag in FLAGS if not flag.startswith("-O")] + [optimization]
        level.append("-ffunction-sections")
        command = [*self.compiler, *level]
        other = [*compiler, *core, *level] if compiler else command
        objects = compiled(other, sorted(folder.glob("*.c")))
        command += [*LINK, f"-T{folder / 'link.ld'}", *map(str, objects)]
        subprocess.run([*command, "-o", str(folder / "image.elf")], check=True)

    def execute(self, *arguments: str) -> str:
        """Run the image and return what it printed."""
        return emulate(self.board, self.folder / "image.elf", arguments)


def flash_bytes(image: EmulatedImage, *names: str) -> int:
    """Return the bytes of code and constants of C files of an image, each compiled alone."""
    total = 0
    for name in names:
        path = image.folder / f"{name}.o"
        command = [*image.compiler, "-O2", "-std=c99", "-c", name, "-o", path]
        subprocess.run(command, cwd=image.folder, check=True)
        done = subprocess.run(["arm-none-eabi-size", path], capture_output=True, text=True)
        text, data = done.stdout.splitlines()[1].split()[:2]
        total += int(text) + int(data)
    return total


class EmulatedFrontEnd:
    """The C front end of a configuration on a board of QEMU.

    Args:
        config: with quantisation.
        board: name of an emulated board.
        folder: to build in.
        flags: of the compiler instead of the board's, to build for a lesser core of its family.
        optimization: level.
        compiler: another compiler than the board's, with options.
    """

    def __init__(
        self,
        config: FrontEndConfig,
        board: str,
        folder: Path,
        *,
        flags: tuple[str, ...] = (),
        optimization: str = "-O2",
        compiler: Sequence[str] = (),
    ) -> None:
        self.config, self.folder = config, folder
        write(frontend_code.generate(config, "a test"), folder)
        write(runtime_sources("fixed_point", "frontend"), folder)
        c_programs.put("frontend_main.c", folder)
        self.image = EmulatedImage(
            folder, board, flags=flags, optimization=optimization, compiler=compiler
        )

    def run(self, pcm: np.ndarray, mode: str = "chunks") -> tuple[np.ndarray, int, int]:
        """Push a stream of whole clips.

        Returns:
            Features, shape (clips, n_mels, columns, channels), none with mode ``hops``, which
            counts instead; instructions of the costliest hop; bytes of the front end's state.
        """
        (self.folder / "in.pcm").write_bytes(pcm.astype(self.config.sample_type).tobytes())
        text = self.image.execute("in.pcm", "out.bin", mode)
        instructions, state = map(int, text.split())
        config = self.config
        codes = np.frombuffer((self.folder / "out.bin").read_bytes(), np.int8)
        columns = codes.reshape(-1, config.columns, config.n_mels, config.channels)
        return columns.transpose(0, 2, 1, 3), instructions, state

    def flash_bytes(self) -> int:
        """Return the code and constants of the front end's own files."""
        total = 0
        runtime = [name for name in runtime_sources("frontend") if name.endswith(".c")]
        for name in [*runtime, "asc_frontend_tables.c"]:
            path = self.folder / f"{name}.o"
            command = [*self.image.compiler, "-O2", "-std=c99", "-c", name, "-o", path]
            subprocess.run(command, cwd=self.folder, check=True)
            total += memory(path)[0]
        return total


class EmulatedNetwork:
    """The C code of a model on a board of QEMU.

    Args:
        model: the model or ensemble.
        board: name of an emulated board.
        folder: to build in.
        flags: of the compiler instead of the board's, to build for a lesser core of its family.
        optimization: level.
        options: of the planner.
        compiler: another compiler than the board's, with options.
    """

    def __init__(
        self,
        model: Model,
        board: str,
        folder: Path,
        *,
        flags: tuple[str, ...] = (),
        optimization: str = "-O2",
        options: Options = DEFAULT,
        compiler: Sequence[str] = (),
    ) -> None:
        from support.network_models import emit

        self.folder = folder
        emit(model, folder, options)
        c_programs.put("network_main.c", folder)
        self.image = EmulatedImage(
            folder, board, flags=flags, optimization=optimization, compiler=compiler
        )

    def run(self, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
        """Return the int8 outputs, shape (inputs, outputs), and the most instructions of a run."""
        data = b"".join(np.ascontiguousarray(each, np.int8).tobytes() for each in inputs)
        (self.folder / "in.bin").write_bytes(data)
        instructions, changed = map(int, self.image.execute("in.bin", "out.bin").split())
        assert changed == 0, "bytes beside the arena were written"
        outputs = np.frombuffer((self.folder / "out.bin").read_bytes(), np.int8)
        return outputs.reshape(len(inputs), -1), instructions
