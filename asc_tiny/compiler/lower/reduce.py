"""Lowers means, sums, largest and smallest values over any axes, and their places.

Source of the arithmetic: TFLite Micro, QuantizedMeanOrSum in kernels/internal/reference/reduce.h.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from asc_tiny.compiler.ir import INT32, Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    ArgMaxParams,
    MeanParams,
    ReduceMaxParams,
    ReduceParams,
    SumParams,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.index_map import NOWHERE, lower_index_map, moved, numbers
from asc_tiny.compiler.lower.requantization import INT32_MAX, mean_multiplier, multiplier
from asc_tiny.compiler.lower.rule import BY_ROW, EITHER, SAME, WHOLE, lowering


class _Groups(NamedTuple):
    """An input as (outer, length, inner): ``length`` values become one."""

    outer: int
    length: int
    inner: int


class _Grouped(NamedTuple):
    """What is reduced: its groups, where it lies, and the stages that brought its axes together."""

    groups: _Groups
    source: BufferView
    before: list[Stage]


@lowering(
    "MEAN",
    conditions="any axes; 0 of codes without a scale, as TensorFlow Lite Micro has it",
    memory=(
        f"{BY_ROW}, into sums if the height goes; {WHOLE} if the height stays but not as rows, or "
        "over axes that are not neighbours"
    ),
    inputs=(2, 2),
    reads_by_row=True,
    signatures=EITHER,
)
def lower_mean(ctx: LoweringContext) -> list[Stage]:
    """MEAN over any axes."""
    if not ctx.input(0).scales and not ctx.output.scales:
        # The quotient of no scales is no number, of which a multiplier of 0 is made.
        return lower_index_map(ctx, np.full(ctx.output.shape, NOWHERE, np.int64))
    grouped = _grouped(ctx)
    return _reduce(ctx, grouped, mean_multiplier(_scale(ctx), grouped.groups.length))


@lowering("SUM", conditions="any axes", memory="as MEAN", inputs=(2, 2), signatures=EITHER)
def lower_sum(ctx: LoweringContext) -> list[Stage]:
    """SUM over any axes."""
    return _reduce(ctx, _grouped(ctx), multiplier(_scale(ctx)))


@lowering("REDUCE_MAX", conditions=f"any axes; {SAME}", memory="as MEAN", inputs=(2, 2))
def lower_reduce_max(ctx: LoweringContext) -> list[Stage]:
    """REDUCE_MAX over any axes."""
    return _extreme(ctx, "asc_reduce_max")


@lowering("REDUCE_MIN", conditions=f"any axes; {SAME}", memory="as MEAN", inputs=(2, 2))
def lower_reduce_min(ctx: LoweringContext) -> list[Stage]:
    """REDUCE_MIN over any axes."""
    return _extreme(ctx, "asc_reduce_min")


def _extreme(ctx: LoweringContext, kernel: str) -> list[Stage]:
    ctx.same_quantization(ctx.input(0), ctx.output)
    groups, source, before = _grouped(ctx)
    if groups.outer == 1:
        # Rows are compared as they come.
        source = _rows_of(ctx, groups, source)
        target = ctx.reshaped_output(ctx.view(ctx.output), 1, groups.inner)
        loops = _Groups(1, source.row_bytes // groups.inner, groups.inner)
        runs = source.rows
    else:
        source, target, loops = _within_rows(ctx, groups, source)
        runs = target.rows
    params = ReduceMaxParams(*loops, accumulates=int(runs != target.rows))
    inputs = [RowAccess(source)]
    return [*before, ctx.stage(kernel, params, inputs=inputs, output=target, runs=runs)]


@lowering(
    "ARG_MAX",
    conditions="any axis; of equal values the first counts",
    memory=f"{BY_ROW} along width or channels, else the {WHOLE}",
    types="int8, output int32 or int64",
    inputs=(2, 2),
    signatures=("INT8 -> INT32", "INT8 -> INT64"),
)
def lower_arg_max(ctx: LoweringContext) -> list[Stage]:
    """ARG_MAX over one axis."""
    return _arg_max(ctx, 1)


@lowering(
    "ARG_MIN",
    conditions="as ARG_MAX",
    memory="as ARG_MAX",
    types="int8, output int32 or int64",
    inputs=(2, 2),
    signatures=("INT8 -> INT32", "INT8 -> INT64"),
)
def lower_arg_min(ctx: LoweringContext) -> list[Stage]:
    """ARG_MIN over one axis."""
    return _arg_max(ctx, -1)


def _arg_max(ctx: LoweringContext, sign: int) -> list[Stage]:
    (axis,) = ctx.integers(1, 1)
    shape = ctx.input(0).shape
    axis %= len(shape)
    outer, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    if ctx.output.size != outer * inner:
        ctx.error(f"{list(shape)} into {ctx.output.size} outputs")
    source, target = ctx.view(ctx.input(0)), ctx.view(ctx.output)
    # Rows in which all values of a place are: those of an image, or one of all.
    rows = source.rows if outer % source.rows == 0 else 1
    source = ctx.reshaped(source, rows, ctx.input(0).size // rows)
    target = ctx.reshaped_output(target, rows, ctx.output.byte_count // rows)
    index_bytes = ctx.output.element_bytes
    params = ArgMaxParams(outer // rows, shape[axis], inner, sign, index_bytes)
    return [ctx.stage("asc_arg_max", params, inputs=[RowAccess(source)], output=target)]


def _scale(ctx: LoweringContext) -> float:
    return ctx.quantization(ctx.input(0))[0] / ctx.quantization(ctx.output)[0]


def _axes(ctx: LoweringContext) -> set[int]:
    """Return the axes that have more than one element, or any one if none has."""
    shape = ctx.input(0).shape
    axes = {axis % len(shape) for axis in ctx.integers(1)}
    return {axis for axis in axes if shape[axis] > 1} or set(list(axes)[:1])


def _grouped(ctx: LoweringContext) -> _Grouped:
    """Return the input as groups, copied with the axes that go behind the others if need be."""
    shape, axes = ctx.input(0).shape, _axes(ctx)
    if not axes:
        ctx.error("reduces no axis")
    first, last = min(axes), max(axes)
    source = ctx.view(ctx.input(0))
    before: list[Stage] = []
    if any(shape[axis] > 1 for axis in range(first, last) if axis not in axes):
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        source, before = _reordered(ctx, [*kept, *sorted(axes)])
        length = math.prod(shape[axis] for axis in axes)
        groups = _Groups(math.prod(shape) // length, length, 1)
    else:
        groups = _Groups(
            math.prod(shape[:first]),
            math.prod(shape[first : last + 1]),
            math.prod(shape[last + 1 :]),
        )
    if ctx.output.size != groups.outer * groups.inner:
        ctx.error(f"{list(shape)} into {ctx.output.size} outputs")
    return _Grouped(groups, source, before)


def _reordered(ctx: LoweringContext, order: list[int]) -> tuple[BufferView, list[Stage]]:
    """Return a copy of the input with its axes in another order, and the stage that makes it."""
    tensor = ctx.input(0)
    source, name = ctx.view(tensor), f"reordered{ctx.operator.index}"
    target = BufferView.of(Buffer(name, 1, tensor.byte_count, dtype=source.buffer.dtype))
    whole = ctx.reshaped(source, 1, tensor.byte_count)
    indices = numbers(tensor).transpose(order)
    return target, [moved(ctx, whole, target, indices, suffix="_reordered")]


def _reduce(ctx: LoweringContext, grouped: _Grouped, factor: tuple[int, int]) -> list[Stage]:
    groups, source, before = grouped
    span = 2**15 if ctx.has_int16 else 2**8
    if (span * groups.length) << max(factor[1], 0) > INT32_MAX:
        ctx.error("the output's scale is too small for its input")
    if groups.outer == 1:
        return [*before, *_by_rows(ctx, groups, factor, source)]
    source, target, loops = _within_rows(ctx, groups, source)
    params = ReduceParams(*loops, mean=_mean(ctx, groups, factor))
    stage = ctx.stage(ctx.typed("asc_reduce"), params, inputs=[RowAccess(source)], output=target)
    return [*before, stage]


def _within_rows(
    ctx: LoweringContext, groups: _Groups, source: BufferView
) -> tuple[BufferView, BufferView, _Groups]:
    """Return input, output and the groups of a row, where each row becomes one, or all is one."""
    target, rows = ctx.view(ctx.output), source.rows
    if groups.outer % rows or target.rows != rows:
        target = ctx.reshaped_output(target, 1, ctx.output.byte_count)
        source, rows = ctx.reshaped(source, 1, ctx.input(0).byte_count), 1
    return source, target, _Groups(groups.outer // rows, groups.length, groups.inner)


def _rows_of(ctx: LoweringContext, groups: _Groups, source: BufferView) -> BufferView:
    """Return the input in rows that hold whole groups."""
    if source.row_elements % groups.inner:
        return ctx.reshaped(source, 1, ctx.input(0).byte_count)
    return source


def _by_rows(
    ctx: LoweringContext, groups: _Groups, factor: tuple[int, int], source: BufferView
) -> list[Stage]:
    """Add up rows as they come."""
    name = f"sums{ctx.operator.index}"
    sums = BufferView.of(Buffer(name, 1, INT32.itemsize * groups.inner, dtype=INT32))
    source = _rows_of(ctx, groups, source)
    columns = SumParams(width=source.row_elements // groups.inner, channels=groups.inner)
    target = ctx.reshaped_output(ctx.view(ctx.output), 1, ctx.output.byte_count)
    return [
        ctx.stage(
            ctx.typed("asc_sum"),
            columns,
            inputs=[RowAccess(source)],
            output=sums,
            runs=source.rows,
            suffix="_sum",
        ),
        ctx.stage(
            ctx.typed("asc_mean"),
            _mean(ctx, groups, factor),
            inputs=[RowAccess(sums)],
            output=target,
            runs=1,
        ),
    ]


def _mean(ctx: LoweringContext, groups: _Groups, factor: tuple[int, int]) -> MeanParams:
    return MeanParams(
        channels=groups.inner,
        offset=-ctx.quantization(ctx.input(0))[1] * groups.length,
        multiplier=factor[0],
        shift=factor[1],
        range=ctx.range(),
    )
