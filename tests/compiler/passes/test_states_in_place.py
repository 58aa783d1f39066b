"""Windows that keep their states: less memory and fewer copies, and nothing where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from asc_tiny.compiler import verify
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.states_in_place import with_states_in_place
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.search import candidate
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile

pytest.importorskip("tflite_micro")

from support.stateful_networks import (
    delay,
    exchange,
    input_as_value,
    old_value_as_output,
    streaming,
    streaming_by_slice,
)


def plans(model: ModelFile) -> tuple[Compiled, Compiled]:
    """Return the plans of a network with states apart and in place."""
    lowered = lower_graph(model.graph)
    return (
        candidate(model.graph, lowered, ()),
        candidate(model.graph, with_states_in_place(lowered), ()),
    )


@pytest.mark.parametrize("make", [streaming, streaming_by_slice])
def test_a_window_keeps_its_state(make: Callable[[], ModelFile]) -> None:
    apart, in_place = plans(make())
    assert in_place.arena.size <= apart.arena.size and in_place.cost < apart.cost
    assert len(in_place.lowered.stages) == len(apart.lowered.stages) - 1
    (state,) = in_place.lowered.states
    assert len(state.initial or b"") < state.size
    for plan in (apart, in_place):
        verify.check_plan(plan)


def test_of_a_window_only_what_the_next_one_needs_is_kept() -> None:
    """The older form keeps a row that it leaves out the next time."""
    apart, in_place = plans(streaming_by_slice())
    kept = [len(plan.lowered.states[0].initial or b"") for plan in (apart, in_place)]
    assert kept == [4 * 6, 3 * 6]


@pytest.mark.parametrize("make", [delay, exchange, input_as_value, old_value_as_output])
def test_states_of_no_window_stay_apart(make: Callable[[], ModelFile]) -> None:
    lowered = lower_graph(make().graph)
    assert with_states_in_place(lowered) is lowered


def test_the_smaller_plan_is_chosen() -> None:
    model = streaming()
    chosen = compiled.compile_network(model, Options(schedule="rows"))
    assert chosen.arena.size == min(plan.arena.size for plan in plans(model))


@pytest.mark.parametrize("make", [delay, exchange, streaming, streaming_by_slice])
def test_an_update_before_the_last_read_is_found(make: Callable[[], ModelFile]) -> None:
    for plan in plans(make()):
        updates = [n for n, stage in enumerate(plan.lowered.stages) if stage.is_update]
        order = list(plan.schedule.order)
        first = next(n for n in order if n in updates)
        moved = [first, *(order[:k] + order[k + 1 :] if (k := order.index(first)) >= 0 else order)]
        early = replace(plan, schedule=replace(plan.schedule, order=moved))
        with pytest.raises(verify.VerifyError, match="is not there to be read"):
            verify.check_plan(early)


def test_a_buffer_in_the_bytes_of_a_state_is_found() -> None:
    for plan in plans(streaming()):
        (state,) = plan.lowered.states
        other = next(b for b in plan.arena.offsets if not b.is_state)
        offsets = {**plan.arena.offsets, other: plan.arena.offsets[state]}
        with pytest.raises(verify.VerifyError):
            verify.check_plan(replace(plan, arena=replace(plan.arena, offsets=offsets)))


def test_an_update_that_is_left_out_is_found() -> None:
    plan = plans(delay())[0]
    number = next(n for n, stage in enumerate(plan.lowered.stages) if stage.is_update)
    order = [n for n in plan.schedule.order if n != number]
    with pytest.raises(verify.VerifyError, match="0 runs, must be"):
        verify.check_plan(replace(plan, schedule=replace(plan.schedule, order=order)))
