"""How many samples wait while a network runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.options import STREAMING
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.complexity.op_cost import UncountedError, op_cost
from asc_tiny.firmware.audio import LEAST_BLOCKS
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.model.ensemble import Model
from asc_tiny.model.model_file import ModelFile

BLOCK = 1024
"""Samples in a block, ``ASC_AUDIO_BLOCK``."""

_CYCLES_PER_MAC = dict.fromkeys(("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"), 3.0) | {
    "cortex-m0": 15.0,
    "cortex-m0plus": 15.0,
}
_PLAIN_CYCLES_PER_MAC = 12.0
"""Cycles of a multiply-accumulate compiled ahead of time, at the most: those of the released
networks take 0.6 to 2.1 instructions where a core has two in one instruction, 3.1 to 12.4 on a
Cortex-M0+, 3.1 to 9.5 on a Cortex-M3 and on RISC-V, which stand for all that are not named."""

_TFLM_FACTOR = 2.5
"""Times the cycles that TensorFlow Lite Micro takes: 3.4 and 6.0 instructions with CMSIS-NN on a
Cortex-M4."""

_RAM_SHARE = 6


@dataclass(frozen=True)
class Pace:
    """How many blocks of samples wait while a network runs.

    Attributes:
        blocks: ``ASC_AUDIO_BLOCKS``.
        busy_s: time for which they are enough, in seconds.
        longest_s: the longest time for which the network can be busy, in seconds; infinity where
            its multiply-accumulates cannot be counted.
    """

    blocks: int
    busy_s: float
    longest_s: float = 0.0


def pace(
    model: Classifier,
    board: Board,
    *,
    runtime: str,
    rate: Fraction,
    networks: Sequence[Compiled] = (),
) -> Pace:
    """Return as many blocks as the network is busy for, but at most a share of the board's RAM.

    An emulated board has no clock: its samples wait for it.

    Args:
        model: the classifier.
        board: the board that runs it.
        runtime: ``aot`` or ``tflm``.
        rate: sample rate of the microphone in Hz.
        networks: the compiled network, or those of an ensemble's members; none with ``tflm``.
    """
    if not board.clock_hz:
        return Pace(LEAST_BLOCKS, 0.0)
    per_second = board.clock_hz / cycles_per_mac(board, runtime)
    seconds = busy_macs(model, networks, per_second) / per_second
    most = board.ram_bytes // _RAM_SHARE // (2 * BLOCK)
    wanted = most
    if math.isfinite(seconds):
        # One block is being filled, one may be almost full.
        wanted = LEAST_BLOCKS + math.ceil(Fraction(seconds) * rate / BLOCK)
    blocks = max(LEAST_BLOCKS, min(wanted, most))
    return Pace(blocks, float((blocks - LEAST_BLOCKS) * BLOCK / rate), seconds)


def cycles_per_mac(board: Board, runtime: str) -> float:
    """Return the cycles of a multiply-accumulate on a board's core, at the most.

    Args:
        board: the board.
        runtime: ``aot`` or ``tflm``.
    """
    cycles = _CYCLES_PER_MAC.get(board.cpu, _PLAIN_CYCLES_PER_MAC)
    return cycles * (_TFLM_FACTOR if runtime == "tflm" else 1.0)


def busy_macs(model: Classifier, networks: Sequence[Compiled], per_second: float) -> float:
    """Return the multiply-accumulates that a network is behind its samples at the most.

    Args:
        model: the classifier.
        networks: the compiled networks, as for ``pace``.
        per_second: multiply-accumulates that the core can do.
    """
    model_file = model.model_file
    if model.options.schedule != STREAMING or not isinstance(model_file, ModelFile):
        return macs(model_file, networks)
    hop = per_second * model.frontend.hop / model.frontend.sample_rate
    return backlog(column_macs(networks[0]), hop)


def macs(model: Model, networks: Sequence[Compiled] = ()) -> float:
    """Return the multiply-accumulates of an inference, infinity where they cannot be counted.

    Args:
        model: the model or the ensemble.
        networks: the compiled networks, which leave out what is known before; none to count all
            that an interpreter runs.
    """
    members = [model] if isinstance(model, ModelFile) else [m.model_file for m in model.members]
    graphs = [each.graph for each in networks] or [member.graph for member in members]
    try:
        costs = [op_cost(graph, operator) for graph in graphs for operator in graph.operators]
    except UncountedError:
        return math.inf
    return sum(cost.macs for cost in costs)


def column_macs(compiled: Compiled) -> list[float]:
    """Return the multiply-accumulates with each column of a network that takes them one by one."""
    steps = compiled.schedule
    stages = [stage.macs / stage.runs for stage in compiled.lowered.stages]
    ends = [*steps.column_steps[1:], len(steps.order)]
    return [
        sum(stages[number] for number in steps.order[first:end])
        for first, end in zip(steps.column_steps, ends, strict=True)
    ]


def backlog(work: Sequence[float], done: float) -> float:
    """Return the most work that is waiting at any time of two windows that follow each other.

    Args:
        work: what comes with each column.
        done: what is done until the next column.
    """
    waiting = most = 0.0
    for new in (*work, *work):
        waiting = max(0.0, waiting - done) + new
        most = max(most, waiting)
    return most
