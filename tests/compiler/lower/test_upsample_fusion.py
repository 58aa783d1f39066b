"""Resizing that the convolution behind it does by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asc_tiny.compiler.lower.lower_graph import lower_graph
from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for
from support.integer_reference import convolution


def test_a_convolution_repeats_pixels_itself(tmp_path: Path) -> None:
    """Nearest resizing before a convolution: no resized row exists."""
    random = np.random.default_rng(3)
    builder = GraphBuilder((1, 5, 6, 4), 0.05, 3)
    resized = builder.add(
        "RESIZE_NEAREST_NEIGHBOR",
        (0, builder.constant(np.array([10, 12], np.int32))),
        (1, 10, 12, 4),
        0.05,
        3,
        align_corners=False,
        half_pixel_centers=False,
    )
    weights = random.integers(-127, 128, (4, 3, 3, 4)).astype(np.int8)
    bias = random.integers(-99, 99, 4).astype(np.int32)
    constants = (builder.constant(weights, [0.01] * 4), builder.constant(bias, [0.0005] * 4))
    builder.add(
        "CONV_2D",
        (resized, *constants),
        (1, 10, 12, 4),
        0.05,
        3,
        padding="SAME",
        stride_h=1,
        stride_w=1,
        dilation_h_factor=1,
        dilation_w_factor=1,
        fused_activation_function="NONE",
    )
    graph = builder.graph()
    assert len(lower_graph(graph).stages) == 1
    samples = samples_for(graph)
    scale = float(np.float32(0.05))
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        wanted = convolution(
            sample.repeat(2, axis=0).repeat(2, axis=1),
            weights,
            bias,
            scales=(scale, [float(np.float32(0.01))] * 4, scale),
            zero_points=(3, 3),
        )
        assert np.array_equal(output, wanted)
