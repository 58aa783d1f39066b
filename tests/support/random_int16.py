"""Random graphs of the operators that TensorFlow Lite Micro runs on 16-bit activations (16x8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from support.random_graphs import Maker, random_graph
from support.random_tensors import Choose, Value

_UNIT = 1.0 / 2**15


class Int16Maker(Maker):
    """A random graph of int16 operators; weights are int8, zero points 0."""

    dtype = np.dtype(np.int16)
    fine = 256
    _bias_types: Sequence[Any] = (np.int64,)

    def zero_point(self) -> int:
        return 0

    def middle(self) -> int:
        return 0

    def fitting_zero_point(self, _: float) -> int:
        return 0

    def bias(self, channels: int, scales: Sequence[float]) -> Any:
        dtype = self.one_of(self._bias_types)
        reach = self.one_of((30, 30_000) if dtype == np.int16 else (30, 30_000, 2**26))
        return self.builder.constant(self.rng.integers(-reach, reach, channels, dtype), scales)

    def conv(self, x: Value) -> Value | None:
        self._bias_types = (np.int64, np.int64, np.int32)
        return super().conv(x)

    def dense(self, x: Value) -> Value | None:
        self._bias_types = (np.int64, np.int64, np.int32)
        return super().dense(x)

    def transposed(self, x: Value) -> Value | None:
        self._bias_types = (np.int64, np.int64, np.int16)
        return super().transposed(x)

    def depthwise(self, x: Value) -> Value | None:
        self._bias_types = (np.int64,)
        return super().depthwise(x)

    def weights(
        self, shape: Sequence[int], axis: int, depth: int, source: Value
    ) -> tuple[Any, ...]:
        weights, bias, width = super().weights(shape, axis, depth, source)
        if bias is None and self._bias_types == (np.int64,):
            # The kernel of depthwise convolutions does not look whether there is one.
            bias = self.bias(shape[axis], [source.scale])
        return weights, bias, width

    def place(self, x: Value) -> Value:
        """Add the last operator of a graph: codes of another type."""
        kind = self.one_of(("INT8", "INT32"))
        gain = 1.0 if kind == "INT8" else 1.0 / 2**12
        scale = x.deviation * gain / 40.0
        output = self.builder.activation(x.shape, scale, 0, kind)
        return self.emit("QUANTIZE", [x], Value(**vars(output)))

    def resize(self, x: Value) -> Value | None:
        size = (self.choose(1, 2 * x.shape[1] + 1), self.choose(1, 2 * x.shape[2] + 1))
        y = self.moved(x, (1, *size, x.shape[3]))
        kind = self.choose(0, 2)
        return self.emit(
            "RESIZE_NEAREST_NEIGHBOR",
            [x, self.numbers(*size)],
            y,
            alignCorners=kind == 1,
            halfPixelCenters=kind == 2,
        )

    def squeeze_and_excite(self, x: Value) -> Value | None:
        self._bias_types = (np.int64,)
        return super().squeeze_and_excite(x)

    def logistic(self, x: Value) -> Value:
        return self.emit("LOGISTIC", [x], self.activation(x.shape, _UNIT, 0, 0.5, 0.2))

    def tanh(self, x: Value) -> Value:
        return self.emit("TANH", [x], self.activation(x.shape, _UNIT, 0, 0.0, 0.5))

    def softmax(self, x: Value) -> Value | None:
        share = 1.0 / x.shape[-1]
        y = self.activation(x.shape, _UNIT, 0, share, share)
        return self.emit("SOFTMAX", [x], y, beta=float(self.one_of((1.0, 1.0, 0.5, 2.0))))

    def prelu(self, x: Value) -> Value:
        shape = x.shape[1:-1] if self.chance(4) else (1,) * (len(x.shape) - 2)
        codes = self.rng.integers(-128, 128, (*shape, x.shape[-1])).astype(np.int8)
        scale, zero_point = 0.004 * self.choose(1, 9), self.choose(-128, 127)
        slopes = self.builder.constant(codes, [scale], [zero_point])
        return self.emit("PRELU", [x, slopes], self.rectified(x))

    def quantize(self, x: Value) -> Value:
        """Add another scale, half of the time by way of int8 codes.

        Conversions at the ends of a graph would be left out.
        """
        if self.builder.graph.operators and self.chance(2):
            scale, zero_point = x.deviation / 40.0, self.choose(-128, 127)
            short = self.builder.activation(x.shape, scale, zero_point, "INT8")
            self.emit("QUANTIZE", [x], Value(**vars(short)))
            x = Value(**vars(short), mean=x.mean, deviation=x.deviation)
            return self.relu(self.emit("QUANTIZE", [x], self.result(x.shape, x.mean, x.deviation)))
        return self.emit("QUANTIZE", [x], self.result(x.shape, x.mean, x.deviation))


def mixed_graph(choose: Choose) -> bytes:
    """Return a random graph, in one of four cases of int16 operators."""
    return Int16Maker(choose).graph() if choose(0, 3) == 0 else random_graph(choose)


_NOT_OF_INT16 = (
    "add_n",
    "blocks",
    "broadcast_to",
    "chosen",
    "cumsum",
    "depth_to_space",
    "elu",
    "extreme",
    "filled",
    "gather",
    "gather_nd",
    "hard_swish",
    "l2_norm",
    "log_softmax",
    "looked_up",
    "mirror_pad",
    "quotient",
    "zeros",
)
Int16Maker.any = tuple(name for name in Maker.any if name not in _NOT_OF_INT16)
Int16Maker.image = tuple(name for name in Maker.image if name not in _NOT_OF_INT16)
