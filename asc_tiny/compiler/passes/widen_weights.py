"""Widened weights: of two or three channels at a time, once for all windows of a run.

Cores with the DSP extension multiply 16-bit values, so that int8 weights are widened for every pair
of windows anew. Scratch memory for those of two channels saves that, if there are several pairs;
three channels share the values of a window that are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from asc_tiny.compiler.ir import LoweredGraph, Stage
from asc_tiny.compiler.kernel_params import ConvParams
from asc_tiny.compiler.passes.width_split import splittable_width

CHANNELS = (2, 3)
"""Numbers of channels whose weights may be widened at once, the best last."""

LEAST_WINDOWS = 8
"""Windows of a run for which it is worth to widen weights once."""


def can_widen(stage: Stage) -> bool:
    """Whether a stage has so many windows in a run that widened weights save instructions."""
    params = stage.params
    if not isinstance(params, ConvParams) or stage.kernel != "asc_conv" or stage.tiles:
        return False
    return params.output_width >= LEAST_WINDOWS and params.window.dilation == 1


def can_halve(stage: Stage) -> bool:
    """Whether a stage widens no weights, but halves of its rows have windows enough for it."""
    return (
        can_widen(stage)
        and isinstance(stage.params, ConvParams)
        and stage.params.widens == 0
        and splittable_width(stage) >= 2 * LEAST_WINDOWS
    )


def with_widened_weights(lowered: LoweredGraph, chosen: Mapping[int, int]) -> LoweredGraph:
    """Return a graph in which some stages widen weights once for all windows of a run.

    Args:
        lowered: the graph.
        chosen: channels whose weights are widened at once, one of ``CHANNELS``, by the number of
            the stage, which ``can_widen`` allows.
    """
    return replace(
        lowered,
        stages=[
            widened(stage, chosen[number]) if number in chosen else stage
            for number, stage in enumerate(lowered.stages)
        ],
    )


def widened(stage: Stage, channels: int) -> Stage:
    """Return a stage that widens weights of so many channels once for all windows of a run."""
    assert isinstance(stage.params, ConvParams)
    return replace(stage, params=replace(stage.params, widens=channels))
