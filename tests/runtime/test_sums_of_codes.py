"""ADD on a core with the DSP extension: every pair of codes, against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from support.emulated import EmulatedNetwork
from support.graph_batch import model_file
from support.network_models import TflmNetwork
from support.tflite_builder import Builder

pytestmark = pytest.mark.qemu

CODES = np.arange(-128, 128, dtype=np.int8)
# A row is no multiple of four codes.
FIRST, SECOND = np.meshgrid(CODES, np.append(CODES, np.int8(7)), indexing="ij")
MOST_PER_PAIR = 17.5


class Sum(NamedTuple):
    """Scales and zero points of both operands and of the output; whether fours are made."""

    scales: tuple[float, float, float]
    zeros: tuple[int, int, int]
    activation: str = "NONE"
    is_fast: bool = True


SUMS = {
    "first is larger": Sum((0.1, 0.07, 0.13), (3, -30, 9)),
    "second is larger": Sum((0.03, 0.1, 0.11), (-128, 127, -128)),
    "bits, 2": Sum((0.0251, 0.1, 0.2), (127, -128, 127)),
    "bits, 4": Sum((0.1, 0.0063, 0.05), (-128, 127, -3)),
    "power of two": Sum((0.0625, 0.25, 0.25), (127, 127, 0)),
    "large output": Sum((0.1, 0.09, 2.0), (0, 5, -100)),
    "activation": Sum((0.1, 0.06, 0.12), (-4, 20, -10), "RELU"),
    "equal": Sum((0.1, 0.1, 0.2), (4, -4, 1), is_fast=False),
    "far apart": Sum((0.1, 0.003, 0.1), (-128, 127, 1), is_fast=False),
}


@pytest.mark.parametrize("name", SUMS)
def test_all_pairs_of_codes(name: str, tmp_path: Path) -> None:
    scales, zeros, activation, is_fast = SUMS[name]
    builder = Builder()
    shape = (1, *FIRST.shape, 1)
    a, b, total = (
        builder.activation(shape, scale, zero) for scale, zero in zip(scales, zeros, strict=True)
    )
    other = builder.constant(SECOND.reshape(shape), [scales[1]])
    tensors = builder.graph.tensors
    tensors[other.index].quantization = tensors[b.index].quantization
    builder.operator("ADD", [a, other], [total], fusedActivationFunction=activation)
    model = model_file(builder.finish([a], [total]), "sum")
    outputs, instructions = EmulatedNetwork(model, "mps2-an386", tmp_path).run([FIRST])
    assert np.array_equal(outputs[0], TflmNetwork(model.data).run(FIRST.reshape(shape)).ravel())
    assert len(np.unique(outputs)) > 4
    clamping = 11 if activation != "NONE" else 0
    assert (instructions < (MOST_PER_PAIR + clamping) * FIRST.size) == is_fast
