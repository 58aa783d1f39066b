"""What the C templates print of a compiled network: here alone, data becomes text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from asc_tiny.compiler.ir import BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import HEADERS, ORDERS, Array, KernelParams, Struct
from asc_tiny.compiler.planner.arena_allocator import ArenaPlan
from asc_tiny.compiler.planner.schedule_loops import Loop, loops
from asc_tiny.compiler.planner.scheduler import Schedule
from asc_tiny.compiler.planner.slots import Slots
from asc_tiny.firmware.c.literals import float_literal, int_literal, value_lines
from asc_tiny.firmware.network import interface
from asc_tiny.tflite.graph import Graph
from asc_tiny.util.errors import AscError

_MOST_STEPS = 2**16 - 1


def values(
    graph: Graph, lowered: LoweredGraph, schedule: Schedule, arena: ArenaPlan
) -> dict[str, Any]:
    """Return the values of the templates ``asc_net.h`` and ``asc_net.c``.

    Raises:
        AscError: the network has more steps than 16 bits can number.
    """
    steps = steps_of(schedule)
    count = len(steps["steps"])
    if count > _MOST_STEPS:
        raise AscError(f"{lowered.source}: {count:,} steps, at most {_MOST_STEPS:,} are supported")
    layout = _Layout(schedule, arena)
    computed = lowered.stages if lowered.progress is None else lowered.stages[:-1]
    stages = [layout.stage(number, stage) for number, stage in enumerate(computed)]
    return {
        "arena_size": arena.size,
        "arrays": list(_arrays(lowered)),
        "headers": _headers(computed),
        **interface.ends(
            layout.ends(graph, graph.inputs, lowered.inputs),
            layout.ends(graph, graph.outputs, lowered.outputs),
        ),
        "stages": stages,
        "states": list(layout.states(lowered)),
        "state_size": arena.state_size,
        "most_rows": max(sum(rows.count for rows in stage.inputs) for stage in computed),
        **steps,
        **({} if lowered.progress is None else layout.streaming(lowered)),
    }


def _headers(stages: Sequence[Stage]) -> list[str]:
    """Return the headers of the kernels that run, but for that of most of them."""
    return sorted({HEADERS[stage.kernel] for stage in stages} - {"asc_kernels.h"})


def steps_of(schedule: Schedule) -> dict[str, Any]:
    """Return the loops of a schedule and their steps; with streaming also those of each column."""
    return _frame_steps(schedule) if schedule.column_steps else _steps(loops(schedule.order))


def _steps(found: Sequence[Loop]) -> dict[str, Any]:
    steps = np.array([stage for loop in found for stage in loop.stages])
    return {"loops": found, "steps": steps, "step_type": _index_type(int(steps.max(initial=0)))}


def _index_type(highest: int) -> str:
    """Return the type in C of numbers of 16 bits at most, up to the highest."""
    return "uint8_t" if highest < 2**8 else "uint16_t"


def _frame_steps(schedule: Schedule) -> dict[str, Any]:
    """Return the steps that each column allows, after the one that brings it; equal ones once."""
    ends = [*schedule.column_steps[1:], len(schedule.order)]
    steps = [
        tuple(schedule.order[first + 1 : end])
        for first, end in zip(schedule.column_steps, ends, strict=True)
    ]
    different = list(dict.fromkeys(steps))
    found: list[Loop] = []
    frame_steps = []
    for each in different:
        own = loops(each)
        step = sum(len(loop.stages) for loop in found)
        frame_steps.append({"step": step, "loop": len(found), "loops": len(own)})
        found += own
    return {
        **_steps(found),
        "frame_steps": frame_steps,
        "frame_type": _index_type(len(frame_steps) - 1),
        "frame_of_column": np.array([different.index(each) for each in steps]),
    }


def constant_arrays(lowered: LoweredGraph) -> list[Array]:
    """Return the constant arrays of a network, each once."""
    arrays: dict[str, Array] = {}
    for stage in lowered.stages:
        arrays.update((array.name, array) for array in stage.arrays)
        constants = [rows.view.buffer.constant for rows in stage.inputs]
        arrays.update((array.name, array) for array in constants if array)
    return list(arrays.values())


def _arrays(lowered: LoweredGraph) -> Iterator[dict[str, Any]]:
    for array in constant_arrays(lowered):
        slack = f" + ASC_WEIGHTS_SLACK / sizeof({array.c_type})" if array.weights else ""
        yield {
            "name": array.name,
            "c_type": array.c_type,
            "size": f"{len(array.values)}{slack}",
            "aligned": array.weights,
            "lines": _array_lines(array),
        }


def _array_lines(array: Array) -> Sequence[str]:
    if array.once is not None:
        both = zip(array.values.tolist(), array.once.tolist(), strict=True)
        return [f"ASC_ONCE_CHANNEL({', '.join(map(int_literal, one + two))})," for one, two in both]
    if array.values.dtype.names:
        rows = array.values.tolist()
        return ["{" + ", ".join(int_literal(value) for value in row) + "}," for row in rows]
    if array.c_type == "int8_t" and array.weights and array.order:
        count = ORDERS[array.order]
        rows = array.values.reshape(-1, count)
        runs = [f"{array.order}({', '.join(map(str, row))})," for row in rows]
        at_once = 16 // count
        return [" ".join(runs[start : start + at_once]) for start in range(0, len(runs), at_once)]
    return value_lines(array.values)


class _Layout:
    """Places in the arena as C text."""

    def __init__(self, schedule: Schedule, arena: ArenaPlan) -> None:
        self.schedule = schedule
        self.arena = arena

    def offset(self, view: BufferView) -> int:
        """Return where a tensor that exists as a whole begins."""
        return self.arena.offsets[view.buffer] + view.start

    def ends(
        self, graph: Graph, indices: Sequence[int], views: Sequence[BufferView]
    ) -> list[dict[str, Any]]:
        """Return what is known of inputs or outputs, with their byte offsets in the arena."""
        return [
            {**interface.of_tensor(graph.tensor(index)), "offset": self.offset(view)}
            for index, view in zip(indices, views, strict=True)
        ]

    def streaming(self, lowered: LoweredGraph) -> dict[str, Any]:
        """Return where columns of the input lie, and how far each stage is."""
        assert lowered.progress is not None
        return {
            "column": self._rolling_buffer(lowered.inputs[0]),
            "progress_offset": self.arena.offsets[lowered.progress],
        }

    def states(self, lowered: LoweredGraph) -> Iterator[dict[str, Any]]:
        """Yield where each state lies and what it holds at first: one byte, or several."""
        for state in lowered.states:
            initial = np.frombuffer(state.initial or b"", np.int8)
            yield {
                "name": f"asc_net_initial_{state.name}",
                "offset": self.arena.offsets[state],
                "size": len(initial),
                "fill": int(initial[0]) if (initial == initial[0]).all() else None,
                "lines": value_lines(initial),
            }

    def stage(self, number: int, stage: Stage) -> dict[str, Any]:
        return {
            "comment": stage.comment,
            "name": stage.name,
            "kernel": stage.function,
            "c_type": stage.params.c_type,
            "params": _params(stage),
            "tiles": _tiles(stage),
            "rows_per_group": stage.rows_per_group,
            "inputs": [self._rows(rows) for rows in stage.inputs],
            "output": self._rolling_buffer(stage.output),
            "accumulates": int(stage.accumulates),
            "scratch": self._scratch(number, stage),
        }

    def _scratch(self, number: int, stage: Stage) -> int:
        """Return the byte offset of a kernel's state or scratch memory, 0 if it has neither."""
        if stage.state is not None:
            return self.arena.offsets[stage.state]
        return self.arena.scratch.get(number, 0)

    def _rows(self, rows: RowAccess) -> dict[str, Any]:
        return {
            "rolling_buffer": self._rolling_buffer(rows.view),
            "rows": rows.view.rows,
            "count": rows.count,
            "step": rows.step,
            "factor": rows.factor,
            "offset": rows.offset,
            "divisor": rows.divisor,
            "clamps": int(rows.clamps),
        }

    def _rolling_buffer(self, view: BufferView) -> dict[str, Any]:
        """Return the members of ``asc_rolling_buffer_t``."""
        slots = Slots.of(view, self.schedule, self.arena)
        return {
            "constant": _address(slots.constant),
            "offset": slots.offset,
            "pitch": slots.pitch,
            "first": slots.first,
            "slots": slots.count,
            "repeat": slots.repeat,
        }


