"""Checks after the passes: whole plans pass, and plans that are wrong in one place do not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler import pipeline, verify
from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import ConvParams, SumParams
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.compiler.planner.arena_allocator import ALIGNMENT
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.verify import VerifyError
from asc_tiny.util.errors import AscError
from support.hand_made import small_network

PLANS = {
    "default": Options(),
    "rows": Options(schedule="rows"),
    "layers": Options(schedule="layers"),
    "time": Options(schedule="time"),
    "cheapest": Options(max_ram=1 << 20),
    "size": Options(optimize="size"),
}


def plan(name: str = "rows") -> Compiled:
    return compile_graph(small_network(), PLANS[name])


def with_order(compiled: Compiled, order: list[int]) -> Compiled:
    return replace(compiled, schedule=replace(compiled.schedule, order=tuple(order)))


@pytest.mark.parametrize("name", PLANS)
def test_plans_pass(name: str) -> None:
    compiled = plan(name)
    verify.check_stages(compiled.initial)
    verify.check_stages(compiled.lowered)
    verify.check_plan(compiled)


def test_two_stages_of_one_name_are_found() -> None:
    lowered = plan().lowered
    first, second, *rest = lowered.stages
    stages = [first, replace(second, name=first.name), *rest]
    with pytest.raises(VerifyError, match=f"2 stages are called {first.name}"):
        verify.check_stages(replace(lowered, stages=stages))


def is_read(compiled: Compiled, steps: list[int]) -> bool:
    """Whether the last of some steps reads what the one before it writes."""
    writer, reader = (compiled.lowered.stages[number] for number in steps[-2:])
    row = writer.output_row(steps.count(steps[-2]) - 1)
    written = writer.output.buffer_rows(row)
    y = reader.row(steps.count(steps[-1]) - 1)
    return any(
        access.view.buffer is writer.output.buffer
        and set(written) & {*access.view.buffer_rows(read)}
        for access in reader.inputs
        for read in access.read_rows(y)
        if read is not None
    )


@pytest.mark.parametrize("name", PLANS)
def test_steps_that_change_places_are_found(name: str) -> None:
    """Wherever a row is made one step before a stage needs it for the first time."""
    compiled = plan(name)
    order = list(compiled.schedule.order)
    found = 0
    for step in range(len(order) - 1):
        one, other = order[step : step + 2]
        if one != other and is_read(compiled, order[: step + 2]):
            order[step : step + 2] = other, one
            with pytest.raises(VerifyError, match="is not there to be read"):
                verify.check_plan(with_order(compiled, order))
            order[step : step + 2] = one, other
            found += 1
    assert found >= 3


@pytest.mark.parametrize("name", PLANS)
def test_a_step_that_is_left_out_is_found(name: str) -> None:
    compiled = plan(name)
    for step in range(len(compiled.schedule.order)):
        order = list(compiled.schedule.order)
        del order[step]
        with pytest.raises(VerifyError):
            verify.check_plan(with_order(compiled, order))


@pytest.mark.parametrize("name", PLANS)
def test_a_buffer_in_the_place_of_another_is_found(name: str) -> None:
    """Each stage's output where its input lies."""
    compiled = plan(name)
    for stage in compiled.lowered.stages:
        for rows in stage.inputs:
            place = compiled.arena.offsets[rows.view.buffer]
            with pytest.raises(VerifyError):
                verify.check_plan(moved(compiled, {stage.output.buffer: place}))


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("by", [-ALIGNMENT, 1 << 20])
def test_a_place_outside_of_the_arena_is_found(name: str, by: int) -> None:
    compiled = plan(name)
    for buffer, offset in compiled.arena.offsets.items():
        place = offset + by if by > 0 else -ALIGNMENT
        with pytest.raises(VerifyError):
            verify.check_plan(moved(compiled, {buffer: place}))


def moved(compiled: Compiled, places: Mapping[Any, int]) -> Compiled:
    """Return a plan with some buffers at other offsets."""
    offsets = {**compiled.arena.offsets, **places}
    return replace(compiled, arena=replace(compiled.arena, offsets=offsets))


