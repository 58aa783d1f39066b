"""What a stage costs on cores that were measured: instructions, from what it works on.

``benchmarks/network_costs.py`` measures networks and writes ``cpu_costs.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import (
    ConvParams,
    ConvS16Params,
    ConvSumsParams,
    DensePackedParams,
    DenseParams,
    DenseS16Params,
    DepthwiseConvParams,
    GatherNdParams,
    GatherParams,
    KernelParams,
    LstmParams,
    MatmulParams,
    PoolParams,
    SvdfS8Params,
    SvdfS16Params,
    TakeParams,
    TransposeConvParams,
    TransposeConvS16Params,
    UpsampledConvParams,
    UpsampledSumParams,
    WindowParams,
)
from asc_tiny.compiler.weight_packing import GROUP

_LANES = 16
"""Values of a vector of Helium."""

_MOST_STRIDE = 2
"""Largest stride of a depthwise convolution of 3x3 that has code of its own."""


class Features(NamedTuple):
    """What the instructions of a stage are estimated from, of all of its runs together.

    Attributes:
        products: multiplications by weights, those with the zeros that fill up pairs included;
            pixels under windows of kernels without such weights.
        outputs: elements that are written.
        taps: pixels that are written, times the pixels of a window; of convolutions of 16-bit
            codes, times the runs of values that are multiplied by two channels; of kernels that
            take values from places, the number of places; weights that are widened once for a run;
            of sums of an upsampled convolution, the channels of a run.
        gathered: elements that are read, as often as they are.
        filters: filters that a run works with, of all runs; 0 of kernels that have none.
        vectors: sixteens of products of an output of a convolution, the last one full or not.
        runs: number of runs.
    """

    products: int
    outputs: int
    taps: int
    gathered: int
    filters: int
    vectors: int
    runs: int


def features(stage: Stage) -> Features:
    """Return what the cost of a stage depends on."""
    if not stage.tiles:
        read = sum(rows.count * rows.view.row_elements for rows in stage.inputs)
        return _features(stage, stage.params, stage.runs, stage.output.row_elements, read)
    runs = stage.runs // len(stage.tiles)
    parts = [
        _features(stage, tile.params, runs, *_elements(stage, tile.params)) for tile in stage.tiles
    ]
    return Features(*map(sum, zip(*parts, strict=True)))


def _features(stage: Stage, params: KernelParams, runs: int, written: int, read: int) -> Features:
    """Return the features of runs with these parameters that write and read so many elements."""
    pixels, window = _windows(params)
    return Features(
        products=_all_products(stage, params, runs),
        outputs=runs * written,
        taps=runs * pixels * window,
        gathered=runs * read,
        filters=runs * _filters(params),
        vectors=runs * _vectors(params),
        runs=runs,
    )


def _elements(stage: Stage, params: KernelParams) -> tuple[int, int]:
    """Return the elements that a run of a width tile writes and reads."""
    row = params.columns if isinstance(params, UpsampledConvParams) else params
    assert isinstance(row, WindowParams) and isinstance(params, WindowParams | UpsampledConvParams)
    rows = sum(each.count for each in stage.inputs)
    written = params.output_width * params.output_channels
    return written, rows * row.input_width * row.input_channels


def _windows(params: KernelParams) -> tuple[int, int]:
    """Return the pixels of a row that is written, and how much of a window there is for each."""
    match params:
        case ConvS16Params(output_width=width, window=window):
            runs = window.height * (1 if window.dilation == 1 else window.width)
            return width, runs * -(-params.output_channels // 2)
        case ConvParams(widens=channels) if channels > 0:
            return params.weights.values.size, 1
        case ConvSumsParams():
            return params.input_width, 1
        case UpsampledSumParams():
            return params.output_channels, 1
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


def _filters(params: KernelParams) -> int:
    """Return the filters of a run."""
    match params:
        case ConvParams() | DepthwiseConvParams():
            return params.output_channels
        case ConvSumsParams(filters=filters):
            return filters
    return 0


def _vectors(params: KernelParams) -> int:
    """Return the vectors of products of a run, which cores with Helium multiply at once."""
    if not isinstance(params, ConvParams):
        return 0
    return params.output_width * params.output_channels * -(-params.depth // _LANES)


def _all_products(stage: Stage, params: KernelParams, runs: int) -> int:
    """Return the multiplications of so many runs."""
    if isinstance(params, LstmParams | MatmulParams | SvdfS8Params | SvdfS16Params):
        # Nothing fills up pairs, and one run may do what others do not.
        return stage.macs
    return runs * _products(params)


def _products(params: KernelParams) -> int:
    """Return the multiplications of a run."""
    match params:
        case ConvParams():
            return params.output_width * params.weights.values.size
        case ConvSumsParams():
            return params.input_width * params.weights.values.size
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

    A second word names code of the kernel's own for such a stage, on one core at least.
    """
    name = stage.kernel.removeprefix("asc_")
    path = _pool_path if name == "max_pool" else _path
    return f"{name} {path(stage.params)}".rstrip()


def _path(params: KernelParams) -> str:
    """Return the name of a kernel's own code for some parameters, empty for the usual code."""
    match params:
        case DepthwiseConvParams():
            return _depthwise_path(params)
        case ConvParams() if params.widens:
            return "widened"
        case ConvParams(window=window) if window.dilation > 1:
            return "dilated"
        case UpsampledSumParams(rows=2) if params.range.narrow:
            return "two rows"
    return ""


def _pool_path(params: KernelParams) -> str:
    """Return the same of the largest of each window."""
    assert isinstance(params, PoolParams)
    if params.output_channels < GROUP or params.clamps:
        return "single"
    return "2x2" if (params.window.height, params.window.width) == (2, 2) else ""


def _depthwise_path(params: DepthwiseConvParams) -> str:
    """Return the same of a depthwise convolution."""
    window = params.window
    if window.dilation > 1:
        return "dilated"
    if params.input_channels != params.output_channels:
        return "multiplied"
    if params.output_channels < GROUP or not params.range.narrow:
        return "single"
    is_3x3 = (window.height, window.width) == (3, 3) and window.stride <= _MOST_STRIDE
    return "3x3" if is_3x3 else ""


def instructions(stage: Stage, cpu: str) -> float | None:
    """Return the estimated instructions of all runs of a stage, None for an unmeasured kernel."""
    known = cpus()[cpu]["instructions"]
    costs = known.get(kind(stage)) or known.get(kind(stage).split(" ")[0])
    if costs is None:
        return None
    total: float = sum(costs[name] * value for name, value in features(stage)._asdict().items())
    return total


@cache
def cpus() -> Mapping[str, Mapping[str, Any]]:
    """Return what was measured on each core, by the name of the core."""
    text = Path(__file__).with_name("cpu_costs.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, Any]] = json.loads(text)["cpus"]
    return table
