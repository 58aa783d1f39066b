"""Random operators that only move codes."""

from __future__ import annotations

import math

import numpy as np

from support.random_tensors import Tensors, Value

MOST_ELEMENTS = 3000


class Movement(Tensors):
    """A graph in the making, with a method for each operator; None where it does not fit."""

    def resize(self, x: Value) -> Value | None:
        size = (self.choose(1, 2 * x.shape[1] + 1), self.choose(1, 2 * x.shape[2] + 1))
        y = self.moved(x, (1, *size, x.shape[3]))
        if math.prod(y.shape) > MOST_ELEMENTS:
            return None
        kind = self.choose(0, 2)
        name = self.one_of(("RESIZE_BILINEAR", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"))
        return self.emit(
            name,
            [x, self.numbers(*size)],
            y,
            alignCorners=kind == 1,
            halfPixelCenters=kind == 2,
        )

    def pad(self, x: Value) -> Value | None:
        if math.prod(x.shape) > 600:
            return None
        amounts = [(0, 0)] + [(self.choose(0, 2), self.choose(0, 2)) for _ in x.shape[1:]]
        y = self.moved(x, [n + sum(a) for n, a in zip(x.shape, amounts, strict=True)])
        inputs = [x, self.builder.constant(np.array(amounts, np.int32))]
        if self.chance(3):
            value = np.array(self.choose(*self.limits), self.dtype).reshape(())
            inputs.append(self.builder.constant(value, [x.scale], [x.zero_point]))
        return self.emit("PADV2" if len(inputs) == 3 else "PAD", inputs, y)

    def concatenation(self, x: Value) -> Value | None:
        axis = self.choose(1, len(x.shape) - 1)
        if math.prod(x.shape) > 1200:
            return None
        others = [
            each
            for each in (*self.made, x)
            if (each.scale, each.zero_point) == (x.scale, x.zero_point)
            and len(each.shape) == len(x.shape)
            and each.shape[:axis] == x.shape[:axis]
            and each.shape[axis + 1 :] == x.shape[axis + 1 :]
        ]
        branch = self.moved(x, x.shape)
        self.emit("MAXIMUM", [x, self.one_of([x, *self.same_codes(x)])], branch)
        fixed = self.constant(x.shape, x.scale, x.zero_point)
        parts = [self.one_of([*others, branch, branch, fixed]) for _ in range(self.choose(1, 2))]
        parts.insert(self.choose(0, len(parts)), x)
        shape = list(x.shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return self.emit("CONCATENATION", parts, self.moved(x, shape), axis=axis)

    def same_codes(self, x: Value) -> list[Value]:
        return [
            each
            for each in self.made
            if (each.shape, each.scale, each.zero_point) == (x.shape, x.scale, x.zero_point)
        ]

    def split(self, x: Value) -> Value | None:
        axis = self.choose(1, len(x.shape) - 1)
        size = x.shape[axis]
        if size < 2:
            return None
        if self.chance(2):
            count = next(n for n in (2, 3, 5, 7, 11, 13, size) if size % n == 0)
            sizes = [size // count] * count
        else:
            first = self.choose(1, size - 1)
            sizes = [first, size - first]
        outputs = [self.moved(x, (*x.shape[:axis], n, *x.shape[axis + 1 :])) for n in sizes]
        if len(set(sizes)) == 1 and self.chance(2):
            inputs = [self.numbers(axis), x]
            self.builder.operator("SPLIT", inputs, outputs, numSplits=len(sizes))
        else:
            inputs = [x, self.numbers(*sizes), self.numbers(axis)]
            self.builder.operator("SPLIT_V", inputs, outputs, numSplits=len(sizes))
        chosen = self.one_of(outputs)
        twins = [each for each in outputs if each.shape == chosen.shape and each != chosen]
        if not twins or self.chance(2):
            return chosen
        # Halves that meet again
        y = self.result(chosen.shape, 2 * x.mean, 1.4 * x.deviation)
        return self.emit("ADD", [chosen, self.one_of(twins)], y)

    def depth_to_space(self, x: Value) -> Value | None:
        _, height, width, channels = x.shape
        block = self.one_of((2, 2, 3))
        if channels % block**2 == 0:
            y = self.moved(x, (1, height * block, width * block, channels // block**2))
            return self.emit("DEPTH_TO_SPACE", [x], y, blockSize=block)
        if height % block or width % block:
            return None
        y = self.moved(x, (1, height // block, width // block, channels * block**2))
        return self.emit("SPACE_TO_DEPTH", [x], y, blockSize=block)

    def pack(self, x: Value) -> Value | None:
        if len(x.shape) > 3 or math.prod(x.shape) > 1200:
            return None
        axis = self.choose(1, len(x.shape))
        parts = [self.one_of([x, *self.same_codes(x)]) for _ in range(self.choose(1, 3))]
        y = self.moved(x, (*x.shape[:axis], len(parts), *x.shape[axis:]))
        return self.emit("PACK", parts, y, valuesCount=len(parts), axis=axis)

    def unpack(self, x: Value) -> Value | None:
        axis = self.choose(1, len(x.shape) - 1)
        if len(x.shape) < 3 or x.shape[axis] > 8:
            return None
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        outputs = [self.moved(x, shape) for _ in range(x.shape[axis])]
        self.builder.operator("UNPACK", [x], outputs, num=len(outputs), axis=axis)
        return self.one_of(outputs)

    def slice(self, x: Value) -> Value:
        begins = [0] + [self.choose(0, size - 1) for size in x.shape[1:]]
        pairs = list(zip(x.shape, begins, strict=True))
        counts = [1] + [self.choose(1, size - begin) for size, begin in pairs[1:]]
        bounds = [self.numbers(*begins), self.numbers(*counts)]
        return self.emit("SLICE", [x, *bounds], self.moved(x, counts))

    def strided_slice(self, x: Value) -> Value:
        bounds, shape, masks = [(0, 1, 1)], [1], {"begin": 0, "end": 0, "shrink": 0}
        for axis, size in enumerate(x.shape[1:], 1):
            begin, end = self.choose(0, size - 1), size
            step = self.one_of((1, 1, 2, -1, -2, 3))
            if self.chance(6) and len(x.shape) - masks["shrink"].bit_count() > 2:
                masks["shrink"] |= 1 << axis
                bounds.append((begin, begin + 1, 1))
                continue
            # An end before the first element can only be left out.
            if step < 0 or self.chance(3):
                masks["end"] |= 1 << axis
            elif self.chance(2):
                end = self.choose(begin + 1, size)
            if self.chance(4):
                masks["begin"] |= 1 << axis
                begin = 0 if step > 0 else size - 1
            taken = range(begin, -1 if step < 0 else end, step)
            shape.append(len(taken))
            bounds.append((begin - size if self.chance(5) else begin, end, step))
        inputs = [x, *(self.numbers(*each) for each in zip(*bounds, strict=True))]
        return self.emit(
            "STRIDED_SLICE",
            inputs,
            self.moved(x, shape),
            beginMask=masks["begin"],
            endMask=masks["end"],
            shrinkAxisMask=masks["shrink"],
        )

    def reshape(self, x: Value) -> Value:
        size = math.prod(x.shape)
        divisor = self.one_of([n for n in range(1, min(size, 40) + 1) if size % n == 0])
        rest = size // divisor
        other = self.one_of([n for n in range(1, min(rest, 40) + 1) if rest % n == 0])
        shape = self.one_of(((1, size), (1, rest // other, other, divisor), (1, rest, divisor)))
        return self.emit("RESHAPE", [x, self.numbers(*shape)], self.moved(x, shape))

    def expand_dims(self, x: Value) -> Value | None:
        if len(x.shape) > 3:
            return None
        axis = self.choose(1, len(x.shape))
        y = self.moved(x, (*x.shape[:axis], 1, *x.shape[axis:]))
        return self.emit("EXPAND_DIMS", [x, self.numbers(axis)], y)

    def squeeze(self, x: Value) -> Value | None:
        axes = [axis for axis, size in enumerate(x.shape) if size == 1 and axis]
        if len(x.shape) < 3 or not axes:
            return None
        axis = self.one_of(axes)
        y = self.moved(x, (*x.shape[:axis], *x.shape[axis + 1 :]))
        return self.emit("SQUEEZE", [x], y, squeezeDims=[axis])

    def transpose(self, x: Value) -> Value:
        order = [0]
        axes = list(range(1, len(x.shape)))
        while axes:
            order.append(axes.pop(self.choose(0, len(axes) - 1)))
        y = self.moved(x, [x.shape[axis] for axis in order])
        return self.emit("TRANSPOSE", [x, self.numbers(*order)], y)
