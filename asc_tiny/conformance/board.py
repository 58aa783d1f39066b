"""Compiled networks run on an emulated core, without an application around them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.boards.catalog import Board
from asc_tiny.conformance.programs import (
    AnyArray,
    Inference,
    NetworkCode,
    kernel_sources,
    output_bytes,
    read_outputs,
    write_networks,
)
from asc_tiny.projects.cmake import platform_sources
from asc_tiny.targets.build import tools
from asc_tiny.targets.build.project import run_command
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_text

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror", "-O2")
_LINK = ("-nostartfiles", "-Wl,--gc-sections", "-Tlink.ld")
_MAIN = "board_main.c"
_STACK_BYTES = 4096
_SECONDS = 3600.0
_COUNT = struct.Struct("<Q")


@dataclass(frozen=True)
class BoardRun:
    """What a network gave on an emulated core.

    Attributes:
        outputs: the outputs of each inference.
        instructions: number of instructions of the costliest inference.
    """

    outputs: list[list[AnyArray]]
    instructions: int


def run(
    networks: Sequence[NetworkCode],
    inferences: Sequence[Sequence[Inference]],
    folder: Path,
    board: Board,
    *,
    per_unit: int = 1,
) -> list[BoardRun]:
    """Build one image of several networks, and run each on its inputs.

    Args:
        networks: the networks.
        inferences: inputs of the inferences that follow each other, for each network.
        folder: folder to build in.
        board: an emulated board.
        per_unit: number of networks that are compiled together; of more than one the code between
            kernels is not optimized.

    Raises:
        AscError: the board is none that is emulated, a program is missing, the networks do not fit
            its memory, or the image fails.
    """
    if not board.machine:
        raise AscError(f"board {board.name}: is not emulated, which --board needs here")
    for name, text in {
        **kernel_sources(networks),
        **platform_sources(board, stack_bytes=_STACK_BYTES),
    }.items():
        write_text(folder / name, text)
    units = [path.name for path in folder.glob("*.c")]
    units += write_networks(networks, inferences, _MAIN, folder, per_unit=per_unit)
    _build(folder, units, board, hasty=per_unit > 1)
    command = run_command(board, Path("image.elf"), ["in.bin", "out.bin"])
    done = tools.execute(command, folder=folder, timeout_s=_SECONDS)
    said = (done.stdout + done.stderr).strip()
    size = output_bytes(networks, inferences) + _COUNT.size * len(networks)
    data = (folder / "out.bin").read_bytes() if (folder / "out.bin").is_file() else b""
    if done.returncode or said or len(data) != size:
        lines = said.splitlines() or [f"code {done.returncode}"]
        raise AscError(f"{board.name}: the image fails: {lines[-1]}", details=lines[-10:-1])
    runs = []
    for network, each in zip(networks, inferences, strict=True):
        end = output_bytes([network], [each])
        (instructions,) = _COUNT.unpack_from(data, end)
        runs.append(BoardRun(read_outputs(data, network, len(each)), instructions))
        data = data[end + _COUNT.size :]
    return runs


def _build(folder: Path, names: Sequence[str], board: Board, *, hasty: bool) -> None:
    compiler = [tools.require(board.toolchain.compiler), *board.compiler_flags]
    for name in names:
        # Of many networks the code between kernels takes long to optimize, and nobody counts it.
        level = ["-O0"] if hasty and name.startswith("unit") else []
        command = [*compiler, *FLAGS, *level, "-ffunction-sections", "-c", name]
        _execute([*command, "-o", f"{name}.o"], folder, f"{board.name}: {name} does not compile")
    objects = [f"{name}.o" for name in names]
    what = f"{board.name}: the image cannot be linked; is its memory too small?"
    _execute([*compiler, *_LINK, *objects, "-o", "image.elf"], folder, what)


def _execute(command: Sequence[str], folder: Path, failure: str) -> None:
    done = tools.execute(command, folder=folder)
    if done.returncode:
        raise AscError(failure, details=done.stderr.splitlines()[-10:])
