"""Stages for operators that only move values: where each value of an output comes from.

An index map is an array of the output's shape; each element is the number of the input's element
that goes there, or ``NOWHERE`` for a value that fills. NumPy makes it of the numbers of all
elements as the operator makes its output of the values. Nearly all maps are sums of an offset for
each axis, and most of these go through the axes in steps, which needs no tables at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import KernelParams, SliceParams, TakeParams, four
from asc_tiny.compiler.kernel_params.take import MOST_AXES
from asc_tiny.compiler.lower.context import LoweringContext, is_image
from asc_tiny.tflite.graph import Tensor

NOWHERE = -1
"""The place in an index map of a value that fills."""

Indices = NDArray[np.int64]

_SLICE_LOOPS = 4


class _Rows(NamedTuple):
    """Row y of an output comes from row ``y * factor + offset``, by offsets within a row."""

    factor: int
    offset: int
    within: list[Indices]


def numbers(tensor: Tensor) -> Indices:
    """Return the numbers of a tensor's elements in its shape."""
    return np.arange(tensor.size, dtype=np.int64).reshape(tensor.shape)


def lower_index_map(
    ctx: LoweringContext,
    indices: NDArray[Any],
    *,
    source: Tensor | None = None,
    output: Tensor | None = None,
    value: int = 0,
    suffix: str = "",
) -> list[Stage]:
    """Return the stage that makes an output of values of a tensor.

    Args:
        ctx: the operator.
        indices: the index map, of the output's shape.
        source: the tensor, the first input if it is None.
        output: the output, the first one if it is None.
        value: the byte that fills, -128 to 127.
        suffix: what the stage's name has behind the operator's.
    """
    source = ctx.input(0) if source is None else source
    output = ctx.output if output is None else output
    if indices.shape != output.shape:
        ctx.error(f"makes {list(indices.shape)}, the output is {list(output.shape)}")
    unit = output.element_bytes
    offsets = _separated(indices)
    view, target = ctx.view(source), ctx.view(output)
    rows = _rows(source, output, offsets)
    if rows is not None:
        kernel, params = _kernel(ctx, rows.within, unit, value, suffix)
        lines = RowAccess(view, factor=rows.factor, offset=rows.offset)
        return [ctx.stage(kernel, params, inputs=[lines], output=target, suffix=suffix)]
    whole = ctx.reshaped(view, 1, source.byte_count)
    target = ctx.reshaped_output(target, 1, output.byte_count)
    return [moved(ctx, whole, target, indices, value, suffix)]


def moved(
    ctx: LoweringContext,
    source: BufferView,
    target: BufferView,
    indices: NDArray[Any],
    value: int = 0,
    suffix: str = "",
) -> Stage:
    """Return the stage that makes all of a tensor at once of values of another.

    Args:
        ctx: the operator.
        source, target: the two tensors as one row each.
        indices: the index map.
        value: the byte that fills, -128 to 127.
        suffix: what the stage's name has behind the operator's.
    """
    unit = target.buffer.dtype.itemsize
    kernel, params = _kernel(ctx, _separated(indices), unit, value, suffix)
    return ctx.stage(kernel, params, inputs=[RowAccess(source)], output=target, suffix=suffix)


def _separated(indices: Indices) -> list[Indices]:
    """Return an offset for each place of each axis, whose sums are the index map.

    Where there are none, the first axes become one until there are: the map itself in the end.
    """
    for merged in range(max(1, indices.ndim)):
        shape = (-1, *indices.shape[merged + 1 :])
        offsets = _offsets(indices.reshape(shape))
        if offsets is not None:
            return offsets
    raise AssertionError("one axis has an offset for each place")


def _offsets(indices: Indices) -> list[Indices] | None:
    """Return offsets of each axis, ``NOWHERE`` where nothing comes from; None if there are none."""
    known = np.argmax(indices.ravel() >= 0)
    place = np.unravel_index(known, indices.shape)
    base = int(indices[place])
    if base < 0:
        return [np.full(size, NOWHERE, np.int64) for size in indices.shape]
    found = []
    for axis in range(indices.ndim):
        line = indices[tuple(slice(None) if a == axis else place[a] for a in range(indices.ndim))]
        # The smallest of each axis is 0: no sum of them is negative.
        least = int(line[line >= 0].min())
        found.append(np.where(line < 0, NOWHERE, line - least))
        base -= int(indices[place]) - least
    if base < 0:
        return None
    found[0] = np.where(found[0] < 0, NOWHERE, found[0] + base)
    return found if np.array_equal(_summed(found), indices) else None


