"""Dense layers where the last bit of the multiplier decides, against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.lower.gemmlowp import requantize
from asc_tiny.compiler.lower.requantization import multiplier
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import load
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import model_file
from support.network_models import CNetwork, TflmNetwork
from support.tflite_builder import Builder

INPUTS = 4


def undecided(scale: float, weight: float, output: float) -> list[int]:
    """Return sums whose codes differ if the scales are multiplied in single precision."""
    double, single = (
        float(each) for each in (scale * weight, np.float32(scale) * np.float32(weight))
    )
    one, other = multiplier(double / output), multiplier(single / output)
    near = [
        int((code + 0.5) * output / double) + step
        for code in range(-120, 120)
        for step in (-1, 0, 1)
    ]
    return [value for value in near if requantize(value, *one) != requantize(value, *other)]


@pytest.mark.parametrize("seed", range(4))
def test_scales_are_multiplied_in_double_precision(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    biases: list[int] = []
    while not biases:
        scale, weight = (float(np.float32(each)) for each in rng.uniform(1e-3, 0.1, 2))
        output = float(np.float32(scale * weight * 2**16))
        biases = undecided(scale, weight, output)
    net = Builder()
    source = net.activation((1, INPUTS), scale, 0)
    weights = net.constant(np.ones((len(biases), INPUTS), np.int8), [weight])
    bias = net.constant(np.array(biases, np.int32), [scale * weight])
    target = net.activation((1, len(biases)), output, 0)
    net.operator("FULLY_CONNECTED", [source, weights, bias], [target])
    path = tmp_path / "dense.tflite"
    path.write_bytes(net.finish([source], [target]))
    # The sum of each output is its bias.
    values = np.zeros((1, INPUTS), np.int8)
    expected = TflmNetwork(path.read_bytes()).run(values)
    assert np.array_equal(CNetwork(load(path), tmp_path).run(values), expected)


@pytest.mark.parametrize("dtype", ["INT8", "INT16"])
def test_the_first_of_several_scales_of_a_bias_must_be_that_of_the_sums(dtype: str) -> None:
    """As TensorFlow Lite Micro, which does not prepare such a layer."""
    net = Builder()
    source = net.activation((1, 4), 0.1, 0, dtype)
    weights = net.constant(np.ones((2, 4), np.int8), [0.1])
    bias = net.constant(np.ones(2, np.int32 if dtype == "INT8" else np.int64), [0.5, 0.01])
    target = net.activation((1, 2), 0.1, 0, dtype)
    net.operator("FULLY_CONNECTED", [source, weights, bias], [target])
    data = net.finish([source], [target])
    with pytest.raises(AscError, match=r"the bias has the scale 0\.5, input and .* 0\.01"):
        compile_network(model_file(data, "bias"))
    with pytest.raises((AscError, RuntimeError)):
        TflmNetwork(data)
