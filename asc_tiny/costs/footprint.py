"""Memory and flash of a network on a microcontroller, under either runtime.

A figure that cannot be had is absent, with the reason: never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.complexity.gate.formats.costs import NEEDS_CPU
from asc_tiny.costs.instructions import cpu_table
from asc_tiny.firmware.network import interface
from asc_tiny.firmware.network.compiled import DEFAULT, compile_network
from asc_tiny.firmware.network.constants import constants
from asc_tiny.firmware.network.ensemble import Arena as MemberArena
from asc_tiny.firmware.network.ensemble import lay_out
from asc_tiny.firmware.network.tflm_arena import main_graphs
from asc_tiny.model.ensemble import Ensemble
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import Graph
from asc_tiny.tflm.arena import arena
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.structs import Abi
from asc_tiny.util.errors import AscError

CMSIS_NN: Mapping[str, Core] = {
    "cortex-m0plus": Core.PLAIN,
    "cortex-m3": Core.PLAIN,
    "cortex-m4": Core.DSP,
    "cortex-m7": Core.DSP,
    "cortex-m33": Core.DSP,
    "cortex-m55": Core.MVE,
}
"""What CMSIS-NN is built for on each core."""

_ALIGNMENT = 16
_RUN = "asc_stage_run"


@dataclass(frozen=True)
class Footprint:
    """Bytes of one network.

    Attributes:
        model_bytes: bytes of the .tflite file.
        tflm_head_bytes: bytes of activations and scratch memory by TensorFlow Lite Micro's planner.
        tflm_arena_bytes: bytes of its whole arena on the core, a 32-bit Arm one unless it is said,
            reference kernels.
        tflm_cmsis_nn_arena_bytes: the same with CMSIS-NN's kernels for the core.
        aot_arena_bytes: bytes of activations and scratch memory, compiled ahead of time.
        aot_code_bytes: bytes of its kernels on the core, C library apart.
        aot_constant_bytes: bytes of its weights and tables.
        absent: reasons why a figure is missing, by figure.
    """

    model_bytes: int
    tflm_head_bytes: int | None = None
    tflm_arena_bytes: int | None = None
    tflm_cmsis_nn_arena_bytes: int | None = None
    aot_arena_bytes: int | None = None
    aot_code_bytes: int | None = None
    aot_constant_bytes: int | None = None
    absent: Mapping[str, str] = field(default_factory=dict)


def footprint(model_file: ModelFile, cpu: str | None, options: Options = DEFAULT) -> Footprint:
    """Return every figure that can be had.

    Args:
        model_file: the model.
        cpu: the core that code is for; without one there is no code size.
        options: options of the compiler.

    Raises:
        AscError: a core that was not measured.
    """
    table = cpu_table(cpu) if cpu else None
    graph = model_file.graph
    values: dict[str, Any] = {}
    absent: dict[str, str] = {}

    def add(name: str, compute: Callable[[], int]) -> None:
        try:
            values[name] = compute()
        except AscError as error:
            absent[name] = str(error)

    add("tflm_head_bytes", lambda: arena([graph]).head)
    add("tflm_arena_bytes", lambda: arena([graph], abi=_abi(cpu)).size)
    add("tflm_cmsis_nn_arena_bytes", lambda: arena([graph], _core(cpu)).size)
    try:
        compiled = compile_network(model_file, options)
    except AscError as error:
        names = ("aot_arena_bytes", "aot_code_bytes", "aot_constant_bytes")
        absent.update(dict.fromkeys(names, str(error)))
    else:
        add("aot_arena_bytes", lambda: compiled.arena.size)
        add("aot_code_bytes", lambda: _code_bytes(compiled.lowered, _needed(table)["code"]))
        add("aot_constant_bytes", lambda: _constant_bytes(compiled, _needed(table)["code"]))
    return Footprint(len(model_file.data), absent=absent, **values)


def _needed(table: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if table is None:
        raise AscError(NEEDS_CPU)
    return table


def ensemble_footprint(ensemble: Ensemble, cpu: str | None) -> dict[str, Any]:
    """Return the arenas that the members of an ensemble share, ``absent`` with reasons beside.

    Raises:
        AscError: a core that was not measured.
    """
    if cpu:
        cpu_table(cpu)
    graphs = main_graphs(ensemble)
    figures: Mapping[str, Callable[[], int]] = {
        "tflm_arena_bytes": lambda: arena(graphs, abi=_abi(cpu)).size,
        "tflm_cmsis_nn_arena_bytes": lambda: arena(graphs, _core(cpu)).size,
        "aot_arena_bytes": lambda: shared_arena_bytes(ensemble),
    }
    values: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for name, compute in figures.items():
        try:
            values[name] = compute()
        except AscError as error:
            values[name] = None
            absent[name] = str(error)
    return {**values, "absent": absent}


def shared_arena_bytes(ensemble: Ensemble, options: Options = DEFAULT) -> int:
    """Return the bytes of the arena that the members of an ensemble share.

    Args:
        ensemble: the ensemble.
        options: options of the compiler for each member.

    Raises:
        AscError: a member cannot be compiled.
    """
    compiled = [compile_network(member.model_file, options) for member in ensemble.members]
    arenas = [MemberArena(each.arena.size, each.input_offset) for each in compiled]
    return lay_out(arenas, interface.of_ensemble(ensemble)["input"]["size"]).size


def tflm_arena_bytes(graph: Graph) -> int:
    """Return the bytes of TensorFlow Lite Micro's arena on a 32-bit Arm core, reference kernels.

    Raises:
        AscError: its rules for the network are not known.
    """
    return arena([graph]).size


def _core(cpu: str | None) -> Core:
    if cpu is None:
        raise AscError(NEEDS_CPU)
    if cpu not in CMSIS_NN:
        raise AscError(f"CMSIS-NN is not for {cpu}")
    return CMSIS_NN[cpu]


def _abi(cpu: str | None) -> Abi:
    return Abi.ILP32 if cpu and cpu.startswith("rv32") else Abi.ARM


def _code_bytes(lowered: LoweredGraph, table: Mapping[str, Any]) -> int:
    """Add up what the linker keeps: the functions that the network's kernels call."""
    names = {stage.function for stage in lowered.stages}
    missing = sorted(names - set(table["needs"]))
    if missing:
        raise AscError(f"the code of {missing[0]} was not measured")
    sections = {section for name in (*names, _RUN) for section in table["needs"][name]}
    return int(table["network"]) + sum(int(table["sections"][s]) for s in sections)


def _constant_bytes(compiled: Compiled, table: Mapping[str, Any]) -> int:
    structures = table["structures"]
    total = 0
    for constant in constants(compiled):
        if constant.c_type not in structures:
            raise AscError(f"the size of {constant.c_type} was not measured")
        size = structures[constant.c_type] * constant.count
        total += -(-size // _ALIGNMENT) * _ALIGNMENT if constant.aligned else size
    return total
