"""The instructions of an image, as the disassembler of its toolchain reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.targets.build import tools
from asc_tiny.util.errors import AscError

_FUNCTION = re.compile(r"([0-9a-f]+) <(.+)>:")
_LINE = re.compile(r"\s*([0-9a-f]+):\t(\S+)\s*([^;@<]*)")


@dataclass(frozen=True)
class Instruction:
    """An instruction in an image.

    Attributes:
        address: where it lies.
        name: the mnemonic in small letters, without its width.
        operands: its operands as text.
        function: name of the function that it is part of.
    """

    address: int
    name: str
    operands: str
    function: str


def disassemble(image: Path, *, objdump: str, machine: str = "") -> list[Instruction]:
    """Return the instructions of an ELF image in the order of their addresses.

    Args:
        image: the image.
        objdump: name of the disassembler.
        machine: its name of the architecture, where it does not know it of the image.

    Raises:
        AscError: the disassembler is not installed or fails.
    """
    options = ["-m", machine] if machine else []
    command = [tools.require(objdump), *options, "-d", "--no-show-raw-insn", image.name]
    done = tools.execute(command, folder=image.parent)
    if done.returncode != 0:
        raise AscError(f"{image}: {objdump} fails: {(done.stderr.splitlines() or [''])[-1]}")
    return parse(done.stdout.splitlines())


def parse(lines: Sequence[str]) -> list[Instruction]:
    """Return the instructions in what ``objdump -d`` prints."""
    found, function = [], ""
    for line in lines:
        if head := _FUNCTION.fullmatch(line):
            function = head[2]
        elif (match := _LINE.match(line)) and not match[2].startswith("."):
            name = match[2].removesuffix(".n").removesuffix(".w")
            found.append(Instruction(int(match[1], 16), name, match[3].strip(), function))
    return found


def address_of(instructions: Sequence[Instruction], function: str) -> int | None:
    """Return the address of a function's first instruction, None if it is not there."""
    return next((each.address for each in instructions if each.function == function), None)
