"""Instructions of stages, by which plans are compared: those that were measured on a Cortex-M4.

Other cores with the DSP extension need as many; cores without it need more for each product, which
all plans have in common.
"""

from __future__ import annotations

from asc_tiny.compiler import stage_costs
from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.passes.widen_weights import CHANNELS, can_widen, widened

_CPU = "cortex-m4"

_RUN, _PRODUCT = 400, 2
"""Instructions of a run and of a multiplication of a kernel that was not measured."""


def instructions(stage: Stage) -> int:
    """Return an estimate of the instructions of all runs of a stage.

    Weights are widened in the end, where memory allows it.
    """
    return final_instructions(widened(stage, CHANNELS[-1]) if can_widen(stage) else stage)


def final_instructions(stage: Stage) -> int:
    """Return the same of a stage whose weights are widened already, or stay as they are."""
    found = stage_costs.instructions(stage, _CPU)
    return round(stage.runs * _RUN + stage.macs * _PRODUCT if found is None else found)
