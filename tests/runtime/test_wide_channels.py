"""Layers one of whose channels has a multiplier that the short way of rounding does not take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from support.chain import SCALE, Chain
from support.emulated import EmulatedNetwork
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Value

pytestmark = pytest.mark.qemu

BOARD = "mps2-an386"


class OneWide(Chain):
    """A chain each of whose layers has one filter of another multiplier, None for none."""

    def __init__(self, shape: tuple[int, ...], multiplier: float | None) -> None:
        super().__init__(shape=shape)
        self.multiplier = multiplier

    def operands(
        self, weights: np.ndarray, axis: int, effects: Mapping[int, int], unread: object
    ) -> list[Value]:
        weights, bias = super().operands(weights, axis, effects, unread)
        if self.multiplier is not None:
            tensors = self.builder.graph.tensors
            scale = self.multiplier * SCALE / self.x.scale
            tensors[weights.index].quantization.scale[5] = scale
            tensors[bias.index].quantization.scale[5] = scale * self.x.scale
        return [weights, bias]


IMAGE = (1, 12, 12, 16)
LAYERS: dict[str, tuple[Callable[[float | None], Chain], float]] = {
    "3x3": (lambda real: OneWide(IMAGE, real).conv({}, 3, filters=32), 1.08),
    "1x1": (lambda real: OneWide(IMAGE, real).conv({}, filters=32), 1.15),
    "dilated": (
        lambda real: OneWide(IMAGE, real).conv({}, 3, filters=32, dilationWFactor=2),
        1.15,
    ),
    "depthwise": (lambda real: OneWide((1, 12, 12, 64), real).depthwise({}), 1.15),
    "depthwise 2x2": (lambda real: OneWide((1, 12, 12, 64), real).depthwise({}, 2), 1.15),
    "stride": (lambda real: OneWide((1, 12, 12, 64), real).depthwise({}, 3, stride=2), 1.12),
    "rest": (lambda real: OneWide((1, 9, 9, 70), real).depthwise({}, 5), 1.10),
    "dense": (lambda real: OneWide((1, 256), real).dense(units=32), 1.06),
}
"""Layers of 16 channels or more, and the most that one channel may cost of all instructions."""


@pytest.mark.parametrize("name", LAYERS)
def test_one_channel_does_not_slow_down_the_others(name: str, tmp_path: Path) -> None:
    make, most = LAYERS[name]
    counts = []
    for number, multiplier in enumerate((None, 0.6, 1.7)):
        model = make(multiplier).model()
        samples = inputs(model.graph.tensor(0).shape, 6)
        network = EmulatedNetwork(model, BOARD, tmp_path / str(number))
        outputs, instructions = network.run(samples)
        reference = TflmNetwork(model.data)
        assert np.array_equal(outputs, [reference.run(sample).copy() for sample in samples])
        counts.append(instructions)
    assert max(counts) <= most * counts[0]
    assert max(counts) > counts[0]
