"""Packed dense layers for the smallest flash, which one kernel in plain C reads.

Weights lie as in the file, without the zeros that fill up their groups, and an output channel takes
8 bytes instead of 12. Dense layers have many channels for few multiplications.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import LoweredGraph, Stage
from asc_tiny.compiler.kernel_params import PACKED_CHANNEL, Array, DensePackedParams, DenseParams
from asc_tiny.compiler.weight_packing import unpaired

_BIAS_LIMIT = 2**23
_MOST_BITS = 255


def pack_dense_layers(lowered: LoweredGraph) -> LoweredGraph:
    """Return a graph whose dense layers are packed where their numbers allow it."""
    stages = [_pack_dense(stage) for stage in lowered.stages]
    return replace(lowered, stages=stages)


def _pack_dense(stage: Stage) -> Stage:
    dense = stage.params
    packed = _packed(dense.channels.values) if isinstance(dense, DenseParams) else None
    if packed is None or not isinstance(dense, DenseParams):
        return stage
    matrix = unpaired(dense.weights.values, dense.outputs, dense.inputs)
    params = DensePackedParams(
        rows=dense.rows,
        inputs=dense.inputs,
        outputs=dense.outputs,
        range=dense.range,
        weights=Array(dense.weights.name, matrix.ravel()),
        channels=Array(dense.channels.name, packed),
    )
    return replace(stage, kernel="asc_dense_packed", params=params)


def _packed(channels: NDArray[Any]) -> NDArray[Any] | None:
    """Return channels in the packed form, None if one does not fit."""
    bias, bits = channels["bias"].astype(np.int64), channels["bits"]
    if np.abs(bias).max() >= _BIAS_LIMIT or bits.min() < 0 or bits.max() > _MOST_BITS:
        return None
    packed = np.empty(len(channels), PACKED_CHANNEL)
    packed["bias_bits"], packed["multiplier"] = bias * 256 + bits, channels["multiplier"]
    return packed
