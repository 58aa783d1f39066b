"""Instructions, time and energy of a network compiled ahead of time, estimated from its stages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import (
    ConvParams,
    ConvS16Params,
    DensePackedParams,
    DenseParams,
    DenseS16Params,
    DepthwiseConvParams,
    GatherNdParams,
    GatherParams,
    KernelParams,
    LstmParams,
    MatmulParams,
    SvdfS8Params,
    SvdfS16Params,
    TakeParams,
    TransposeConvParams,
    TransposeConvS16Params,
    UpsampledConvParams,
    WindowParams,
)
from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network.compiled import DEFAULT, compile_network
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError


class Features(NamedTuple):
    """What the instructions of a stage are estimated from, of all of its runs together.

    Attributes:
        products: multiplications by weights, those with the zeros that fill up pairs included;
            pixels under windows of kernels without such weights.
        outputs: elements that are written.
        taps: pixels that are written, times the pixels of a window; of convolutions of 16-bit
            codes, times the runs of values that are multiplied by two channels; of kernels that
            take values from places, the number of places.
        gathered: elements that are read, as often as they are.
        runs: number of runs.
    """

    products: int
    outputs: int
    taps: int
    gathered: int
    runs: int


def features(stage: Stage) -> Features:
    """Return what the cost of a stage depends on."""
    params, runs = stage.params, stage.runs
    pixels, window = _windows(params)
    return Features(
        products=_all_products(stage),
        outputs=runs * stage.output.row_elements,
        taps=runs * pixels * window,
        gathered=runs * sum(rows.count * rows.view.row_elements for rows in stage.inputs),
        runs=runs,
    )


def _windows(params: KernelParams) -> tuple[int, int]:
    """Return the pixels of a row that is written, and how much of a window there is for each."""
    match params:
        case ConvS16Params(output_width=width, window=window):
            runs = window.height * (1 if window.dilation == 1 else window.width)
            return width, runs * -(-params.output_channels // 2)
        case WindowParams(output_width=width, window=window):
            return width, window.height * window.width
        case UpsampledConvParams(output_width=width, columns=inner, width=columns):
            return width, inner.window.height * columns
        case TransposeConvParams(conv=inner):
            return inner.output_width, inner.window.height * inner.window.width
        case TransposeConvS16Params(output_width=width, height=height, width=columns):
            runs = -(-height // params.stride_y) * -(-columns // params.stride_x)
            return width, runs * -(-params.output_channels // 2)
        case TakeParams(counts=counts):
            return int(counts.values.prod()), 1
        case GatherParams():
            return params.batches * params.outer * params.count, 1
        case GatherNdParams(count=count):
            return count, 1
    return 0, 0


def _all_products(stage: Stage) -> int:
    """Return the multiplications of all runs."""
    if isinstance(stage.params, LstmParams | MatmulParams | SvdfS8Params | SvdfS16Params):
        # Nothing fills up pairs, and one run may do what others do not.
        return stage.macs
    return stage.runs * _products(stage.params)


def _products(params: KernelParams) -> int:
    """Return the multiplications of a run."""
    match params:
        case ConvParams():
            return params.output_width * params.weights.values.size
        case UpsampledConvParams(columns=inner):
            return inner.columns * inner.weights.values.size
        case TransposeConvParams(conv=inner, stride=phases):
            return inner.output_width * inner.weights.values.size // phases
        case ConvS16Params():
            return params.output_width * params.weights.values.size
        case TransposeConvS16Params(stride_y=height, stride_x=width):
            return params.output_width * params.weights.values.size // (height * width)
        case DenseParams() | DensePackedParams() | DenseS16Params():
            return params.rows * params.weights.values.size
        case WindowParams():
            pixels, window = _windows(params)
            return pixels * window * params.output_channels
    return 0


def kind(stage: Stage) -> str:
    """Return the name under which the costs of a stage are tabulated: that of its kernel.

    Windows with gaps, and depthwise convolutions that make several channels of one, run through
    code of their own.
    """
    name, params = stage.kernel.removeprefix("asc_"), stage.params
    if isinstance(params, ConvParams | DepthwiseConvParams) and params.window.dilation > 1:
        return f"{name} dilated"
    if isinstance(params, DepthwiseConvParams) and params.input_channels != params.output_channels:
        return f"{name} multiplied"
    return name


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
            layers[stage.operator] += _instructions(model_file, stage, table)
    error = table["error"]
    return Estimate(
        cpu,
        sum(layers.values()),
        tuple(layers[operator.index] for operator in operators),
        error["released"],
        error["mean"],
        error["largest"],
    )


def _instructions(model_file: ModelFile, stage: Stage, table: Mapping[str, Any]) -> int:
    known = table["instructions"]
    costs = known.get(kind(stage)) or known.get(kind(stage).split(" ")[0])
    if costs is None:
        raise AscError(
            f"{model_file.path}: operator {stage.title} runs {stage.kernel}, whose instructions "
            f"were not measured; measured are {', '.join(known)}"
        )
    values = features(stage)._asdict()
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
