"""Rounding of sums on cores with the DSP extension, where halves are as frequent as they can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.pipeline import compile_graph

pytest.importorskip("tflite_micro")

from support.chain import Chain
from support.emulated import EmulatedNetwork
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Value

BOARD = "mps2-an386"


class Halves(Chain):
    """A chain all of whose scales are powers of two, so that sums are often halves of a code."""

    def __init__(self, shape: tuple[int, ...], activation: str, zero_point: int) -> None:
        super().__init__(shape=shape)
        self.activation, self.zero_point = activation, zero_point
        self.input = self.x = self.builder.activation(shape, 2.0**-4, 5)

    def operands(
        self, weights: np.ndarray, axis: int, effects: Mapping[int, int], unread: Any
    ) -> list[Value]:
        count = weights.shape[axis]
        scales = 2.0 ** -self.rng.integers(5, 9, count)
        biases = self.rng.integers(-400, 400, count).astype(np.int32)
        weights = (weights // 16).astype(np.int8)
        bias = self.builder.constant(biases, 2.0**-4 * scales)
        return [self.builder.constant(weights, scales.tolist(), axis=axis), bias]

    def add(self, name: str, operands: list[Any], shape: tuple[int, ...], **options: Any) -> Chain:
        y = self.builder.activation(shape, 2.0**-2, self.zero_point)
        if name == "RESIZE_NEAREST_NEIGHBOR":
            y = self.builder.activation(shape, 2.0**-4, 5)
        else:
            options["fusedActivationFunction"] = self.activation
        self.builder.operator(name, [self.x, *operands], [y], **options)
        self.x = y
        return self


def upsampled(chain: Chain) -> Chain:
    """Two rows under each window, of which there are loops of their own."""
    return chain.resize().windowed("CONV_2D", chain.codes((4, 2, 3, 16)), 0, {})


LAYERS: dict[str, tuple[tuple[int, ...], Callable[[Chain], Chain]]] = {
    "asc_conv": ((1, 9, 9, 5), lambda chain: chain.conv({}, 3, filters=17)),
    "asc_conv of pixels": ((1, 9, 7, 8), lambda chain: chain.conv({}, filters=16)),
    "asc_conv dilated": ((1, 9, 7, 4), lambda c: c.conv({}, 3, filters=13, dilationWFactor=2)),
    "asc_depthwise_conv": ((1, 9, 9, 12), lambda chain: chain.depthwise({})),
    "asc_depthwise_conv 2": ((1, 10, 10, 12), lambda chain: chain.depthwise({}, stride=2)),
    "asc_depthwise_conv 2x2": ((1, 9, 9, 12), lambda chain: chain.depthwise({}, 2)),
    "asc_depthwise_conv 5x5": ((1, 9, 9, 12), lambda chain: chain.depthwise({}, 5)),
    "asc_upsampled_sum": ((1, 16, 16, 16), lambda chain: upsampled(chain)),
}


@pytest.mark.qemu
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(
    ("activation", "zero_point"),
    [
        ("RELU", -128),
        pytest.param("RELU", -20, marks=pytest.mark.slow),
        ("NONE", -20),
    ],
)
def test_halves(layer: str, activation: str, zero_point: int, tmp_path: Path) -> None:
    shape, make = LAYERS[layer]
    model = make(Halves(shape, activation, zero_point)).model()
    stages = compile_graph(model.graph, Options()).lowered.stages
    form = "_twice" if activation == "NONE" else ""
    assert stages[-1].function == layer.split()[0] + form
    samples = inputs(shape, 6)
    outputs, _ = EmulatedNetwork(model, BOARD, tmp_path).run(samples)
    reference = TflmNetwork(model.data)
    assert np.array_equal(outputs, [reference.run(sample).copy() for sample in samples])
