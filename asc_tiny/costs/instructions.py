"""Instructions, time and energy of a network compiled ahead of time, estimated from its graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from asc_tiny.compiler.weight_packing import im2col_column_size, padded_channels, padded_depth
from asc_tiny.complexity.op_cost import op_cost
from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.util.errors import AscError

_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")


class Shortcuts(NamedTuple):
    """What the compiler does not do of a network.

    Attributes:
        removed: numbers of the operators of which nothing is left: conversions of the input and
            output, and resizing that a convolution does.
        repeats: how often a resize would have repeated each pixel of a row, by the number of the
            convolution that does it.
    """

    removed: frozenset[int] = frozenset()
    repeats: Mapping[int, int] = MappingProxyType({})


class Features(NamedTuple):
    """What the instructions of an operator are estimated from.

    Attributes:
        work: multiply-accumulates, or other operations where there are none. Convolutions and
            dense layers count what the kernels compute: channels in pairs, windows in fours,
            pixels that a resize repeats once.
        outputs: elements of the output.
        taps: pixels of the output times pixels of a window.
        gathered: input elements under all rows of windows, as often as they are read.
        rows: of the output; the runtime makes one at a time.
    """

    work: int
    outputs: int
    taps: int
    gathered: int
    rows: int


def features(graph: Graph, operator: Operator, shortcuts: Shortcuts) -> Features:
    """Return what the cost of an operator depends on.

    Raises:
        AscError: the operator's work cannot be counted.
    """
    counted = op_cost(graph, operator)
    if operator.index in shortcuts.removed:
        return Features(0, 0, 0, 0, 0)
    outputs = [graph.tensor(index) for index in operator.outputs]
    rows = max((t.shape[1] if len(t.shape) == 4 else 1 for t in outputs), default=0)
    return Features(
        work=_padded(graph, operator) // shortcuts.repeats.get(operator.index, 1)
        or counted.macs
        or counted.operations,
        outputs=sum(tensor.size for tensor in outputs),
        taps=_taps(graph, operator),
        gathered=rows * _window(graph, operator)[0] * _row_size(graph, operator),
        rows=rows,
    )


def kind(graph: Graph, operator: Operator) -> str:
    """Return the name under which the costs of an operator are tabulated.

    Windows with gaps, and depthwise convolutions that make several channels of one, run through
    code of their own.
    """
    if operator.name not in _WINDOWED:
        return operator.name
    gaps = [operator.options.get(f"dilation_{axis}_factor", 1) for axis in "hw"]
    if max(gaps) > 1:
        return f"{operator.name} dilated"
    if operator.name == "DEPTHWISE_CONV_2D":
        source, result = operator.inputs[0], operator.outputs[0]
        if graph.tensor(source).shape[-1] != graph.tensor(result).shape[-1]:
            return f"{operator.name} multiplied"
    return operator.name


def _padded(graph: Graph, operator: Operator) -> int:
    """Return the products of a convolution or dense layer, those with padding zeros included."""
    if operator.name not in ("CONV_2D", "FULLY_CONNECTED"):
        return 0
    channels, *window = graph.tensor(operator.inputs[1]).shape
    height, width, depth = window if len(window) == 3 else (1, 1, window[0])
    if operator.name == "CONV_2D":
        # A filter of a group of channels has zeros for all others.
        depth = graph.tensor(operator.inputs[0]).shape[-1]
    length = padded_depth(width * im2col_column_size(height, depth))
    positions = graph.tensor(operator.outputs[0]).size // channels
    return positions * padded_channels(channels) * length


def _taps(graph: Graph, operator: Operator) -> int:
    height, width = _window(graph, operator)
    outputs = [graph.tensor(index) for index in operator.outputs]
    return sum(tensor.size // tensor.shape[-1] for tensor in outputs if tensor.shape) * (
        height * width
    )


def _window(graph: Graph, operator: Operator) -> tuple[int, int]:
    if operator.name in _WINDOWED:
        _, height, width, _ = graph.tensor(operator.inputs[1]).shape
        return height, width
    options = operator.options
    return int(options.get("filter_height", 1)), int(options.get("filter_width", 1))


def _row_size(graph: Graph, operator: Operator) -> int:
    activations = (tensor for tensor in graph.input_tensors(operator) if not tensor.is_constant)
    tensor = next(activations, None)
    if tensor is None:
        return 0
    return tensor.size // tensor.shape[1] if len(tensor.shape) == 4 else tensor.size


@dataclass(frozen=True)
class Estimate:
    """What one inference of the network takes; front end and application apart.

    Attributes:
        cpu: the core that the costs were measured on.
        instructions: estimated; an emulator counts them, and they are not cycles.
        layers: of each operator.
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
        name: for people.
        cpu: its core.
        microamps_per_mhz: of the whole chip; 1 uA/MHz is 1 pC per cycle.
        volts: of the supply.
        source: document and condition.
    """

    name: str
    cpu: str
    microamps_per_mhz: float
    volts: float
    source: str


def estimate(graph: Graph, cpu: str, shortcuts: Shortcuts) -> Estimate:
    """Estimate the instructions of a network that the ahead-of-time runtime supports.

    Args:
        graph: the network.
        cpu: a core that was measured.
        shortcuts: what the compiler says that it leaves out (``costs.compiler_shortcuts``).

    Raises:
        AscError: a core or a kind of operator that was not measured.
    """
    table = cpu_table(cpu)
    layers = tuple(
        0
        if operator.index in shortcuts.removed
        else _instructions(graph, operator, table, shortcuts)
        for operator in graph.operators
    )
    error = table["error"]
    return Estimate(cpu, sum(layers), layers, error["released"], error["mean"], error["largest"])


def _instructions(
    graph: Graph, operator: Operator, table: Mapping[str, Any], shortcuts: Shortcuts
) -> int:
    known = table["instructions"]
    costs = known.get(kind(graph, operator)) or known.get(operator.name)
    if costs is None:
        raise AscError(
            f"{graph.source}: operator {operator.index} is {operator.name}, whose instructions "
            f"were not measured; measured are {', '.join(known)}"
        )
    values = features(graph, operator, shortcuts)._asdict()
    instructions: float = sum(costs[name] * value for name, value in values.items())
    return round(instructions)


def cpu_table(cpu: str) -> Mapping[str, Any]:
    """Return what ``benchmarks/network_costs.py`` measured on a core.

    Raises:
        AscError: a core that was not measured.
    """
    cpus: Mapping[str, Mapping[str, Any]] = _table("cpu_costs.json")["cpus"]
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
