"""Means, sums and maxima over each axis against their definition."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from support.emulated import EmulatedNetwork
from support.hand_made import GraphBuilder, model_of
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


@pytest.mark.qemu
@pytest.mark.parametrize("shape", [(1, 2, 513, 5), (1, 3, 4, 2), (1, 1, 1, 3), (1, 2, 256, 9)])
def test_means_of_long_rows_on_cortex_m4(shape: tuple[int, ...], tmp_path: Path) -> None:
    """Sums of 16 bits hold no more than 256 extreme codes."""
    builder = GraphBuilder(shape, 0.05, 4)
    constant = builder.constant(np.array([1, 2], np.int32))
    builder.add("MEAN", (0, constant), (1, shape[3]), 0.05, 4, keep_dims=False)
    graph = builder.graph()
    samples = samples_for(graph)
    made = EmulatedNetwork(model_of(graph), "mps2-an386", tmp_path).run(samples)[0]
    count = shape[1] * shape[2]
    for sample, output in zip(samples, made, strict=True):
        totals = (sample.astype(int) - 4).sum(axis=(0, 1))
        wanted = [code(mean(int(total), count, 1.0) + 4) for total in totals]
        assert np.array_equal(np.ravel(output), wanted)
