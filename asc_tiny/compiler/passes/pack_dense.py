"""Packed dense layers for the smallest flash, which one kernel in plain C reads.

Weights lie as in the file, without the zeros that fill up their groups, and an output channel takes
8 bytes instead of 12. Dense layers have many channels for few multiplications.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import Array, LoweredGraph, Stage
from asc_tiny.compiler.lower.conv import unpaired

_BIAS_LIMIT = 2**23
_MOST_BITS = 255


def pack_dense_layers(lowered: LoweredGraph) -> LoweredGraph:
    """Return a graph whose dense layers are packed where their numbers allow it."""
    stages = [
        _pack_dense(stage) if stage.kernel == "asc_dense" else stage for stage in lowered.stages
    ]
    return LoweredGraph(lowered.source, stages, lowered.input, lowered.output)


def _pack_dense(stage: Stage) -> Stage:
    weights, channels = stage.arrays
    packed = _packed(channels.values.reshape(-1, 3))
    if packed is None:
        return stage
    outputs, inputs = int(stage.fields["outputs"]), int(stage.fields["inputs"])
    matrix = unpaired(weights.values, outputs, inputs)
    fields = {name: value for name, value in stage.fields.items() if name != "depth"}
    return replace(
        stage,
        kernel="asc_compact_dense",
        c_type="asc_compact_dense_t",
        fields=fields,
        arrays=(
            Array(weights.name, weights.c_type, matrix.ravel()),
            Array(channels.name, "asc_packed_channel_t", packed.ravel()),
        ),
        scratch=0,
    )


def _packed(channels: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return (bias and bits, multiplier) of each channel, None if one does not fit."""
    bias, multiplier, bits = channels.T
    if np.abs(bias).max() >= _BIAS_LIMIT or bits.min() < 0 or bits.max() > _MOST_BITS:
        return None
    return np.stack([bias * 256 + bits, multiplier], axis=1)
