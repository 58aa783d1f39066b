"""How many cycles a project's front end, network and layers take, estimated from their execution.

A plugin of QEMU sees every instruction that the emulated core executes. Each counts as many cycles
as the core's manual states (``issue_rules``); a model of a flash with wait states and of the small
caches before it adds what the core waits (``trace_plugin.c``). It is an estimate: interrupts,
refreshes and what else shares a bus are not in it, and RAM answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asc_tiny.compiler.options import STREAMING
from asc_tiny.frontend import golden
from asc_tiny.targets.build.project import NetworkProject, Project
from asc_tiny.targets.cycles import trace
from asc_tiny.targets.cycles.trace import Segment
from asc_tiny.targets.image import image
from asc_tiny.targets.image.stages import executed_stages, profiled_copy
from asc_tiny.util.errors import AscError

WAIT_STATES = 5
"""What a Cortex-M4 of 168 MHz, such as the STM32F407, waits for its flash."""


@dataclass(frozen=True)
class StageCycles:
    """Cycles of all runs of a stage of the network in an inference.

    Attributes:
        layer: operator and shapes.
        segment: instructions and cycles.
    """

    layer: str
    segment: Segment


@dataclass(frozen=True)
class Cycles:
    """Estimated cycles of a project.

    Attributes:
        wait_states: wait states of the flash.
        inference: the network on one input.
        hop: the front end on its costliest hop, None of a network alone.
        layers: each stage of the network, empty if they were not asked for.
        is_bound: whether they are a bound from below, of a core that never waits.
    """

    wait_states: int
    inference: Segment
    hop: Segment | None
    layers: tuple[StageCycles, ...]
    is_bound: bool = False


def estimate(
    project: NetworkProject,
    *,
    wait_states: int = WAIT_STATES,
    layers: bool = False,
    instructions_per_hop: int = 0,
) -> Cycles:
    """Estimate the cycles of a built project.

    Args:
        project: project for an emulated board whose core's manual states cycles.
        wait_states: wait states of the flash; none are counted where cycles are a bound.
        layers: whether to estimate each stage of the network, too, in a copy of the project.
        instructions_per_hop: instructions of a classifier's costliest hop, as the image counts
            them, so that the same hop is estimated.

    Raises:
        AscError: as ``trace.segments``; or stages are asked for and the network has none.
    """
    is_bound = trace.core_of(project.board).is_bound
    if is_bound:
        wait_states = 0
    stages = _layers(project, wait_states) if layers else ()
    if not isinstance(project, Project):
        pairs = _pairs(trace.segments(project, ["bench"], {}, wait_states=wait_states))
        return Cycles(wait_states, pairs[0], None, stages, is_bound)
    pcm = image.pcm_bytes(golden.noise(project.frontend))
    found = trace.segments(project, ["bench", "in.pcm"], {"in.pcm": pcm}, wait_states=wait_states)
    pairs = _pairs(found)
    # Each sample has two bytes.
    hops = -(-len(pcm) // (2 * project.frontend.hop))
    hop = min(pairs[:hops], key=lambda each: abs(each.instructions - instructions_per_hop))
    is_streaming = project.options.schedule == STREAMING
    steps = project.frontend.columns if is_streaming else 1
    inference = _sum(pairs[hops : hops + steps])
    return Cycles(wait_states, inference, hop, stages, is_bound)


def _pairs(segments: Sequence[Segment]) -> list[Segment]:
    """Return what runs between the two readings of each measurement."""
    return list(segments[1::2])


def _layers(project: NetworkProject, wait_states: int) -> tuple[StageCycles, ...]:
    stages, order = executed_stages(project)
    with profiled_copy(project) as (copy, arguments, files):
        found = trace.segments(copy, arguments, files, wait_states=wait_states)
    # Before the first reading of the counter nothing counts; what follows the last is printing.
    runs = found[1 : 1 + len(order)]
    if len(found) != len(order) + 2:
        raise AscError(
            f"{project.folder}: the image runs {len(found) - 2} steps, the plan has {len(order)}"
        )
    return tuple(
        StageCycles(
            stage.comment, _sum([run for run, at in zip(runs, order, strict=True) if at == number])
        )
        for number, stage in stages.items()
    )


def _sum(segments: Sequence[Segment]) -> Segment:
    return Segment(
        sum(each.instructions for each in segments),
        sum(each.cycles for each in segments),
        sum(each.stalls for each in segments),
    )