@pytest.mark.parametrize("name", PLANS)
def test_live_ranges_that_share_a_byte_are_found(name: str) -> None:
    """Each group in the place of another that is live at the same time."""
    arena = plan(name).arena
    verify.check_placements(arena)
    shared = 0
    for (one, _), (other, place) in itertools.permutations(arena.groups, 2):
        if any(a.meets(b) for a, b in zip(one.live_ranges, other.live_ranges, strict=False)):
            groups = [(group, place if group is one else at) for group, at in arena.groups]
            with pytest.raises(VerifyError, match=r"share byte|ends at byte"):
                verify.check_placements(replace(arena, groups=groups))
            shared += 1
    assert shared >= 4


def test_scratch_memory_over_rows_is_found() -> None:
    compiled = plan()
    place = compiled.arena.offsets[compiled.lowered.inputs[0].buffer]
    scratch = dict.fromkeys(compiled.arena.scratch, place)
    with pytest.raises(VerifyError, match=r"is not there|writes where it reads"):
        verify.check_plan(replace(compiled, arena=replace(compiled.arena, scratch=scratch)))


@pytest.mark.parametrize("name", ["rows", "time"])
def test_a_slot_too_few_is_found(name: str) -> None:
    """Of every rolling buffer: its first row is overwritten before its last reader."""
    compiled = plan(name)
    shrunk = 0
    for buffer, rolling in compiled.schedule.rolling_buffers.items():
        if 1 < rolling.slots < buffer.rows:
            rolling_buffers = {
                **compiled.schedule.rolling_buffers,
                buffer: replace(rolling, slots=rolling.slots - 1),
            }
            schedule = replace(compiled.schedule, rolling_buffers=rolling_buffers)
            with pytest.raises(VerifyError):
                verify.check_plan(replace(compiled, schedule=schedule))
            shrunk += 1
    assert shrunk


def test_an_arena_too_small_is_found() -> None:
    compiled = plan()
    arena = replace(compiled.arena, size=compiled.arena.size - ALIGNMENT)
    with pytest.raises(VerifyError, match=r"of \d+"):
        verify.check_plan(replace(compiled, arena=arena))


def changed(number: int, **members: Any) -> list[Stage]:
    """Return the stages of the network, of which one is changed."""
    stages = list(lower_graph(small_network()).stages)
    stages[number] = replace(stages[number], **members)
    return stages


def test_stages_that_are_none_are_found() -> None:
    lowered = lower_graph(small_network())
    conv = lowered.stages[0].params
    assert isinstance(conv, ConvParams)
    wide = replace(conv.weights, values=conv.weights.values.astype(np.int32))
    view = lowered.stages[0].output
    wrong = {
        "parameters of another kernel": changed(0, params=SumParams(1, 1)),
        "is int32_t, must be int8_t": changed(0, params=replace(conv, weights=wide)),
        "rows beyond buffer t3": changed(0, output=replace(view, rows=view.rows + 1)),
        "0 runs": changed(0, runs=0),
    }
    for message, stages in wrong.items():
        with pytest.raises(VerifyError, match=message):
            verify.check_stages(replace(lowered, stages=stages))
    lowered.stages[0].output.buffer.rows -= 1
    with pytest.raises(VerifyError, match="rows beyond buffer t3"):
        verify.check_stages(lowered)


def test_operators_out_of_order_are_found() -> None:
    graph = small_network()
    verify.check_graph(graph)
    with pytest.raises(VerifyError, match="reads tensor 7 too early"):
        verify.check_graph(replace(graph, operators=tuple(reversed(graph.operators))))


def test_numbers_beyond_their_members_are_refused() -> None:
    """Limits of the runtime, which a model can reach without a fault of the compiler."""
    compiled = plan()
    stages = list(compiled.lowered.stages)
    (rows,) = stages[0].inputs
    stages[0] = replace(stages[0], inputs=[replace(rows, offset=-(2**15) - 1)])
    lowered = replace(compiled.lowered, stages=stages)
    with pytest.raises(AscError, match="needs the number -32,769, at most 32,767") as error:
        verify.check_limits(replace(compiled, lowered=lowered))
    assert not isinstance(error.value, VerifyError)


def test_a_fault_stops_the_compiler_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = with_order(plan(), list(plan().schedule.order)[::-1])
    monkeypatch.setattr(pipeline, "plan", lambda *_: wrong)
    with pytest.raises(VerifyError) as error:
        compile_graph(small_network(), Options())
    text = str(error.value)
    assert text.startswith("small.tflite: fault of the compiler after pass plan: ")
    assert "\n" not in text
