"""Compiles graphs that tests write down and runs them on this computer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asc_tiny.compiler.options import Options
from asc_tiny.tflite.graph import Graph
from support.hand_made import model_of
from support.network_models import CNetwork


def samples_for(graph: Graph, count: int = 3) -> list[np.ndarray]:
    """Return both extremes, then random codes, as the input's values, without the batch."""
    shape = graph.tensor(graph.inputs[0]).shape[1:]
    random = np.random.default_rng(3).integers(-128, 128, (count, *shape)).astype(np.int8)
    return [np.full(shape, -128, np.int8), np.full(shape, 127, np.int8), *random]


def outputs_of(
    graph: Graph, samples: Sequence[np.ndarray], folder: Path, options: Options | None = None
) -> list[np.ndarray]:
    """Return the graph's output for each sample, without a batch of 1."""
    network = CNetwork(model_of(graph), folder, options or Options())
    shape = graph.tensor(graph.outputs[0]).shape
    shape = shape[1:] if shape[0] == 1 else shape
    return [network.run(sample).reshape(shape) for sample in samples]