def _summed(offsets: Sequence[Indices]) -> Indices:
    """Return the index map of offsets of each axis."""
    total = np.zeros((), np.int64)
    for each in offsets:
        line, so_far = each, total[..., None]
        total = np.where((so_far < 0) | (line < 0), NOWHERE, so_far + line)
    return total


def _rows(source: Tensor, output: Tensor, offsets: Sequence[Indices]) -> _Rows | None:
    """Return how each row of the output is made of one row of the source.

    None where one needs values of several, or rows that no factor and offset give.
    """
    if not is_image(source) or not is_image(output) or len(offsets) != 4:
        return None
    (base,), lines, *within = offsets
    row = source.shape[2] * source.shape[3]
    if base < 0 or lines.min() < 0 or (lines % row).any():
        return None
    within[0] = np.where(within[0] < 0, NOWHERE, within[0] + base % row)
    steps = np.unique(np.diff(lines // row))
    if len(steps) > 1 or sum(int(each.max()) for each in within) >= row:
        return None
    return _Rows(int(steps[0]) if len(steps) else 1, int(base + lines[0]) // row, within)


def _kernel(
    ctx: LoweringContext, offsets: Sequence[Indices], unit: int, value: int, suffix: str = ""
) -> tuple[str, KernelParams]:
    """Return the kernel that makes a row, and its parameters."""
    if all(line.max() < 0 for line in offsets):
        # Nothing comes from anywhere: one run that fills.
        offsets, unit = [np.full(1, NOWHERE)], unit * math.prod(map(len, offsets))
    loops = _loops(offsets, unit)
    if loops is not None and len(loops[1]) <= _SLICE_LOOPS:
        begin, steps = loops
        steps = [(1, 0)] * (_SLICE_LOOPS - len(steps)) + steps
        count, step = (four(values) for values in zip(*steps, strict=True))
        return "asc_slice", SliceParams(count=count, begin=begin, step=step)
    size, tables = _runs(offsets, unit)
    if len(tables) > MOST_AXES:
        ctx.error(f"{len(tables)} dimensions, at most {MOST_AXES} are supported")
    return "asc_take", TakeParams(
        axes=len(tables),
        size=size,
        value=value,
        counts=ctx.array(f"counts{suffix}_of", np.array([len(each) for each in tables], np.int32)),
        offsets=ctx.array(f"offsets{suffix}_of", np.concatenate(tables).astype(np.int32)),
    )


def _loops(offsets: Sequence[Indices], unit: int) -> tuple[int, list[tuple[int, int]]] | None:
    """Return first byte, and count and step in bytes of each loop; None if not all have a step."""
    begin, loops = 0, []
    for line in offsets:
        if line.min() < 0:
            return None
        begin += int(line[0]) * unit
        steps = np.unique(np.diff(line))
        if len(steps) > 1:
            return None
        if len(steps) == 1:
            loops.append((len(line), int(steps[0]) * unit))
    if unit > 1:
        loops.append((unit, 1))
    merged: list[tuple[int, int]] = []
    for count, step in loops:
        if merged and merged[-1][1] == count * step:
            merged[-1] = (merged[-1][0] * count, step)
        else:
            merged.append((count, step))
    return begin, merged


def _runs(offsets: Sequence[Indices], unit: int) -> tuple[int, list[Indices]]:
    """Return the bytes that lie side by side in both, and the offsets of the axes before them."""
    tables = [np.where(line < 0, NOWHERE, line * unit) for line in offsets]
    size = unit
    while len(tables) > 1 and np.array_equal(tables[-1], np.arange(len(tables[-1])) * size):
        size *= len(tables.pop())
    tables = [line for line in tables if len(line) > 1 or line[0] != 0] or [np.zeros(1, np.int64)]
    return size, tables
