"""A small quantised network as a graph made by hand, the same on every computer."""

from __future__ import annotations

import numpy as np

from asc_tiny.tflite.graph import Graph, Operator, Tensor

_WINDOW = {"padding": "SAME", "stride_h": 1, "stride_w": 1}


def _activation(index: int, shape: tuple[int, ...], scale: float) -> Tensor:
    return Tensor(index, f"t{index}", shape, "INT8", (scale,), (-128,))


def _constant(index: int, values: np.ndarray, scales: int = 0) -> Tensor:
    dtype = str(values.dtype).upper()
    content = values.tobytes()
    return Tensor(
        index, f"t{index}", values.shape, dtype, (0.01,) * scales, (0,) * scales, 0, content
    )


def small_network() -> Graph:
    """Convolution of odd width, pool, pointwise convolution, mean."""
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape).astype(np.int8)

    convolution = {
        "dilation_h_factor": 1,
        "dilation_w_factor": 1,
        "fused_activation_function": "RELU",
        **_WINDOW,
    }
    pool = {
        "filter_height": 2,
        "filter_width": 2,
        "fused_activation_function": "NONE",
        "padding": "VALID",
        "stride_h": 2,
        "stride_w": 2,
    }
    tensors = (
        _activation(0, (1, 8, 6, 2), 0.05),
        _constant(1, weights(3, 3, 3, 2), 3),
        _constant(2, np.zeros(3, np.int32), 3),
        _activation(3, (1, 8, 6, 3), 0.5),
        _activation(4, (1, 4, 3, 3), 0.5),
        _constant(5, weights(5, 1, 1, 3), 5),
        _constant(6, np.zeros(5, np.int32), 5),
        _activation(7, (1, 4, 3, 5), 1.0),
        _constant(8, np.array([1, 2], np.int32)),
        _activation(9, (1, 5), 0.5),
    )
    operators = (
        Operator(0, "CONV_2D", (0, 1, 2), (3,), convolution),
        Operator(1, "MAX_POOL_2D", (3,), (4,), pool),
        Operator(2, "CONV_2D", (4, 5, 6), (7,), convolution),
        Operator(3, "MEAN", (7, 8), (9,), {"keep_dims": False}),
    )
    return Graph("small.tflite", operators, tensors, (0,), (9,))
