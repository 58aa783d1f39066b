"""Instructions, time and energy of a network compiled ahead of time, estimated from its stages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from asc_tiny.compiler import stage_costs
from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network.compiled import DEFAULT, compile_network
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError


@dataclass(frozen=True)
class Estimate:
    """What one inference of the network takes; front end and application apart.

    Attributes:
        cpu: the core that the costs were measured on.
        instructions: estimated; an emulator counts them, and they are not cycles.
        layers: instructions of each operator, in the order of the file.
        error_released: largest relative error over the released networks.
        error_mean, error_largest: over small common and random networks. Each network was
            estimated from the costs of all others.
    """

    cpu: str
    instructions: int
    layers: tuple[int, ...]
    error_released: float
    error_mean: float
    error_largest: float

    def seconds(self, clock_hz: int) -> float:
        """Return the time at one instruction per cycle, which is no bound for any core."""
        return self.instructions / clock_hz

    def joules(self, chip: Chip) -> float:
        """Return the energy at one instruction per cycle; it does not depend on the clock."""
        return self.instructions * chip.microamps_per_mhz * 1e-12 * chip.volts


@dataclass(frozen=True)
class Chip:
    """What a microcontroller draws while it computes, by its maker's data.

    Attributes:
        name: the name of the chip, for people.
        cpu: its core.
        microamps_per_mhz: current of the whole chip by clock; 1 uA/MHz is 1 pC per cycle.
        volts: voltage of the supply.
        source: document and condition.
    """

    name: str
    cpu: str
    microamps_per_mhz: float
    volts: float
    source: str


def estimate(model_file: ModelFile, cpu: str, options: Options = DEFAULT) -> Estimate:
    """Estimate the instructions of a network that is compiled ahead of time.

    What the compiler leaves out or merges is not counted: an operator of which no stage is left
    takes no instructions, and one that a stage does with another is counted there.

    Args:
        model_file: the network.
        cpu: the core, one of those that were measured.
        options: options of the compiler.

    Raises:
        AscError: the network cannot be compiled; or a core or a kernel that was not measured.
    """
    table = cpu_table(cpu)
    operators = model_file.graph.operators
    layers = {operator.index: 0 for operator in operators}
    for stage in compile_network(model_file, options).lowered.stages:
        if stage.operator is not None:
            layers[stage.operator] += _instructions(model_file, stage, cpu)
    error = table["error"]
    return Estimate(
        cpu,
        sum(layers.values()),
        tuple(layers[operator.index] for operator in operators),
        error["released"],
        error["mean"],
        error["largest"],
    )


def _instructions(model_file: ModelFile, stage: Stage, cpu: str) -> int:
    found = stage_costs.instructions(stage, cpu)
    if found is None:
        known = ", ".join(stage_costs.cpus()[cpu]["instructions"])
        raise AscError(
            f"{model_file.path}: operator {stage.title} runs {stage.kernel}, whose instructions "
            f"were not measured; measured are {known}"
        )
    return round(found)


def cpu_table(cpu: str) -> Mapping[str, Any]:
    """Return what ``benchmarks/network_costs.py`` measured on a core.

    Raises:
        AscError: a core that was not measured.
    """
    cpus = stage_costs.cpus()
    if cpu not in cpus:
        raise AscError(f"--cpu {cpu}: was not measured; measured are {', '.join(cpus)}")
    return cpus[cpu]


def chip(name: str) -> Chip:
    """Return a chip by its name.

    Raises:
        AscError: it is not known.
    """
    chips = _table("chips.json")
    if name not in chips:
        raise AscError(f"--chip {name}: is not known; known are {', '.join(chips)}")
    return Chip(name=name, **chips[name])


@cache
def _table(name: str) -> Mapping[str, Any]:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    return table
