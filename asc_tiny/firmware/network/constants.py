"""The constants of a compiled network in C, as data: for those who add up flash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.firmware.network.c_values import constant_arrays, params_names, steps_of


@dataclass(frozen=True)
class Constant:
    """A constant array or structure in generated C.

    Attributes:
        name: the name of the constant.
        c_type: the type of its elements.
        count: number of elements, at least 1. What vectors may read behind weights is not counted,
            at most 28 bytes of an array.
        aligned: whether it is aligned to 16 bytes.
    """

    name: str
    c_type: str
    count: int = 1
    aligned: bool = False


def constants(compiled: Compiled) -> Iterator[Constant]:
    """Yield the constants of a network in the order of ``asc_net.c``."""
    lowered = compiled.lowered
    for array in constant_arrays(lowered):
        yield Constant(array.name, array.c_type, len(array.values), array.weights)
    streams = lowered.progress is not None
    stages = lowered.stages[:-1] if streams else lowered.stages
    for stage in stages:
        yield from _of_stage(stage)
    yield Constant("asc_net_stages", "asc_tiled_stage_t" if streams else "asc_stage_t", len(stages))
    steps = steps_of(compiled.schedule)
    yield Constant("asc_net_loops", "asc_loop_t", len(steps["loops"]))
    yield Constant("asc_net_steps", steps["step_type"], len(steps["steps"]))
    if streams:
        yield Constant("asc_net_frame_steps", "asc_frame_steps_t", len(steps["frame_steps"]))
        columns = len(steps["frame_of_column"])
        yield Constant("asc_net_frame_of_column", steps["frame_type"], columns)


def _of_stage(stage: Stage) -> Iterator[Constant]:
    for params, name in params_names(stage).items():
        yield Constant(name, params.c_type)
    if stage.tiles:
        yield Constant(f"{stage.name}_tiles", "asc_width_tile_t", len(stage.tiles))
    yield Constant(f"{stage.name}_rows", "asc_rows_t", len(stage.inputs))
