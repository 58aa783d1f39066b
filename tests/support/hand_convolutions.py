"""Chains of convolutions that tests write down, and what they compute by definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.tflite.graph import Graph
from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for
from support.integer_reference import convolution

SHAPE = (1, 8, 12, 3)


def convolutions(*kernels: tuple[int, int], stride: int = 1, filters: int = 4) -> Graph:
    """Return a chain of convolutions with random weights."""
    random = np.random.default_rng(9)
    builder = GraphBuilder(SHAPE, 0.05, 3)
    number, shape = 0, SHAPE
    for kernel in kernels:
        weights = random.integers(-127, 128, (filters, *kernel, shape[3])).astype(np.int8)
        shape = (1, -(-shape[1] // stride), -(-shape[2] // stride), filters)
        bias = random.integers(-99, 99, filters).astype(np.int32)
        constants = (
            builder.constant(weights, [0.01] * filters),
            builder.constant(bias, [0.0005] * filters),
        )
        number = builder.add(
            "CONV_2D",
            (number, *constants),
            shape,
            0.05,
            3,
            padding="SAME",
            stride_h=stride,
            stride_w=stride,
            dilation_h_factor=1,
            dilation_w_factor=1,
            fused_activation_function="NONE",
        )
    return builder.graph()


def expected(graph: Graph, sample: np.ndarray) -> np.ndarray:
    """Return what a chain of convolutions computes by its definition."""
    image = sample
    for operator in graph.operators:
        weights, bias = (graph.tensor(index) for index in operator.inputs[1:])
        assert weights.data is not None and bias.data is not None
        image = convolution(
            image,
            weights.data,
            bias.data,
            scales=(float(np.float32(0.05)), weights.scales, float(np.float32(0.05))),
            zero_points=(3, 3),
            stride=(operator.options["stride_h"], operator.options["stride_w"]),
        )
    return image


def check(graph: Graph, folder: Path, options: Options) -> Compiled:
    """Compare the graph's outputs under some options with the definition; return the plan."""
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, folder, options), strict=True):
        assert np.array_equal(output, expected(graph, sample))
    return compile_graph(graph, options)
