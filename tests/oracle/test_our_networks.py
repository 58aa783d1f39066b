"""Networks of the package with random weights, compiled, against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from asc_tiny import nets
from asc_tiny.compiler.options import Options
from asc_tiny.compress.prune.goal import Rate
from asc_tiny.compress.prune.network import RankedNetwork
from asc_tiny.compress.quantize import quantize
from asc_tiny.frontend.reference import quantize as codes_of
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train.statistics.recalibrate import recalibrate
from support.graph_batch import compiled_runtime, model_file, run_all
from support.network_models import TflmNetwork

Shape = tuple[int, int, int]

SMALL: dict[str, tuple[str, Shape, dict[str, Any]]] = {
    "bc_resnet": ("bc_resnet", (40, 12, 1), {"width": 0.5}),
    "cp_mobile": ("cp_mobile", (32, 17, 1), {"base_channels": 16, "blocks": (3, 1)}),
    "dcase2024_baseline": ("dcase2024_baseline", (32, 17, 1), {"base_channels": 8}),
    "ds_cnn": ("ds_cnn", (10, 19, 1), {"size": "m", "channels": 16}),
    "tf_sepnet": ("tf_sepnet", (32, 32, 1), {"base_channels": 32, "depth": 16}),
    "tf_sepnet_adaptive": (
        "tf_sepnet",
        (32, 32, 1),
        {"base_channels": 32, "depth": 16, "residual_norm": "adaptive"},
    ),
    "yamnet": ("yamnet", (64, 24, 1), {"depth": 4, "width": 0.25}),
}
LARGE: dict[str, tuple[str, Shape, dict[str, Any]]] = {
    "bc_resnet": ("bc_resnet", (40, 101, 1), {}),
    "cp_mobile": ("cp_mobile", (128, 65, 1), {"base_channels": 16, "expansion_rate": 1.75}),
    "dcase2024_baseline": ("dcase2024_baseline", (128, 65, 1), {}),
    "ds_cnn": ("ds_cnn", (10, 49, 1), {}),
    "tf_sepnet": ("tf_sepnet", (128, 64, 1), {"base_channels": 40, "depth": 16}),
    "yamnet": ("yamnet", (64, 96, 1), {"depth": 6}),
}


def network(name: str, shape: Shape, options: dict[str, Any]) -> Any:
    """Build a network of 4 classes whose weights are random in all layers."""
    model = nets.build(name, shape, 4, **options)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        size = weight.shape
        if weight.name in ("gamma", "moving_variance") and size:
            weight.assign(rng.uniform(0.5, 1.5, size))
        elif "kernel" in weight.name:
            taps = np.prod(size[:2] if "depthwise" in weight.path else size[:-1])
            weight.assign(rng.normal(0.0, 1.5 / np.sqrt(taps), size))
        elif weight.dtype == "float32":
            weight.assign(rng.normal(0.0, 0.3, size))
    return model


def clips(shape: Shape, count: int = 6) -> np.ndarray[Any, Any]:
    """Noise at several levels: means over a map must differ."""
    rng = np.random.default_rng(2)
    levels = np.linspace(-2.0, 2.0, count).reshape(-1, 1, 1, 1)
    slopes = np.linspace(-1.0, 1.0, shape[0]).reshape(1, -1, 1, 1) * rng.normal(size=levels.shape)
    return (levels + slopes + rng.normal(0.0, 0.5, (count, *shape))).astype(np.float32)


def check_bit_exact(model: Any, name: str, folder: Path) -> None:
    features = clips(model.input_shape[1:])
    recalibrate(model, features)
    data = quantize(model, features)
    file = model_file(data, name)
    quantization = Interpreter(data, name).input_quantization
    samples = [codes_of(clip.astype(np.float64), quantization)[None] for clip in features]
    (outputs,) = run_all(
        [file], [samples], folder, compiled_runtime(), {"options": Options(effort="low")}
    )
    reference = TflmNetwork(data)
    expected = np.stack([reference.run(sample).copy() for sample in samples])
    assert np.array_equal(outputs, expected)
    assert len(np.unique(expected, axis=0)) > 1, "the inputs do not matter"


QUICK = ("cp_mobile",)
"""Those whose operators no other test compares."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.exhaustive) for n in SMALL]
)
def test_pruned_networks_bit_exact(name: str, tmp_path: Path) -> None:
    """Without a fifth of their filters, so that pruning is tried with the same network."""
    model = network(*SMALL[name])
    ranked = RankedNetwork.of(model, "l1")
    smaller = ranked.shrunk(ranked.counts(Rate(0.2), ranked.start, 1))
    assert smaller.count_params() < 0.95 * model.count_params()
    check_bit_exact(smaller, name, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LARGE)
def test_published_networks_bit_exact(name: str, tmp_path: Path) -> None:
    check_bit_exact(network(*LARGE[name]), name, tmp_path)
