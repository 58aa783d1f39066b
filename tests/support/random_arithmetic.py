"""Random operators that compute with one tensor or several, beside those of ``random_graphs``."""

from __future__ import annotations

import math

from support.random_tensors import Tensors, Value


class Arithmetic(Tensors):
    """A graph in the making, with a method for each operator; None where it does not fit."""

    def log_softmax(self, x: Value) -> Value:
        return self.emit("LOG_SOFTMAX", [x], self.activation(x.shape, 1 / 16, 127, -3.0, 2.0))

    def l2_norm(self, x: Value) -> Value:
        return self.emit("L2_NORMALIZATION", [x], self.activation(x.shape, 1 / 128, 0, 0.0, 0.5))

    def cumsum(self, x: Value) -> Value:
        axis = self.choose(1, len(x.shape) - 1)
        count = (x.shape[axis] + 1) / 2
        y = self.result(x.shape, x.mean * count, x.deviation * count)
        stated = self.numbers(axis if self.chance(2) else axis - len(x.shape))
        exclusive, reverse = self.chance(3), self.chance(3)
        return self.emit("CUMSUM", [x, stated], y, exclusive=exclusive, reverse=reverse)

    def add_n(self, x: Value) -> Value:
        alike = (x.shape, x.scale, x.zero_point)
        same = [each for each in self.made if (each.shape, each.scale, each.zero_point) == alike]
        constant = self.constant(x.shape, x.scale, x.zero_point)
        operands = [x, *(self.one_of([x, constant, *same]) for _ in range(self.choose(1, 3)))]
        mean, deviation = sum(each.mean for each in operands), x.deviation * len(operands) ** 0.5
        return self.emit("ADD_N", operands, self.result(x.shape, mean, deviation))

    def quotient(self, x: Value) -> Value:
        shape = [1 if self.chance(2) else n for n in x.shape]
        scale, zero_point = 0.004 * self.choose(1, 30), self.zero_point()
        other = self.constant(shape, scale, zero_point)
        typical = 50.0 * scale
        pair = [x, other] if self.chance(3) or math.prod(shape) < math.prod(x.shape) else [other, x]
        a, b = pair
        size = math.hypot(a.mean, a.deviation) / max(math.hypot(b.mean, b.deviation), typical / 9)
        y = self.result(x.shape, 0.0, size)
        return self.emit("DIV", pair, y, fusedActivationFunction=self.fused(y))

    def squared_difference(self, x: Value) -> Value:
        shape = [1 if self.chance(2) else n for n in x.shape]
        other = self.constant(shape, x.scale * self.one_of((0.3, 1.0, 2.0)), self.zero_point())
        power = (x.mean - other.mean) ** 2 + x.deviation**2 + other.deviation**2
        y = self.result(x.shape, power, power)
        return self.emit("SQUARED_DIFFERENCE", [x, other] if self.chance(2) else [other, x], y)

    def matmul(self, x: Value) -> Value | None:
        """A product with a constant, or of a tensor with itself."""
        *batch, rows, depth = x.shape
        if len(x.shape) < 3 or rows * max(rows, depth) > 400:
            return None
        power = math.hypot(x.mean, x.deviation)
        if self.chance(2):
            adj_x = self.chance(2)
            size, count = (rows, depth) if not adj_x else (depth, rows)
            y = self.result((*batch, size, size), 0.0, power**2 * count)
            return self.emit("BATCH_MATMUL", [x, x], y, adjX=adj_x, adjY=not adj_x)
        columns, adj_x, adj_y = self.choose(1, 5), self.chance(3), self.chance(2)
        size, count = (rows, depth) if not adj_x else (depth, rows)
        own = [1 if self.chance(2) else n for n in batch][self.choose(0, len(batch)) :]
        shape = (*own, columns, count) if adj_y else (*own, count, columns)
        other = self.constant(shape, 0.01 * self.choose(1, 9), self.zero_point())
        spread = power * math.hypot(other.mean, other.deviation) * math.sqrt(count)
        y = self.result((*batch, size, columns), 0.0, spread)
        return self.emit("BATCH_MATMUL", [x, other], y, adjX=adj_x, adjY=adj_y)
