"""What the compiler and its tables say of one network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asc_tiny.compiler.planner import memory_map as ahead_of_time
from asc_tiny.costs.footprint import footprint
from asc_tiny.costs.instructions import Estimate, estimate
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import ModelFile
from asc_tiny.report.subject import Network
from asc_tiny.tflm import memory_map as tflm
from asc_tiny.util.errors import AscError
from asc_tiny.util.memory_map import MemoryMap


def network(model_file: ModelFile, cpu: str) -> Network:
    """Gather what is known of a network.

    Args:
        model_file: the network.
        cpu: a core that was measured.

    Raises:
        AscError: a core that was not measured.
    """
    absent: list[str] = []
    plans: Mapping[str, Callable[[], tuple[MemoryMap, Mapping[str, str]]]] = {
        "compiled ahead of time": lambda: _compiled(model_file),
        "TensorFlow Lite Micro": lambda: _interpreted(model_file),
    }
    known = []
    for runtime, make in plans.items():
        try:
            known.append(make())
        except AscError as error:
            absent.append(f"No memory plan, {runtime}: {error}")
    return Network(
        model_file=model_file,
        footprint=footprint(model_file, cpu),
        estimate=_estimate(model_file, cpu, absent),
        memory=[each for each, _ in known],
        holders=[each for _, each in known],
        absent=absent,
    )


def _estimate(model_file: ModelFile, cpu: str, absent: list[str]) -> Estimate | None:
    try:
        return estimate(model_file, cpu)
    except AscError as error:
        if not absent:
            absent.append(f"No estimate of instructions: {error}")
        return None


def _compiled(model_file: ModelFile) -> tuple[MemoryMap, Mapping[str, str]]:
    compiled = compile_network(model_file)
    return compiled.memory_plan, ahead_of_time.holders(compiled)


def _interpreted(model_file: ModelFile) -> tuple[MemoryMap, Mapping[str, str]]:
    memory = tflm.memory_map(model_file.graph)
    return memory, {
        block.name: _life(memory.steps[max(block.first, 0)], memory.steps[block.last])
        for block in memory.blocks
        if memory.steps and 0 <= block.last < len(memory.steps)
    }


def _life(first: str, last: str) -> str:
    return f"needed by {first} alone" if first == last else f"needed from {first} to {last}"