def _address(constant: Array | None) -> str:
    """Return the address of an array as C text, NULL if there is none."""
    if constant is None:
        return "NULL"
    cast = "" if constant.c_type == "int8_t" else "(const int8_t *)(const void *)"
    return cast + constant.name


def _all_params(stage: Stage) -> list[KernelParams]:
    """Return the parameters of a stage: those of its width tiles that differ."""
    return list(dict.fromkeys([stage.params, *(tile.params for tile in stage.tiles)]))


def params_names(stage: Stage) -> dict[KernelParams, str]:
    """Return the name in C of each structure of parameters."""
    return {
        params: stage.name + (f"_tile{number}" if number else "")
        for number, params in enumerate(_all_params(stage))
    }


def _params(stage: Stage) -> list[dict[str, Any]]:
    """Return names and members of a stage's structures."""
    return [
        {"name": name, "fields": dict(initializers(params))}
        for params, name in params_names(stage).items()
    ]


def _tiles(stage: Stage) -> list[dict[str, Any]]:
    """Return the name of the structure and the byte offsets of each width tile."""
    names = params_names(stage)
    return [
        {"params": names[tile.params], "input": tile.input, "output": tile.output}
        for tile in stage.tiles
    ]


def initializers(struct: Struct, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each member of a structure with its C initializer.

    A structure inside that leaves members out is given member by member.
    """
    for name, value in struct.members():
        if isinstance(value, Struct) and len(list(value.members())) < len(fields(value)):
            yield from initializers(value, f"{prefix}{name}.")
        else:
            yield prefix + name, _initializer(value)


def _initializer(value: object) -> str:
    """Return a C initializer: members of another kernel's parameters have names."""
    if isinstance(value, Array):
        return value.name
    if isinstance(value, float):
        return float_literal(value)
    if isinstance(value, tuple):
        return "{" + ", ".join(map(str, value)) + "}"
    if not isinstance(value, Struct):
        return str(value)
    members = dict(initializers(value))
    if isinstance(value, KernelParams):
        return "{" + ", ".join(f".{name} = {text}" for name, text in members.items()) + "}"
    return "{" + ", ".join(members.values()) + "}"
