"""Dense layers where the last bit of the multiplier decides, against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.kernel_params import DenseParams
from asc_tiny.compiler.lower.gemmlowp import requantize
from asc_tiny.compiler.lower.requantization import multiplier
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import load
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.emulated import EmulatedNetwork
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


def dense(weights: np.ndarray, zero_point: int, output: float) -> bytes:
    """Return a network of one dense layer."""
    outputs, inputs = weights.shape
    net = Builder()
    source = net.activation((1, inputs), 0.01, zero_point)
    biases = np.random.default_rng(outputs).integers(-5000, 5000, outputs).astype(np.int32)
    constants = (net.constant(weights, [0.02]), net.constant(biases, [0.01 * 0.02]))
    target = net.activation((1, outputs), output, 3)
    net.operator("FULLY_CONNECTED", [source, *constants], [target])
    return net.finish([source], [target])


@pytest.mark.parametrize(
    "core",
    [
        pytest.param("", id="host"),
        pytest.param("mps2-an386", id="Cortex-M4", marks=pytest.mark.qemu),
        pytest.param("mps2-an385", id="Cortex-M3", marks=[pytest.mark.qemu, pytest.mark.slow]),
        pytest.param("mps3-an547", id="Cortex-M55", marks=pytest.mark.qemu),
    ],
)
@pytest.mark.parametrize(
    ("inputs", "outputs", "lowest"),
    [
        *((6, 13, -127), (508, 4, -127), (1021, 6, -127), (1, 1, -128), (37, 7, -128)),
        *((512, 8, -128), (9, 8, -127), (16, 12, -127), (480, 8, -127), (981, 9, -127)),
    ],
)
def test_weights_of_two_outputs_share_numbers(
    inputs: int, outputs: int, lowest: int, core: str, tmp_path: Path
) -> None:
    """Of -128 and a negative weight they cannot; extreme weights make the largest products."""
    random = np.random.default_rng(inputs)
    weights = random.integers(lowest, 128, (outputs, inputs)).astype(np.int8)
    weights[0], weights[1:2] = 127, lowest
    if outputs > 2 and inputs > 1:
        weights[2, ::2], weights[2, 1::2] = lowest, -1
    data = dense(weights, -128, 0.004 * inputs)
    model = model_file(data, "dense")
    samples = [np.full((1, inputs), code, np.int8) for code in (-128, 127)]
    samples += list(random.integers(-128, 128, (4, 1, inputs)).astype(np.int8))
    reference = TflmNetwork(data)
    if core:
        made = EmulatedNetwork(model, core, tmp_path).run(samples)[0]
    else:
        made = [CNetwork(model, tmp_path).run(sample) for sample in samples]
    for sample, output in zip(samples, made, strict=True):
        assert np.array_equal(np.ravel(output), reference.run(sample).ravel())
    (stage,) = compile_network(model).lowered.stages
    assert isinstance(stage.params, DenseParams)
    negative = (weights[0:-1:2] == -128) & (weights[1::2] < 0)
    assert stage.params.combined == (not negative.any())


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
