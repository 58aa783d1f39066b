"""Programs of a PIO block, run cycle by cycle: as much of them as the projects' programs use.

RP2040 data sheet, chapter 3. A delay, a stall and several machines are not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_LINE = re.compile(r"(?:(?P<what>.*?)\s+)?side\s+(?P<side>\w+)")


@dataclass
class Program:
    """A program by its source.

    Attributes:
        name: its name.
        instructions: text and side set of each instruction.
        labels: instruction of each label.
        side_bits: pins of the side set.
    """

    name: str = ""
    instructions: list[tuple[str, int]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    side_bits: int = 0


def assembled(path: Path) -> Program:
    """Read a program; all of its instructions are inside the wrap."""
    program = Program()
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.split(";")[0].strip()
        if text.startswith(".program "):
            program.name = text.split()[1]
        elif text.startswith(".side_set "):
            program.side_bits = int(text.split()[1])
        elif text.endswith(":"):
            program.labels[text[:-1]] = len(program.instructions)
        elif text and not text.startswith("."):
            match = _LINE.fullmatch(text)
            assert match, text
            side = int(match["side"], 0)
            assert side < 1 << program.side_bits
            program.instructions.append((match["what"], side))
    assert len(program.instructions) <= 32
    return program


def run(program: Program, cycles: int, pin: Callable[[int, int], int]) -> list[list[int]]:
    """Run a program and return the bits that it has read, in words of 32.

    Args:
        program: the program.
        cycles: number of cycles.
        pin: gets the cycle's number and the side set that it drives, returns the level of the data
            pin before the side set of this cycle had an effect.
    """
    counter = x = 0
    read: list[int] = []
    for cycle in range(cycles):
        what, side = program.instructions[counter]
        level = pin(cycle, side)
        counter = (counter + 1) % len(program.instructions)
        words = what.replace(",", " ").split()
        if words[0] == "set":
            assert words[1] == "x" and int(words[2]) < 32
            x = int(words[2])
        elif words[0] == "in":
            assert words[1:] == ["pins", "1"]
            read.append(level)
        elif words[0] == "jmp":
            assert words[1] == "x--"
            if x:
                counter = program.labels[words[2]]
            x = (x - 1) % 2**32
        else:
            assert words == ["nop"]
    return [read[start : start + 32] for start in range(0, len(read) - 31, 32)]
