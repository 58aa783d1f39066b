"""Split of upsampled convolutions: every row of the input meets each row of the window once.

Where rows are repeated, a convolution multiplies each of them with the same weights for every row
of the output that is under it. Stages of their own multiply a row by one row of the window, and the
last adds up and rounds: a fraction of the multiplications, for memory for the sums.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import INT32, Buffer, BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    Array,
    ConvSumsParams,
    UpsampledConvParams,
    UpsampledSumParams,
)
from asc_tiny.compiler.weight_packing import (
    GROUP,
    PAIR,
    padded_channels,
    paired,
    unpaired,
)

_WIDTH, _FACTOR, _LEFT = 3, 2, 1
_MOST_ROWS = 3


def can_split(stage: Stage) -> bool:
    """Whether a stage is an upsampled convolution whose rows are repeated, with a common window."""
    params = stage.params
    if not isinstance(params, UpsampledConvParams) or stage.tiles:
        return False
    inner = params.columns
    return (
        (params.width, params.factor, params.left) == (_WIDTH, _FACTOR, _LEFT)
        and params.output_width == _FACTOR * inner.input_width
        and len(stage.inputs) <= _MOST_ROWS
        and all(each.factor < each.divisor and each.count == 1 for each in stage.inputs)
        and all(each.view.repeat == 1 and not each.clamps for each in stage.inputs)
    )


def split_upsampled(lowered: LoweredGraph, chosen: Collection[int]) -> LoweredGraph:
    """Return a graph in which some stages are split.

    Args:
        lowered: the graph.
        chosen: numbers of the stages, which ``can_split`` allows.
    """
    stages: list[Stage] = []
    for number, stage in enumerate(lowered.stages):
        stages += _split(stage) if number in chosen else [stage]
    return replace(lowered, stages=stages)


def last_stages(lowered: LoweredGraph, chosen: Collection[int]) -> list[int]:
    """Return, for each stage, the number of its last one in what ``split_upsampled`` returns."""
    counts = [
        len(stage.inputs) + 1 if number in chosen else 1
        for number, stage in enumerate(lowered.stages)
    ]
    return [end - 1 for end in itertools.accumulate(counts)]


def _split(stage: Stage) -> list[Stage]:
    """Return a stage for each row of the window, and that which adds up."""
    params = stage.params
    assert isinstance(params, UpsampledConvParams)
    made = [_products(stage, params, row) for row in range(len(stage.inputs))]
    zero_point = params.columns.input_zero_point
    padding = np.concatenate([_padding(each.params, zero_point) for each in made])
    own = UpsampledSumParams(
        rows=len(made),
        input_width=params.columns.input_width,
        output_channels=params.output_channels,
        range=params.range,
        channels=params.channels,
        padding=Array(params.padding.name, padding),
    )
    inputs = [
        replace(access, view=each.output) for access, each in zip(stage.inputs, made, strict=True)
    ]
    return [*made, replace(stage, kernel="asc_upsampled_sum", params=own, inputs=inputs, macs=0)]


def _products(stage: Stage, params: UpsampledConvParams, row: int) -> Stage:
    """Return the stage that multiplies each row of the input by a row of the window."""
    inner, source = params.columns, stage.inputs[row].view
    channels = inner.input_channels
    matrix = unpaired(inner.weights.values, inner.output_channels, inner.depth)
    values = paired(matrix[:, row * channels : (row + 1) * channels])
    name = f"{inner.weights.name}_{row}"
    own = ConvSumsParams(
        input_width=inner.columns,
        input_channels=channels,
        filters=inner.output_channels,
        depth=values.shape[1] * GROUP,
        weights=replace(inner.weights, name=name, values=values.ravel(), order="ASC_WEIGHT_PAIR"),
    )
    sums = padded_channels(inner.output_channels) * inner.columns
    name = f"{stage.name}_{row}"
    buffer = Buffer(f"sums of {name}", source.rows, INT32.itemsize * sums, dtype=INT32)
    return Stage(
        operator=stage.operator,
        title=stage.title,
        comment=f"{stage.comment}, row {row} of the window",
        name=name,
        kernel="asc_conv_sums",
        params=own,
        inputs=[RowAccess(source)],
        output=BufferView.of(buffer),
        runs=source.rows,
        macs=source.rows * inner.columns * inner.output_channels * channels,
    )


def _padding(params: object, zero_point: int) -> NDArray[np.int32]:
    """Return a pixel of sums where there is no pixel."""
    assert isinstance(params, ConvSumsParams)
    pairs = params.weights.values.reshape(-1, params.depth // GROUP, PAIR, GROUP)
    sums: NDArray[np.int64] = pairs.sum(axis=(1, 3), dtype=np.int64).ravel()
    return (zero_point * sums).astype(np.int32)
