"""Kernels for cores that multiply to 32 bits: the bits of TFLM's, by GCC and clang."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from asc_tiny.model.model_file import load
from support.emulated import CLANG, EmulatedNetwork
from support.front_end_cores import CORTEX_M0PLUS
from support.keras_networks import COMMON
from support.network_models import SMALL, TflmNetwork, converted, inputs

pytestmark = pytest.mark.qemu

ALL = {**SMALL, **COMMON}
QUICK = ("convolutions", "upsampled")


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=() if each in QUICK else pytest.mark.exhaustive) for each in ALL],
)
def test_small_network(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(converted(ALL[name]))
    model = load(path)
    samples = inputs(model.graph.tensor(model.graph.inputs[0]).shape, 5)
    reference = TflmNetwork(model.data)
    expected = np.stack([reference.run(sample).ravel() for sample in samples])
    for compiler in ((), CLANG):
        # A Cortex-M3 runs what is compiled for the smaller core.
        network = EmulatedNetwork(
            model,
            "mps2-an385",
            tmp_path / f"by {len(compiler)}",
            flags=CORTEX_M0PLUS,
            compiler=compiler,
        )
        assert np.array_equal(network.run(samples)[0], expected)
