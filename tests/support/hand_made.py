"""Quantised networks as graphs that tests write down, without TensorFlow and any file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import KernelParams
from asc_tiny.model.model_file import ModelFile
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


class GraphBuilder:
    """A graph that grows operator by operator; tensors are called by their numbers.

    Args:
        shape: of the input, which is tensor 0.
        scale, zero_point: quantisation of the input.
    """

    def __init__(self, shape: Sequence[int], scale: float = 0.5, zero_point: int = 0) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.input = self._activation(shape, scale, zero_point)

    def constant(self, values: np.ndarray, scales: Sequence[float] = (), axis: int = 0) -> int:
        """Add a constant, of zero point 0 if it has scales, and return its number."""
        return self._tensor(
            values.shape,
            str(values.dtype).upper(),
            tuple(map(_float32, scales)),
            (0,) * len(scales),
            axis,
            values.tobytes(),
        )

    def add(
        self,
        name: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        scale: float = 0.5,
        zero_point: int = 0,
        **options: object,
    ) -> int:
        """Add an operator with one output of this shape and quantisation; return its number."""
        output = self._activation(shape, scale, zero_point)
        self._operator(name, inputs, (output,), options)
        return output

    def graph(self, output: int | None = None) -> Graph:
        """Return the graph; its output is the last tensor if none is named."""
        last = len(self.tensors) - 1 if output is None else output
        return Graph("made.tflite", tuple(self.operators), tuple(self.tensors), (0,), (last,))

    def _activation(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        return self._tensor(tuple(shape), "INT8", (_float32(scale),), (zero_point,))

    def _tensor(
        self,
        shape: tuple[int, ...],
        dtype: str,
        scales: tuple[float, ...],
        zero_points: tuple[int, ...],
        axis: int = 0,
        content: bytes | None = None,
    ) -> int:
        index = len(self.tensors)
        self.tensors.append(
            Tensor(index, f"t{index}", shape, dtype, scales, zero_points, axis, content)
        )
        return index

    def _operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: dict[str, object]
    ) -> None:
        self.operators.append(
            Operator(len(self.operators), name, tuple(inputs), tuple(outputs), options)
        )


def _float32(value: float) -> float:
    """Return what a file holds of a scale."""
    return float(np.float32(value))


def model_of(graph: Graph) -> ModelFile:
    """Return a model with a graph that is in no file."""
    return ModelFile(Path(graph.source), "0" * 64, b"", graph, None, None)


@dataclass(frozen=True)
class _Params(KernelParams):
    """The parameters of a kernel that needs so much scratch memory."""

    bytes: int

    @property
    def scratch_bytes(self) -> int:
        return self.bytes


def stage(
    name: str,
    inputs: Sequence[RowAccess],
    output: BufferView,
    runs: int | None = None,
    scratch: int = 0,
) -> Stage:
    """Return a stage that makes a row in each run, of no kernel: for scheduler and allocator."""
    return Stage(
        operator=None,
        title=name,
        comment=name,
        name=name,
        kernel="none",
        params=_Params(scratch),
        inputs=inputs,
        output=output,
        runs=output.rows if runs is None else runs,
    )


def chain(rows: int, row_bytes: int, *heights: int) -> LoweredGraph:
    """Return layers with windows of these heights, one after the other, all with stride 1."""
    views = [
        BufferView.of(Buffer(f"b{n}", rows, row_bytes, whole=n in (0, len(heights))))
        for n in range(len(heights) + 1)
    ]
    stages = [
        stage(f"s{n}", [RowAccess(views[n], count=height, offset=-(height // 2))], views[n + 1])
        for n, height in enumerate(heights)
    ]
    return LoweredGraph("chain", stages, (views[0],), (views[-1],))
