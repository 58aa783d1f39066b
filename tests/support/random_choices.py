"""Random comparisons, choices, and places that are computed, from codes to codes again."""

from __future__ import annotations

import math

from support.random_tensors import Tensors, Value, _value

COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")


class Choices(Tensors):
    """A graph in the making, with a method for each operator; None where it does not fit."""

    def plain(self, shape: tuple[int, ...], dtype: str) -> Value:
        """Return an output of truths or integers, which has no scale."""
        return _value(self.builder._tensor(tuple(shape), dtype, None, [], []), 0.0, 0.0)

    def truths(self, x: Value) -> Value | None:
        if x.scale >= 1.0:
            return None
        other = self.constant(
            [1 if self.chance(2) else n for n in x.shape],
            min(x.scale * self.one_of((0.5, 1.0, 2.0)), 0.99),
            x.zero_point,
        )
        pair = [x, other] if self.chance(2) else [other, x]
        return self.emit(self.one_of(COMPARISONS), pair, self.plain(x.shape, "BOOL"))

    def chosen(self, x: Value) -> Value | None:
        """What comparisons choose of a tensor and a constant."""
        condition = self.truths(x)
        if condition is None:
            return None
        if self.chance(2):
            other = self.truths(x)
            assert other is not None
            name = self.one_of(("LOGICAL_AND", "LOGICAL_OR"))
            condition = self.emit(name, [condition, other], self.plain(x.shape, "BOOL"))
        if self.chance(3):
            condition = self.emit("LOGICAL_NOT", [condition], self.plain(x.shape, "BOOL"))
        if self.chance(4):
            if self.chance(2):
                condition = self.emit("CAST", [condition], self.plain(x.shape, "FLOAT32"))
            return self.emit("CAST", [condition], self.moved(x, x.shape))
        other = self.constant([1 if self.chance(2) else n for n in x.shape], x.scale, x.zero_point)
        pair = [x, other] if self.chance(2) else [other, x]
        return self.emit("SELECT_V2", [condition, *pair], self.moved(x, x.shape))

    def looked_up(self, x: Value) -> Value:
        """What lies where the largest or the smallest values are."""
        axis = self.choose(1, len(x.shape) - 1)
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        name = self.one_of(("ARG_MAX", "ARG_MIN"))
        stated = self.numbers(axis if self.chance(2) else axis - len(x.shape))
        places = self.emit(name, [x, stated], self.plain(shape, "INT32"), outputType="INT32")
        if self.chance(3):
            # Plus and minus the same
            one = self.numbers(self.choose(-5, 5))
            moved = self.emit("ADD", [places, one], self.plain(shape, "INT32"))
            places = self.emit("SUB", [moved, one], self.plain(shape, "INT32"))
        width = self.choose(1, 3)
        table = self.constant((x.shape[axis], width), x.scale, x.zero_point)
        return self.emit("GATHER", [table, places], self.moved(x, (*shape, width)), axis=0)

    def zeros(self, x: Value) -> Value:
        nothing = self.emit("ZEROS_LIKE", [x], self.moved(x, x.shape))
        return self.emit(self.one_of(("MAXIMUM", "MINIMUM")), [x, nothing], self.moved(x, x.shape))

    def filled(self, x: Value) -> Value | None:
        if math.prod(x.shape) > 600:
            return None
        axes = self.numbers(*range(len(x.shape)))
        largest = self.emit("REDUCE_MAX", [x, axes], self.moved(x, ()), keepDims=False)
        full = self.emit("FILL", [self.numbers(*x.shape), largest], self.moved(x, x.shape))
        y = self.result(x.shape, 0.0, 2 * x.deviation)
        return self.emit("SUB", [full, x], y)
