"""Softmax against float64, a code of 1/256 apart at most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for


@pytest.mark.parametrize("scale", [0.004, 0.1, 1.5])
def test_softmax(scale: float, tmp_path: Path) -> None:
    builder = GraphBuilder((1, 6, 10), scale, -7)
    builder.add("SOFTMAX", (0,), (1, 6, 10), 1 / 256, -128, beta=1.0)
    graph = builder.graph()
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        powers = np.exp(scale * (sample.astype(float) - sample.max(axis=-1, keepdims=True)))
        wanted = powers / powers.sum(axis=-1, keepdims=True) * 256 - 128
        assert np.abs(output - np.minimum(wanted, 127)).max() <= 1.0
