"""Well-known small networks with random weights, compiled, against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware.network.compiled import compile_network

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from support.common_networks import NETWORKS
from support.emulated import EmulatedNetwork
from support.graph_batch import compiled_runtime, model_file, run_all
from support.network_models import TflmNetwork, converted, inputs

QUICK = ("one_dimensional", "squeeze_excite", "u_net")
"""Those whose operators no smaller network has."""
LONG = ("mobilenet_v1", "mobilenet_v2")
ARENAS = {
    "ds_cnn": 14_416,
    "resnet_8": 23_008,
    "autoencoder": 2_080,
    "dcase_baseline": 51_920,
    "depth_multiplier": 14_560,
    "squeeze_excite": 5_632,
    "u_net": 15_472,
    "one_dimensional": 2_048,
    "mobilenet_v1": 57_200,
    "mobilenet_v2": 64_944,
}
"""Bytes of activations, input and output; more is a regression."""


@pytest.fixture(scope="module")
def runtime() -> Path:
    return compiled_runtime()


def mark(name: str) -> tuple[pytest.MarkDecorator, ...]:
    if name in QUICK:
        return ()
    return (pytest.mark.exhaustive if name in LONG else pytest.mark.slow,)


@pytest.mark.parametrize("name", [pytest.param(n, marks=mark(n)) for n in NETWORKS])
def test_common_networks(name: str, runtime: Path, tmp_path: Path) -> None:
    model = model_file(converted(NETWORKS[name]), name)
    assert compile_network(model).arena.size <= ARENAS[name]
    samples = inputs(model.graph.tensor(model.graph.inputs[0]).shape, 8)
    (outputs,) = run_all([model], [samples], tmp_path, runtime, {})
    reference = TflmNetwork(model.data)
    expected = np.stack([reference.run(sample).copy() for sample in samples])
    assert np.array_equal(outputs, expected)
    assert len(np.unique(expected, axis=0)) > 2, "the inputs do not matter"


@pytest.mark.qemu
@pytest.mark.parametrize("name", QUICK)
def test_new_operators_on_cortex_m4(name: str, tmp_path: Path) -> None:
    model = model_file(converted(NETWORKS[name]), name)
    samples = inputs(model.graph.tensor(model.graph.inputs[0]).shape, 8)
    outputs, _ = EmulatedNetwork(model, "mps2-an386", tmp_path).run(samples)
    reference = TflmNetwork(model.data)
    expected = np.stack([reference.run(sample).copy() for sample in samples])
    assert np.array_equal(outputs, expected)
