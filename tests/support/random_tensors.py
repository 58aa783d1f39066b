"""Tensors of random graphs: their shapes' elements, quantisations and guesses of their values.

All choices come from one function that returns an integer of a range, so that a seed or Hypothesis
may make them; weights come from a generator that is seeded by one such choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from support.tflite_builder import Builder
from support.tflite_builder import Value as Tensor


@dataclass(frozen=True)
class Value(Tensor):
    """A tensor with a guess of the mean and deviation of its real values.

    Without it most graphs would end in saturated codes, which tell nothing.
    """

    mean: float = 0.0
    deviation: float = 0.0


Choose = Callable[[int, int], int]
"""Returns an integer from the first to the last, both included."""


def _value(tensor: Tensor, mean: float, deviation: float) -> Value:
    known = {field.name: getattr(tensor, field.name) for field in fields(Tensor)}
    return Value(**known, mean=mean, deviation=deviation)


class Tensors:
    """A graph in the making.

    Attributes:
        dtype: type of all codes.
        fine: how many codes there are for one of int8.
        builder: of the file.
        made: tensors that later operators may read again.
    """

    dtype: np.dtype[Any] = np.dtype(np.int8)
    fine = 1

    def __init__(self, choose: Choose) -> None:
        self.choose = choose
        self.rng = np.random.default_rng(choose(0, 2**16))
        self.builder = Builder()
        self.made: list[Value] = []

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest code."""
        return int(np.iinfo(self.dtype).min), int(np.iinfo(self.dtype).max)

    def one_of(self, values: Sequence[Any]) -> Any:
        return values[self.choose(0, len(values) - 1)]

    def chance(self, of: int) -> bool:
        return self.choose(1, of) == 1

    def scale(self) -> float:
        if self.chance(20):
            return float(10.0 ** self.choose(-6, 3)) / self.fine
        return float(0.002 * 1.37 ** self.choose(0, 20)) / self.fine

    def zero_point(self) -> int:
        return int(self.one_of((-128, 127, 0, self.choose(-128, 127), self.choose(-128, 127))))

    def gain(self) -> float:
        """How much wider than its values the range of an output is."""
        if self.chance(25):
            return float(self.one_of((0.004, 0.05, 20.0, 300.0)))
        return float(self.one_of((0.5, 1.0, 1.3, 2.0)))

    def fused(self, y: Value) -> str:
        """Choose an activation of an output that leaves some of its values apart, mostly."""
        names = ["NONE", "NONE", "RELU"]
        if 0.2 < y.deviation < 20.0 or self.chance(10):
            names += ["RELU6", "RELU_N1_TO_1"]
        return str(self.one_of(names))

    def activation(
        self,
        shape: Sequence[int],
        scale: float,
        zero_point: int,
        mean: float | None = None,
        deviation: float | None = None,
    ) -> Value:
        tensor = self.builder.activation(shape, scale, zero_point, self.dtype.name.upper())
        middle = -zero_point * scale if mean is None else mean
        spread = 50.0 * self.fine * scale
        return _value(tensor, middle, spread if deviation is None else deviation)

    def result(self, shape: Sequence[int], mean: float, deviation: float) -> Value:
        """Return an output whose range suits values of this mean and deviation."""
        scale = float(np.clip(deviation * self.gain() / (40.0 * self.fine), 1e-9, 1e9))
        zero_point = self.fitting_zero_point(mean / scale)
        return self.activation(shape, scale, zero_point, mean, deviation)

    def fitting_zero_point(self, middle: float) -> int:
        """Return a zero point for codes around a middle, as if it were 0."""
        if self.chance(12):
            return self.zero_point()
        return int(np.clip(round(-middle), -128, 127))

    def numbered(self, shape: Sequence[int]) -> Value:
        """Return an output of int32 numbers, such as places."""
        return _value(self.builder._tensor(tuple(shape), "INT32", None, [], []), 0.0, 0.0)

    def moved(self, x: Value, shape: Sequence[int]) -> Value:
        """Return an output with the quantisation of its input."""
        return self.activation(shape, x.scale, x.zero_point, x.mean, x.deviation)

    def constant(
        self, shape: Sequence[int], scale: float, zero_point: int, middle: int | None = None
    ) -> Value:
        low, high = self.limits
        data = self.rng.integers(low, high + 1, shape).astype(self.dtype)
        if middle is not None:
            data = np.clip(data / 3 + middle, low, high).astype(self.dtype)
        tensor = self.builder.constant(data, [scale], [zero_point])
        real = (data.astype(float) - zero_point) * scale
        return _value(tensor, float(real.mean()), float(real.std()) + scale)

    def emit(
        self, name: str, inputs: Sequence[Value | None], output: Value, **options: Any
    ) -> Value:
        self.builder.operator(name, inputs, [output], **options)
        return output

    def numbers(self, *values: int) -> Value:
        return self.builder.constant(np.array(values, np.int32))

    def codes(self, shape: Sequence[int]) -> np.ndarray:
        if self.chance(8):
            return self.rng.choice(np.array([-127, 127], np.int8), shape)
        return np.clip(self.rng.normal(0, 50, shape), -127, 127).astype(np.int8)
