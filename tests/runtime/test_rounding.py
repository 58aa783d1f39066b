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


def specified(sums: np.ndarray, multiplier: int, bits: int) -> np.ndarray:
    """TensorFlow Lite Micro's MultiplyByQuantizedMultiplier, as gemmlowp writes it."""
    product = sums * multiplier
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    total = product + nudge
    high = np.where(total >= 0, total >> 31, -(-total >> 31))
    mask = (1 << bits + 1) - 1
    threshold = (mask >> 1) + (high < 0)
    return (high >> bits + 1) + ((high & mask) > threshold)


def rounded_up(sums: np.ndarray, multiplier: int, bits: int, zero_point: int) -> np.ndarray:
    """SMMLAR, ASR and SSAT, without a look at the sign (ASC_ROUND_UP)."""
    added = (2 * zero_point + 1) << bits
    high = (2 * sums * multiplier + (added << 32) + (1 << 31)) >> 32
    return np.clip(high >> bits >> 1, -128, 127)


@pytest.mark.parametrize("multiplier", [1 << 30, (1 << 30) + 1, 1518500250, (1 << 31) - 1])
@pytest.mark.parametrize("bits", range(23))
def test_sign_does_not_matter_above_the_zero_point(bits: int, multiplier: int) -> None:
    rng = np.random.default_rng(bits)
    halves = ((2 * np.arange(-300, 300) + 1) << bits) * 2**31 // multiplier
    near = (halves[:, None] + np.arange(-3, 4)).ravel()
    sums = np.concatenate([near, np.arange(-3000, 3000), rng.integers(-(2**30), 2**30, 3000)])
    sums = sums[np.abs(sums) < 2**30]
    codes = specified(sums, multiplier, bits)
    differs = False
    for zero_point in (-128, -20, 0, 127):
        made = rounded_up(sums, multiplier, bits, zero_point)
        expected = np.clip(codes + zero_point, -128, 127)
        for minimum in {zero_point, min(zero_point + 9, 127)}:
            assert np.array_equal(np.maximum(made, minimum), np.maximum(expected, minimum))
        differs |= not np.array_equal(made, expected)
    assert differs, "sums at which the sign matters below the zero point"


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
    kernel = layer.split()[0]
    other = f"{kernel}_signed" if kernel == "asc_upsampled_sum" else f"{kernel}_twice"
    assert stages[-1].function == (other if activation == "NONE" else kernel)
    samples = inputs(shape, 6)
    outputs, _ = EmulatedNetwork(model, BOARD, tmp_path).run(samples)
    reference = TflmNetwork(model.data)
    assert np.array_equal(outputs, [reference.run(sample).copy() for sample in samples])
