"""Packed dense layers: less flash, the same results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.pack_dense import pack_dense_layers
from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for


def dense() -> GraphBuilder:
    random = np.random.default_rng(1)
    builder = GraphBuilder((1, 30), 0.03, 0)
    weights = random.integers(-127, 128, (7, 30)).astype(np.int8)
    constants = [
        builder.constant(weights, [0.004]),
        builder.constant(random.integers(-99, 99, 7).astype(np.int32), [0.00012]),
    ]
    options: dict[str, Any] = {"fused_activation_function": "NONE", "keep_num_dims": False}
    builder.add("FULLY_CONNECTED", (0, *constants), (1, 7), 0.02, 7, weights_format=0, **options)
    return builder


def test_packed_dense_layers_take_less_flash_and_compute_the_same(tmp_path: Path) -> None:
    graph = dense().graph()
    lowered = lower_graph(graph)
    packed = pack_dense_layers(lowered)
    assert packed.stages[0].kernel != lowered.stages[0].kernel
    weights, packed_weights = (each.stages[0].arrays[0] for each in (lowered, packed))
    assert (len(weights.values), len(packed_weights.values)) == (8 * 32, 7 * 30), "no zeros"
    assert packed.stages[0].scratch == 0
    samples = samples_for(graph)
    plain = outputs_of(graph, samples, tmp_path / "plain")
    small = outputs_of(graph, samples, tmp_path / "packed", Options(optimize="size"))
    assert np.array_equal(plain, small)
