"""Cycles of segments of a run on an emulated core, added up by a plugin of the emulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build import tools
from asc_tiny.targets.build.project import NetworkProject
from asc_tiny.targets.cycles.disassembly import Instruction, address_of, disassemble
from asc_tiny.targets.cycles.issue_rules import CORES, Core, cost
from asc_tiny.targets.image import application
from asc_tiny.util import scratch_folders
from asc_tiny.util.errors import AscError

BORDER = "platform_instructions"
"""The function that reads the core's counter: a program calls it where a segment ends."""

_UNCOUNTED = (BORDER, "asc_net_profile")
_PLUGIN = Path(__file__).with_name("trace_plugin.c")
_LIBRARY, _COSTS, _SEGMENTS = "trace_plugin.so", "costs.txt", "segments.txt"


@dataclass(frozen=True)
class Segment:
    """What ran between two readings of the core's counter, the reading itself apart.

    Attributes:
        instructions: number of instructions.
        cycles: cycles by the rules of the core, where memory never lets it wait.
        stalls: cycles that it waits for the flash besides.
    """

    instructions: int
    cycles: int
    stalls: int

    @property
    def waiting_cycles(self) -> int:
        """All cycles, those of waiting for the flash included."""
        return self.cycles + self.stalls


def core_of(board: Board) -> Core:
    """Return the rules of a board's core.

    Raises:
        AscError: its manual states no cycles of instructions, or nothing emulates the board.
    """
    if not board.machine:
        raise AscError(f"--cycles: board {board.name} is not emulated; cycles come from a trace")
    if board.core not in CORES:
        raise AscError(
            f"--cycles: {board.core} of board {board.name}: its manual states no cycles of "
            f"instructions; they are estimated for {', '.join(CORES)}"
        )
    return CORES[board.core]


def segments(
    project: NetworkProject,
    arguments: Sequence[str],
    files: Mapping[str, bytes],
    *,
    wait_states: int,
) -> list[Segment]:
    """Run a project's image and return the segments of the run; the first is before any border.

    Args:
        project: a built project for an emulated board.
        arguments: the image's arguments.
        files: files that the image reads.
        wait_states: wait states of the flash.

    Raises:
        AscError: as ``core_of``; a program is not installed; the emulator takes no plugins; or the
            image fails.
    """
    application.check(project)
    return segments_of_any(project, arguments, files, wait_states=wait_states)


def segments_of_any(
    project: NetworkProject,
    arguments: Sequence[str],
    files: Mapping[str, bytes],
    *,
    wait_states: int,
) -> list[Segment]:
    """Do the same with an image that need not take this tool's commands.

    Raises:
        AscError: as ``segments``.
    """
    core = core_of(project.board)
    code = disassemble(project.image, objdump=objdump(project.board), machine=core.machine)
    border = address_of(code, BORDER)
    if border is None:
        raise AscError(f"{project.image}: has no function {BORDER}, by whose calls it is divided")
    with scratch_folders.folder() as tool:
        _build_plugin(tool)
        (tool / _COSTS).write_text(_costs(core, code), encoding="ascii")
        flash = project.board.flash_region
        values = {
            "costs": tool / _COSTS,
            "out": tool / _SEGMENTS,
            "border": border,
            "flash": flash.origin,
            "flash_bytes": flash.bytes,
            "wait": wait_states,
        }
        plugin = [f"{tool / _LIBRARY}", *(f"{name}={value}" for name, value in values.items())]
        projects.execute(project, arguments, files, [], plugin=",".join(plugin))
        if not (tool / _SEGMENTS).is_file():
            raise AscError(
                f"{project.board.toolchain.emulator}: takes no plugins; --cycles needs it"
            )
        return parse((tool / _SEGMENTS).read_text(encoding="ascii"))


def parse(text: str) -> list[Segment]:
    """Return the segments that the plugin has written."""
    return [Segment(*map(int, line.split())) for line in text.splitlines()]


def objdump(board: Board) -> str:
    """Return the name of the disassembler of a board's toolchain."""
    return board.toolchain.compiler.removesuffix("gcc") + "objdump"


def _build_plugin(folder: Path) -> None:
    options = ["-std=c99", "-O2", "-shared", "-fPIC", "-o", _LIBRARY]
    command = [tools.require("cc"), *options, str(_PLUGIN)]
    done = tools.execute(command, folder=folder)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise AscError(f"{_PLUGIN}: the plugin of the emulator does not compile: {reason}")


def _costs(core: Core, code: Sequence[Instruction]) -> str:
    """Return the plugin's table of all instructions that count."""
    lines = []
    for before, each in zip([None, *code], code, strict=False):
        if each.function not in _UNCOUNTED:
            found = cost(core, each, before)
            line = f"{each.address:x} {found.sequential} {found.jumped} {found.taken}"
            lines.append(f"{line}\n")
    return "".join(lines)
