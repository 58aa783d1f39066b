"""Inputs that networks are compared on: extreme, even and random ones, the same in every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.tflite.graph import NUMPY_TYPES, Graph, Tensor

AnyArray = NDArray[Any]

RANDOM = 12
"""Random inferences besides the extreme ones."""

# Integers of more bits mostly are places in a table, of which the first two are always there.
_FEW = (0, 1)


@dataclass(frozen=True, eq=False)
class Sample:
    """The inputs of one inference.

    Attributes:
        name: name for people.
        inputs: an array for each input, of its shape and type.
    """

    name: str
    inputs: Sequence[AnyArray]


@dataclass(frozen=True)
class _Codes:
    """The integers that an input's elements stand for.

    Attributes:
        low, high: least and greatest one.
        zero: the one that stands for 0.
        scale: real value of a step for elements of floating point, which may lie between codes
            and beyond them; None for codes as they are.
    """

    low: int
    high: int
    zero: int
    scale: float | None = None


def samples(graph: Graph, count: int = RANDOM) -> list[Sample]:
    """Return extreme inputs of a network and so many random ones.

    Args:
        graph: the network. Values of an input of floating point that becomes codes are the codes'.
        count: number of random inferences.
    """
    rng = np.random.default_rng(1)
    tensors = [graph.tensor(index) for index in graph.inputs]
    made = [_patterns(rng, _codes_of(graph, tensor), tensor, count) for tensor in tensors]
    names = made[0] if made else {}
    return [Sample(name, [patterns[name] for patterns in made]) for name in names]


def _patterns(
    rng: np.random.Generator, codes: _Codes, tensor: Tensor, count: int
) -> dict[str, AnyArray]:
    shape = tensor.shape
    alternating = np.where(np.arange(tensor.size) % 2, codes.high, codes.low)
    found: dict[str, AnyArray] = {
        "all least": np.full(shape, codes.low),
        "all greatest": np.full(shape, codes.high),
        "all zero": np.full(shape, codes.zero),
        "alternating": alternating.reshape(shape),
        "extremes at random": rng.choice([codes.low, codes.high], shape),
    }
    for number in range(count):
        width = max(1.0, (number + 1) / count * (codes.high - codes.low) / 2.0)
        noise = rng.normal(codes.zero, width, shape)
        if codes.scale is None or number % 2:
            noise = np.clip(np.round(noise), codes.low, codes.high)
        found[f"random {number}"] = noise
    return {name: _elements(values, codes, tensor) for name, values in found.items()}


def _codes_of(graph: Graph, tensor: Tensor) -> _Codes:
    dtype = np.dtype(NUMPY_TYPES[tensor.dtype])
    if dtype.kind == "f":
        quantized = graph.quantized(tensor.index)
        if quantized is not None and len(quantized.scales) == 1:
            inner = _codes_of(graph, quantized)
            return _Codes(inner.low, inner.high, inner.zero, quantized.scales[0])
        return _Codes(-128, 127, 0, 1.0 / 32.0)
    if dtype.kind == "b" or dtype.itemsize > 2:
        return _Codes(*_FEW, 0)
    limits = np.iinfo(dtype)
    zero = tensor.zero_points[0] if len(tensor.zero_points) == 1 else 0
    return _Codes(int(limits.min), int(limits.max), min(max(zero, limits.min), limits.max))


def _elements(values: AnyArray, codes: _Codes, tensor: Tensor) -> AnyArray:
    dtype = np.dtype(NUMPY_TYPES[tensor.dtype])
    if codes.scale is not None:
        values = (values - codes.zero) * codes.scale
    return values.astype(dtype).reshape(tensor.shape)
