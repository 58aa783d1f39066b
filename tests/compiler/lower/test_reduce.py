"""Means, sums and maxima over each axis against their definition."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for
from support.integer_reference import code, mean, rescale

SHAPE = (1, 6, 5, 3)
AXES = {"height and width": (1, 2), "height": (1,), "width": (2,), "channels": (3,)}


@pytest.mark.parametrize("keep_dims", [False, True])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("name", ["MEAN", "SUM", "REDUCE_MAX"])
def test_reduction(name: str, axes: str, keep_dims: bool, tmp_path: Path) -> None:
    scale, zero = {"MEAN": (0.02, 30), "SUM": (0.5, -10), "REDUCE_MAX": (0.05, 4)}[name]
    axis = AXES[axes]
    builder = GraphBuilder(SHAPE, 0.05, 4)
    constant = builder.constant(np.array(axis, np.int32))
    shape = np.zeros(SHAPE).sum(axis=axis, keepdims=keep_dims).shape
    count = math.prod(SHAPE[each] for each in axis)
    real = float(np.float32(0.05)) / float(np.float32(scale))

    def rule(total: int) -> int:
        return mean(total, count, real) if name == "MEAN" else rescale(total, real)

    builder.add(name, (0, constant), shape, scale, zero, keep_dims=keep_dims)
    graph = builder.graph()
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        values = sample[None].astype(int)
        if name == "REDUCE_MAX":
            wanted = values.max(axis=axis, keepdims=keep_dims)
        else:
            totals = (values - 4).sum(axis=axis, keepdims=keep_dims)
            wanted = np.vectorize(lambda total: code(rule(int(total)) + zero))(totals)
        assert np.array_equal(output, wanted[0])
