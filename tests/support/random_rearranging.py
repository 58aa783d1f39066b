"""Random operators that repeat, reverse, mirror and choose values."""

from __future__ import annotations

import math

import numpy as np

from support.random_movement import MOST_ELEMENTS
from support.random_tensors import Tensors, Value


class Rearranging(Tensors):
    """A graph in the making, with a method for each operator; None where it does not fit."""

    def reverse(self, x: Value) -> Value:
        first = self.choose(1, len(x.shape) - 1)
        axes = range(first, self.choose(first, len(x.shape) - 1) + 1)
        return self.emit("REVERSE_V2", [x, self.numbers(*axes)], self.moved(x, x.shape))

    def broadcast_to(self, x: Value) -> Value | None:
        shape = [self.choose(1, 4) if n == 1 and axis else n for axis, n in enumerate(x.shape)]
        if math.prod(shape) > MOST_ELEMENTS:
            return None
        return self.emit("BROADCAST_TO", [x, self.numbers(*shape)], self.moved(x, shape))

    def mirror_pad(self, x: Value) -> Value | None:
        mode = self.choose(0, 1)
        reach = [0] + [min(3, n - 1 + mode) for n in x.shape[1:]]
        amounts = [(self.choose(0, most), self.choose(0, most)) for most in reach]
        shape = [n + sum(pair) for n, pair in zip(x.shape, amounts, strict=True)]
        if math.prod(shape) > 1500:
            return None
        paddings = self.builder.constant(np.array(amounts, np.int32))
        return self.emit("MIRROR_PAD", [x, paddings], self.moved(x, shape), mode=mode)

    def gather(self, x: Value) -> Value:
        axis = self.choose(1, len(x.shape) - 1)
        places = [self.choose(0, x.shape[axis] - 1) for _ in range(self.choose(1, 6))]
        shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
        stated = axis if self.chance(2) else axis - len(x.shape)
        return self.emit("GATHER", [x, self.numbers(*places)], self.moved(x, shape), axis=stated)

    def gather_nd(self, x: Value) -> Value | None:
        count, depth = self.choose(1, 4), self.choose(2, len(x.shape))
        places = [[self.choose(0, n - 1) for n in x.shape[:depth]] for _ in range(count)]
        indices = self.builder.constant(np.array([places], np.int32))
        y = self.moved(x, (1, count, *x.shape[depth:]))
        return self.emit("GATHER_ND", [x, indices], y)

    def blocks(self, x: Value) -> Value | None:
        """A batch of images, which become one again."""
        _, height, width, channels = x.shape
        block = self.choose(1, 3), self.choose(1, 3)
        if height % block[0] or width % block[1]:
            return None
        sizes = height // block[0], width // block[1]
        batch = math.prod(block)
        inputs = [x, self.numbers(*block), self.pairs((0, 0), (0, 0))]
        between = self.moved(x, (batch, *sizes, channels))
        self.emit("SPACE_TO_BATCH_ND", inputs, between)
        rectified = self.emit("RELU", [between], self.moved(x, between.shape))
        crops = [(self.choose(0, (n - 1) // 2), self.choose(0, (n - 1) // 2)) for n in x.shape[1:3]]
        shape = [n - sum(pair) for n, pair in zip(x.shape[1:3], crops, strict=True)]
        inputs = [rectified, self.numbers(*block), self.pairs(*crops)]
        return self.emit("BATCH_TO_SPACE_ND", inputs, self.moved(x, (1, *shape, channels)))

    def pairs(self, *values: tuple[int, int]) -> Value:
        return self.builder.constant(np.array(values, np.int32))
