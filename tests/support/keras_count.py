"""What a Keras model costs once it is converted, from the shapes of its layers alone.

Only layers with weights cost anything that counts here. A batch norm behind a layer with a kernel
becomes part of it; elsewhere it is a factor and a summand for each channel. The first step of an
unrolled LSTM begins with a state of zeros: it has no product with it, and a bias of its own.
"""

from __future__ import annotations

import math
from typing import Any

_WITH_KERNEL = ("Conv1D", "Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")


def params(model: Any) -> int:
    """Return the number of learnt values in the converted file."""
    return sum(map(_params, model.layers))


def macs(model: Any) -> int:
    """Return the multiplies of one inference in layers with a kernel."""
    return sum(map(_macs, model.layers))


def _params(layer: Any) -> int:
    kind = type(layer).__name__
    if kind == "BatchNormalization":
        before = type(layer.input._keras_history[0]).__name__
        return 0 if before in _WITH_KERNEL else 2 * layer.input.shape[-1]
    if kind in _WITH_KERNEL:
        # There is a bias even where the layer has none: that of the batch norm.
        return math.prod(layer.kernel.shape) + layer.output.shape[-1]
    if kind == "LSTM":
        features = layer.input.shape[-1]
        return 4 * layer.units * (features + layer.units + 2)
    assert not layer.weights, f"{kind} is not known"
    return 0


def _macs(layer: Any) -> int:
    kind = type(layer).__name__
    if kind not in (*_WITH_KERNEL, "LSTM"):
        return 0
    if kind == "LSTM":
        steps, features = layer.input.shape[1:]
        return 4 * layer.units * (steps * features + (steps - 1) * layer.units)
    kernel = math.prod(layer.kernel.shape)
    positions = math.prod(layer.output.shape[1:-1])
    if kind == "Conv2DTranspose":
        positions = math.prod(layer.input.shape[1:-1])
    return kernel * positions
