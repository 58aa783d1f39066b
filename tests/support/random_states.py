"""Random operators that keep values from one inference to the next."""

from __future__ import annotations

import math

import numpy as np

from support.random_movement import MOST_ELEMENTS
from support.random_tensors import Choose, Tensors, Value, _value
from support.recurrent_networks import lstm, svdf

STATE = (
    "accumulated",
    "delayed",
    "handed_on",
    "lstm",
    "svdf",
    "sliding_window",
    "sliding_window_by_slice",
)
"""The methods of ``States`` that add operators."""

_WIDEST = 0.5
"""The largest scale of an LSTM's input, beyond which its sums leave 32 bits."""


class States(Tensors):
    """A graph in the making, with a method for each operator; None where it does not fit.

    Attributes:
        variables: names of the variables so far, each with a value of its shape.
    """

    def __init__(self, choose: Choose) -> None:
        super().__init__(choose)
        self.variables: list[tuple[str, Value]] = []

    def variable(self, like: Value) -> str:
        """Return the name of a new variable for values like this one; it may have a first value."""
        name = f"variable{len(self.variables)}"
        self.variables.append((name, like))
        if self.chance(2):
            self.builder.begin(name, self.rng.integers(-128, 128, like.shape).astype(np.int8))
        return name

    def read(self, name: str, like: Value, shape: tuple[int, ...] | None = None) -> Value:
        y = self.moved(like, shape or like.shape)
        return self.emit("READ_VARIABLE", [self.builder.handle(name)], y)

    def assign(self, name: str, value: Value) -> None:
        self.builder.operator("ASSIGN_VARIABLE", [self.builder.handle(name), value], [])

    def delayed(self, x: Value) -> Value:
        """Keep a value for the next inference, and go on with that of the one before."""
        name = self.variable(x)
        old = self.read(name, x)
        self.assign(name, x)
        if self.chance(2):
            return old
        return self.emit("MAXIMUM", [x, old], self.moved(x, x.shape))

    def accumulated(self, x: Value) -> Value:
        """Read a variable again after it was assigned; nothing may need its first value."""
        name = self.variable(x)
        y = x
        if self.chance(2):
            y = self.emit("MINIMUM", [x, self.read(name, x)], self.moved(x, x.shape))
        self.assign(name, y)
        again = self.read(name, x, (1, math.prod(x.shape)) if self.chance(3) else None)
        return again if self.chance(2) else self.emit("RELU", [again], self.moved(x, again.shape))

    def handed_on(self, x: Value) -> Value | None:
        """Give a variable the value of another, before or after that changes."""
        known = [each for each in self.variables if each[1].shape == x.shape]
        if not known:
            return None
        other, like = self.one_of(known)
        name = self.variable(x)
        old = self.read(name, x)
        self.assign(name, self.read(other, like))
        self.assign(other, old if self.chance(2) else x)
        return self.emit("MAXIMUM", [self.moved_to(old, x), x], self.moved(x, x.shape))

    def moved_to(self, value: Value, x: Value) -> Value:
        return value if self.chance(2) else self.emit("RELU", [value], self.moved(x, value.shape))

    def sliding_window(self, x: Value) -> Value | None:
        """Put what came before in front of a value along an axis, and keep the end of that."""
        axis, kept = 1, self.choose(1, 5)
        whole = (*x.shape[:axis], kept + x.shape[axis], *x.shape[axis + 1 :])
        if math.prod(whole) > MOST_ELEMENTS:
            return None
        name = self.variable(self.moved(x, (*x.shape[:axis], kept, *x.shape[axis + 1 :])))
        like = self.variables[-1][1]
        found = self.moved(x, whole)
        self.emit("CONCATENATION", [self.read(name, like), x], found, axis=axis)
        self.assign(name, self.end_of(found, x.shape[axis], like))
        return found

    def sliding_window_by_slice(self, x: Value) -> Value | None:
        """Keep all of the window, and leave out what is oldest when the next one begins."""
        kept = x.shape[1] + self.choose(1, 4)
        whole = (x.shape[0], kept, *x.shape[2:])
        if math.prod(whole) > MOST_ELEMENTS:
            return None
        like = self.moved(x, whole)
        name = self.variable(like)
        rest = self.moved(x, (x.shape[0], kept - x.shape[1], *x.shape[2:]))
        old = self.end_of(self.read(name, like), x.shape[1], rest)
        found = self.moved(x, whole)
        self.emit("CONCATENATION", [old, x], found, axis=1)
        self.assign(name, found)
        return found

    def end_of(self, value: Value, begin: int, like: Value) -> Value:
        bounds = [0] * len(value.shape)
        bounds[1] = begin
        inputs = [value, self.numbers(*bounds), self.numbers(*like.shape)]
        return self.emit("SLICE", inputs, self.moved(value, like.shape))

    def svdf(self, x: Value) -> Value | None:
        if len(x.shape) != 2:
            return None
        rank, memory = self.choose(1, 3), self.choose(1, 6)
        reach = x.scale * 50.0 * x.shape[1] ** 0.5 * (memory * rank) ** 0.5
        y = svdf(
            self.builder,
            self.rng,
            x,
            units=self.choose(1, 7),
            rank=rank,
            memory=memory,
            dtype=self.one_of(("INT8", "INT16")),
            output_scale=reach / 60.0,
        )
        return _value(y, 0.0, reach)

    def lstm(self, x: Value) -> Value | None:
        if len(x.shape) != 3 or x.scale > _WIDEST:
            return None
        y = lstm(
            self.builder,
            self.rng,
            x,
            units=self.choose(1, 7),
            time_major=self.chance(2),
            clip=float(self.one_of((0.0, 0.5, 3.0))),
            cell_scale=2.0 ** self.choose(-15, -9),
            hidden_zero_point=self.zero_point(),
            weight_scale=0.02 / x.scale**0.5 if x.scale > 1e-3 else 0.02,
        )
        return _value(y, 0.0, 0.3)
