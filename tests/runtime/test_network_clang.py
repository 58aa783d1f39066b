"""Kernels for cores with the DSP extension by clang: the bits of GCC's, at about their cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from asc_tiny.model.model_file import load
from support.emulated import CLANG, EmulatedNetwork
from support.keras_networks import COMMON
from support.network_models import SMALL, TflmNetwork, converted, inputs
from support.paths import MODELS

pytestmark = pytest.mark.qemu

BOARD = "mps2-an386"
MOST = 1.1
"""Instructions of what clang compiles, of those of what GCC compiles."""

ALL = {**SMALL, **COMMON}
QUICK = ("convolutions", "depthwise")


def networks(model_path: Path, folder: Path) -> tuple[float, np.ndarray]:
    """Return clang's instructions by GCC's, and its outputs, which are GCC's and TFLM's."""
    model = load(model_path)
    samples = inputs(model.graph.tensor(model.graph.inputs[0]).shape, 5)
    outputs, counts = zip(
        EmulatedNetwork(model, BOARD, folder / "clang", compiler=CLANG).run(samples),
        EmulatedNetwork(model, BOARD, folder / "gcc").run(samples),
        strict=True,
    )
    reference = TflmNetwork(model.data)
    expected = np.stack([reference.run(sample).ravel() for sample in samples])
    assert np.array_equal(outputs[0], expected)
    assert np.array_equal(outputs[1], expected)
    return counts[0] / counts[1], expected


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in QUICK else pytest.mark.exhaustive) for n in ALL],
)
def test_small_network(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(converted(ALL[name]))
    networks(path, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_esc10", "mini_segnet_esc10"])
def test_released_network_costs_about_as_much(name: str, tmp_path: Path) -> None:
    ratio, _ = networks(MODELS / f"{name}.tflite", tmp_path)
    assert 0.8 < ratio <= MOST


@pytest.mark.parametrize(
    "level",
    [pytest.param("-Os", marks=pytest.mark.slow)]
    + [pytest.param(level, marks=pytest.mark.exhaustive) for level in ("-O1", "-Og")],
)
def test_every_level(level: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(converted(SMALL["convolutions"]))
    model = load(path)
    samples = inputs(model.graph.tensor(model.graph.inputs[0]).shape, 4)
    clang = EmulatedNetwork(model, BOARD, tmp_path / "c", compiler=CLANG, optimization=level)
    reference = TflmNetwork(model.data)
    expected = np.stack([reference.run(sample).ravel() for sample in samples])
    assert np.array_equal(clang.run(samples)[0], expected)
