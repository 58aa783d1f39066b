"""How many cycles an instruction takes on a Cortex-M55 at least.

Arm publishes no table of this core's instructions. What is known: it issues one instruction in a
cycle, and its data path is 64 bits wide, so that a vector instruction of Helium, four beats of 32
bits, keeps its unit for two cycles. The next instruction begins a cycle later if it needs another
unit: beats overlap. So a load of a vector and a product in turn take one cycle each, two loads in a
row three.

Source: the model of the core in SLOTHY (slothy/targets/arm_v81m/cortex_m55r1.py), whose authors
call it approximate, for the units and their two cycles. Arm's manuals were not compared with it.

It is a bound from below: no instruction waits for the result of another, for a divider, for the
pipeline after a jump or for memory, and registers that are loaded or stored together move by twos.
"""

from __future__ import annotations

import re

from asc_tiny.targets.cycles.disassembly import Instruction

VECTOR_CYCLES = 2
"""Cycles for which a vector instruction keeps its unit: two of four beats in each."""

_VECTOR = re.compile(r"\bq[0-7]\b")
_LANE = re.compile(r"\bq[0-7]\[")
_MEMORY = re.compile(r"v(?:ldr|str|ld[24]|st[24])")
_PRODUCT = re.compile(r"v(?:q?r?d?mul|q?r?d?ml|rml|fm|cm[lu]|c?add\.f|sub\.f)")


def unit_of(instruction: Instruction) -> str:
    """Return the unit that a vector instruction keeps, empty for all other instructions."""
    name, operands = instruction.name, instruction.operands
    # What moves a lane to a register or from one is no vector instruction.
    if not name.startswith("v") or not _VECTOR.search(_LANE.sub("", operands)):
        return ""
    if _MEMORY.match(name):
        return "memory"
    return "product" if _PRODUCT.match(name) else "integer"


def cycles(instruction: Instruction, before: Instruction | None) -> int:
    """Return the cycles from the instruction before one in memory to it, where both run in turn."""
    unit = unit_of(instruction)
    is_busy = bool(unit) and before is not None and unit_of(before) == unit
    return VECTOR_CYCLES if is_busy else 1
