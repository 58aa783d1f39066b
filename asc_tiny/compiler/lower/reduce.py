"""Lowers means, sums and largest values over any axes that are neighbours, and their places.

Source of the arithmetic: TFLite Micro, QuantizedMeanOrSum in kernels/internal/reference/reduce.h.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from asc_tiny.compiler.ir import INT32, Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    ArgMaxParams,
    MeanParams,
    ReduceMaxParams,
    ReduceParams,
    SumParams,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import INT32_MAX, mean_multiplier, multiplier
from asc_tiny.compiler.lower.rule import BY_ROW, SAME, WHOLE, lowering


class _Groups(NamedTuple):
    """An input as (outer, length, inner): ``length`` values become one."""

    outer: int
    length: int
    inner: int


@lowering(
    "MEAN",
    conditions="axes that are neighbours",
    memory=f"{BY_ROW}, into sums if the height goes; {WHOLE} if the height stays but not as rows",
    inputs=(2, 2),
    reads_by_row=True,
)
def lower_mean(ctx: LoweringContext) -> list[Stage]:
    """MEAN over axes that are neighbours."""
    groups = _groups(ctx)
    return _reduce(ctx, groups, mean_multiplier(_scale(ctx), groups.length))


@lowering("SUM", conditions="axes that are neighbours", memory="as MEAN", inputs=(2, 2))
def lower_sum(ctx: LoweringContext) -> list[Stage]:
    """SUM over axes that are neighbours."""
    return _reduce(ctx, _groups(ctx), multiplier(_scale(ctx)))


@lowering(
    "REDUCE_MAX", conditions=f"axes that are neighbours; {SAME}", memory="as MEAN", inputs=(2, 2)
)
def lower_reduce_max(ctx: LoweringContext) -> list[Stage]:
    """REDUCE_MAX over axes that are neighbours."""
    ctx.same_quantization(ctx.input(0), ctx.output)
    groups, source = _groups(ctx), ctx.view(ctx.input(0))
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
    return [ctx.stage("asc_reduce_max", params, inputs=inputs, output=target, runs=runs)]


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
    index_bytes = ctx.output.byte_count // ctx.output.size
    params = ArgMaxParams(outer // rows, shape[axis], inner, sign, index_bytes)
    return [ctx.stage("asc_arg_max", params, inputs=[RowAccess(source)], output=target)]


def _scale(ctx: LoweringContext) -> float:
    return ctx.quantization(ctx.input(0))[0] / ctx.quantization(ctx.output)[0]


def _axes(ctx: LoweringContext) -> set[int]:
    """Return the axes that have more than one element, or any one if none has."""
    shape = ctx.input(0).shape
    axes = {axis % len(shape) for axis in ctx.integers(1)}
    return {axis for axis in axes if shape[axis] > 1} or set(list(axes)[:1])


def _groups(ctx: LoweringContext) -> _Groups:
    shape, axes = ctx.input(0).shape, _axes(ctx)
    if not axes:
        ctx.error("reduces no axis")
    first, last = min(axes), max(axes)
    if any(shape[axis] > 1 for axis in range(first, last) if axis not in axes):
        ctx.error(f"over axes {sorted(axes)}, which are not neighbours; reduce one after the other")
    groups = _Groups(
        math.prod(shape[:first]), math.prod(shape[first : last + 1]), math.prod(shape[last + 1 :])
    )
    if ctx.output.size != groups.outer * groups.inner:
        ctx.error(f"{list(shape)} into {ctx.output.size} outputs")
    return groups


def _reduce(ctx: LoweringContext, groups: _Groups, factor: tuple[int, int]) -> list[Stage]:
    if (256 * groups.length) << max(factor[1], 0) > INT32_MAX:
        ctx.error("the output's scale is too small for its input")
    source = ctx.view(ctx.input(0))
    if groups.outer == 1:
        return _by_rows(ctx, groups, factor, source)
    source, target, loops = _within_rows(ctx, groups, source)
    params = ReduceParams(*loops, mean=_mean(ctx, groups, factor))
    return [ctx.stage("asc_reduce", params, inputs=[RowAccess(source)], output=target)]


def _within_rows(
    ctx: LoweringContext, groups: _Groups, source: BufferView
) -> tuple[BufferView, BufferView, _Groups]:
    """Return input, output and the groups of a row, where each row becomes one, or all is one."""
    target, rows = ctx.view(ctx.output), source.rows
    if groups.outer % rows or target.rows != rows:
        target = ctx.reshaped_output(target, 1, ctx.output.size)
        source, rows = ctx.reshaped(source, 1, ctx.input(0).size), 1
    return source, target, _Groups(groups.outer // rows, groups.length, groups.inner)


def _rows_of(ctx: LoweringContext, groups: _Groups, source: BufferView) -> BufferView:
    """Return the input in rows that hold whole groups."""
    if source.row_bytes % groups.inner:
        return ctx.reshaped(source, 1, ctx.input(0).size)
    return source


def _by_rows(
    ctx: LoweringContext, groups: _Groups, factor: tuple[int, int], source: BufferView
) -> list[Stage]:
    """Add up rows as they come."""
    name = f"sums{ctx.operator.index}"
    sums = BufferView.of(Buffer(name, 1, INT32.itemsize * groups.inner, dtype=INT32))
    source = _rows_of(ctx, groups, source)
    columns = SumParams(width=source.row_elements // groups.inner, channels=groups.inner)
    target = ctx.reshaped_output(ctx.view(ctx.output), 1, groups.inner)
    return [
        ctx.stage(
            "asc_sum",
            columns,
            inputs=[RowAccess(source)],
            output=sums,
            runs=source.rows,
            suffix="_sum",
        ),
        ctx.stage(
            "asc_mean",
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
