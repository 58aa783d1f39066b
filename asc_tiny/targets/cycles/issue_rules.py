"""How many cycles an instruction takes on a core, by the tables of the cores' manuals.

The Cortex-M55, whose manual has none, has a bound from below: see ``helium_rules``.

Sources: Arm, "Cortex-M3 Technical Reference Manual", and "Cortex-M4 Technical Reference Manual",
section "Instruction set summary" with "Load/store timings". Where a table has a range, such as that
of a division, the value in its middle is taken; a jump fills the pipeline again in two cycles of
the one to three that the manuals state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from asc_tiny.targets.cycles import helium_rules
from asc_tiny.targets.cycles.disassembly import Instruction

REFILL = 2
"""Cycles that fill the pipeline again after a jump, 1 to 3 by the manuals."""

_DIVISION = 7
"""Cycles of SDIV and UDIV, 2 to 12 by the manuals."""

_CONDITION = r"(?:eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_LOAD = re.compile(rf"ldr(?:b|h|sb|sh|t|bt|ht|sbt|sht)?{_CONDITION}")
_STORE = re.compile(rf"str(?:b|h|t|bt|ht)?{_CONDITION}")
_PAIR = re.compile(rf"(?:ldrd|strd){_CONDITION}")
_SEVERAL = re.compile(rf"(?:ldm|stm|push|pop)(?:ia|db|fd|ea)?{_CONDITION}")
_JUMP = re.compile(rf"(?:b|bl|bx|blx){_CONDITION}|cbz|cbnz")
_TABLE = re.compile(r"tbb|tbh")
_FLOAT_ONE = re.compile(rf"(?:vldr|vstr){_CONDITION}")
_FLOAT_SEVERAL = re.compile(rf"(?:vldm|vstm|vpush|vpop)(?:ia|db)?{_CONDITION}")

_NAMES = {"sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}


@dataclass(frozen=True)
class Cost:
    """Cycles of an instruction.

    Attributes:
        sequential: cycles if the instruction before it in memory has run just before it.
        jumped: cycles if another has.
        taken: cycles besides if another instruction than the next in memory runs after it.
    """

    sequential: int
    jumped: int
    taken: int = 0


@dataclass(frozen=True)
class Core:
    """A core of whose cycles something is known.

    Attributes:
        name: as boards name it.
        arithmetic: cycles of instructions by the beginning of their names, where it is not one; the
            longest beginning counts.
        is_bound: whether cycles are a bound from below, of instructions that never wait.
        machine: what the disassembler calls its architecture, where images do not say enough.
    """

    name: str
    arithmetic: Mapping[str, int]
    is_bound: bool = False
    machine: str = ""


_FLOAT = {"vdiv": 14, "vsqrt": 14, "vmla": 3, "vmls": 3, "vfma": 3, "vfms": 3, "vnmla": 3}
CORES = {
    core.name: core
    for core in (
        Core(
            "Cortex-M3",
            {
                **{"sdiv": _DIVISION, "udiv": _DIVISION, "mla": 2, "mls": 2},
                **{"smull": 4, "umull": 4, "smlal": 5, "umlal": 5},
            },
        ),
        Core("Cortex-M4", {"sdiv": _DIVISION, "udiv": _DIVISION, **_FLOAT}),
        Core("Cortex-M55", {}, is_bound=True, machine="armv8.1-m.main"),
    )
}
"""The cores by name."""


def cost(core: Core, instruction: Instruction, before: Instruction | None) -> Cost:
    """Return the cycles of an instruction.

    Args:
        core: what executes it.
        instruction: the instruction.
        before: the one before it in memory, None if there is none.
    """
    if core.is_bound:
        return _least(instruction, before)
    name, operands = instruction.name, instruction.operands
    taken = REFILL if _jumps(instruction) else 0
    if _PAIR.fullmatch(name):
        return Cost(3, 3)
    if _SEVERAL.fullmatch(name):
        cycles = 1 + _register_count(operands)
        return Cost(cycles, cycles, taken)
    if _FLOAT_SEVERAL.fullmatch(name):
        cycles = 1 + _register_count(operands) * (2 if "d" in operands else 1)
        return Cost(cycles, cycles)
    if _FLOAT_ONE.fullmatch(name):
        cycles = 3 if operands.startswith("d") else 2
        return Cost(cycles, cycles)
    if _LOAD.fullmatch(name):
        return Cost(1 if _is_pipelined(instruction, before) else 2, 2, taken)
    if _STORE.fullmatch(name):
        # The write buffer takes a store whose offset is a number at once.
        cycles = 2 if _has_register_offset(operands) else 1
        return Cost(1 if _is_pipelined(instruction, before) else cycles, cycles)
    if _TABLE.fullmatch(name):
        return Cost(2, 2, taken)
    cycles = _arithmetic(core, name)
    return Cost(cycles, cycles, taken)


def _least(instruction: Instruction, before: Instruction | None) -> Cost:
    """Return the least cycles of an instruction on a Cortex-M55."""
    several = _SEVERAL.fullmatch(instruction.name) or _FLOAT_SEVERAL.fullmatch(instruction.name)
    if several:
        cycles = -(-_register_count(instruction.operands) // 2)
        return Cost(cycles, cycles)
    return Cost(helium_rules.cycles(instruction, before), 1)


def _jumps(instruction: Instruction) -> bool:
    name, operands = instruction.name, instruction.operands
    if _JUMP.fullmatch(name) or _TABLE.fullmatch(name):
        return True
    if _SEVERAL.fullmatch(name):
        return "pc" in operands
    return operands.split(",")[0].strip() == "pc" and not _STORE.fullmatch(name)


def _is_pipelined(instruction: Instruction, before: Instruction | None) -> bool:
    """Whether a load or store begins while the load before it ends.

    It does not where that one's result is part of its address.
    """
    if before is None or not _LOAD.fullmatch(before.name):
        return False
    loaded = before.operands.split(",")[0].strip()
    address = instruction.operands.partition("[")[2]
    return re.search(rf"\b{loaded}\b", address) is None


def _has_register_offset(operands: str) -> bool:
    inside = operands.partition("[")[2].partition("]")[0]
    return re.search(r",\s*[a-z]", inside) is not None


def _arithmetic(core: Core, name: str) -> int:
    known = [start for start in core.arithmetic if name.startswith(start)]
    return core.arithmetic[max(known, key=len)] if known else 1


def _register_count(operands: str) -> int:
    """Return the number of registers in a list such as ``{r4-r7, lr}``."""
    count = 0
    for part in operands.partition("{")[2].partition("}")[0].split(","):
        first, _, last = part.strip().partition("-")
        count += _number(last) - _number(first) + 1 if last else 1
    return count


def _number(register: str) -> int:
    return _NAMES[register] if register in _NAMES else int(register[1:])
