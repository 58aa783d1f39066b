"""What the decimator of a PDM microphone costs, as ``tests/runtime/test_pdm_cores.py`` has it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from asc_tiny.boards.catalog import Board
from asc_tiny.pdm.design import bits_per_sample

STATE_BYTES = 1088

_CORES = {
    "cortex-m0plus": (1277.0, 5.31, 2220),
    "cortex-m3": (835.0, 3.07, 2080),
    "cortex-m4": (835.0, 3.07, 2080),
    "cortex-m33": (848.0, 2.70, 2090),
}
"""Instructions for a sample and for each bit of it, by a line through those of 64 and 192 bits; and
bytes of flash."""

_SAME = {"cortex-m7": "cortex-m4", "cortex-m55": "cortex-m33"}
"""Cores that run the code of others."""

_OTHER = "cortex-m0plus"
"""What stands for cores that were not measured: the one that takes the most."""


@dataclass(frozen=True)
class DecimatorCost:
    """What the decimator takes.

    Attributes:
        ram_bytes: bytes of RAM, its state.
        flash_bytes: bytes of code and tables.
        instructions_per_s: instructions a second.
    """

    ram_bytes: int
    flash_bytes: int
    instructions_per_s: int


def decimator_cost(board: Board, cpu: str, rate: Fraction) -> DecimatorCost | None:
    """Return what it takes on a board, None where the chip filters the microphone's bits.

    Args:
        board: the board.
        cpu: its core as compilers name it.
        rate: sample rate of the microphone in Hz.

    Raises:
        AscError: no microphone's clock is fast enough for the rate.
    """
    if board.microphone is None or not board.microphone.needs_decimator:
        return None
    sample, bit, flash = _CORES[_SAME.get(cpu, cpu if cpu in _CORES else _OTHER)]
    instructions = (sample + bit * bits_per_sample(round(rate))) * rate
    return DecimatorCost(STATE_BYTES, flash, round(instructions))
