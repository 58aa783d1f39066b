"""Widened weights: of two channels at a time, once for all windows of a run.

Cores with the DSP extension multiply 16-bit values, so that int8 weights are widened for every pair
of windows anew. Scratch memory for those of two channels saves that, if there are several pairs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from asc_tiny.compiler.ir import LoweredGraph, Stage
from asc_tiny.compiler.kernel_params import ConvParams

LEAST_WINDOWS = 6
"""Windows of a run for which it is worth to widen weights once."""


def can_widen(stage: Stage) -> bool:
    """Whether a stage has so many windows in a run that widened weights save instructions."""
    params = stage.params
    if not isinstance(params, ConvParams) or stage.kernel != "asc_conv" or stage.tiles:
        return False
    return params.output_width >= LEAST_WINDOWS and params.window.dilation == 1


def with_widened_weights(lowered: LoweredGraph, chosen: Collection[int]) -> LoweredGraph:
    """Return a graph in which some stages widen weights once for all windows of a run.

    Args:
        lowered: the graph.
        chosen: numbers of the stages, which ``can_widen`` allows.
    """
    return replace(
        lowered,
        stages=[
            widened(stage) if number in chosen else stage
            for number, stage in enumerate(lowered.stages)
        ],
    )


def widened(stage: Stage) -> Stage:
    """Return a stage that widens weights once for all windows of a run."""
    assert isinstance(stage.params, ConvParams)
    return replace(stage, params=replace(stage.params, widens=1))
