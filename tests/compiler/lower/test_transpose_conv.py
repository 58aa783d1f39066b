"""Transposed convolutions against their definition: each pixel adds a window to the output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for
from support.integer_reference import code, rescale

CHANNELS, FILTERS, ZERO, OUT_ZERO = 3, 4, -6, 5


def transposed(
    sample: np.ndarray,
    weights: np.ndarray,
    shape: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
) -> np.ndarray:
    """Return the sums of a transposed convolution, shape (height, width, filters)."""
    kernel = weights.shape[1:3]
    total = np.zeros((*shape, FILTERS), int)
    before = [
        max(0, (n - 1) * s + k - size) // 2 if padding == "SAME" else 0
        for n, s, k, size in zip(sample.shape, stride, kernel, shape, strict=False)
    ]
    for y, x in np.ndindex(*sample.shape[:2]):
        for i, j in np.ndindex(*kernel):
            row, column = y * stride[0] + i - before[0], x * stride[1] + j - before[1]
            if 0 <= row < shape[0] and 0 <= column < shape[1]:
                total[row, column] += weights[:, i, j].astype(int) @ (
                    sample[y, x].astype(int) - ZERO
                )
    return total


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "shape"),
    [
        ((2, 2), (2, 2), "VALID", (10, 8)),
        ((3, 3), (2, 2), "SAME", (10, 8)),
        ((3, 2), (1, 1), "VALID", (7, 5)),
        ((4, 3), (2, 3), "SAME", (10, 12)),
        ((1, 1), (2, 2), "SAME", (10, 8)),
        # Cut, and with the bias alone behind the last window
        ((3, 5), (1, 2), "VALID", (4, 9)),
        ((3, 2), (2, 3), "VALID", (13, 15)),
    ],
)
def test_transposed_convolution(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    shape: tuple[int, int],
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(11)
    weights = random.integers(-127, 128, (FILTERS, *kernel, CHANNELS)).astype(np.int8)
    bias = random.integers(-500, 500, FILTERS).astype(np.int32)
    source, scale, out_scale = (float(np.float32(each)) for each in (0.05, 0.006, 0.08))
    builder = GraphBuilder((1, 5, 4, CHANNELS), source, ZERO)
    size = builder.constant(np.array((1, *shape, FILTERS), np.int32))
    filters = builder.constant(weights, [scale] * FILTERS)
    added = builder.constant(bias, [source * scale] * FILTERS)
    builder.add(
        "TRANSPOSE_CONV",
        (size, filters, 0, added),
        (1, *shape, FILTERS),
        out_scale,
        OUT_ZERO,
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        fused_activation_function="NONE",
    )
    graph = builder.graph()
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        total = transposed(sample, weights, shape, stride, padding) + bias
        wanted = [
            code(rescale(int(each), source * scale / out_scale) + OUT_ZERO)
            for each in total.ravel()
        ]
        assert output.ravel().tolist() == wanted
