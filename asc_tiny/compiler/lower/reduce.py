"""Lowers means and sums over any axes that are neighbours.

Source of the arithmetic: TFLite Micro, QuantizedMeanOrSum in kernels/internal/reference/reduce.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from asc_tiny.compiler.ir import Rows, Stage, Storage, View
from asc_tiny.compiler.lower.context import Lowering, braced
from asc_tiny.compiler.lower.requantization import INT32_MAX, mean_multiplier, multiplier


@dataclass(frozen=True)
class _Groups:
    """An input as (outer, count, inner): ``count`` values become one."""

    outer: int
    count: int
    inner: int

    def fields(self) -> dict[str, str]:
        """Return the members that kernels have in common, as C text."""
        return {"outer": str(self.outer), "count": str(self.count), "inner": str(self.inner)}


def lower_mean(to: Lowering) -> list[Stage]:
    """MEAN over axes that are neighbours."""
    groups = _groups(to)
    return _reduce(to, groups, mean_multiplier(_scale(to), groups.count))


def lower_sum(to: Lowering) -> list[Stage]:
    """SUM over axes that are neighbours."""
    return _reduce(to, _groups(to), multiplier(_scale(to)))


def lower_reduce_max(to: Lowering) -> list[Stage]:
    """REDUCE_MAX over axes that are neighbours."""
    to.same_quantization(to.input(0), to.output)
    groups, source = _groups(to), to.view(to.input(0))
    if groups.outer == 1:
        # Rows are compared as they come.
        source = _rows_of(to, groups, source)
        target = to.reshaped_output(to.view(to.output), 1, groups.inner)
        loops = _Groups(1, source.row_size // groups.inner, groups.inner)
        runs = source.rows
    else:
        source, target, loops = _within_rows(to, groups, source)
        runs = target.rows
    fields = {**loops.fields(), "accumulates": str(int(runs != target.rows))}
    inputs = [Rows(source)]
    return [to.stage("asc_reduce_max", fields, inputs=inputs, output=target, runs=runs)]


def _scale(to: Lowering) -> float:
    return to.quantization(to.input(0))[0] / to.quantization(to.output)[0]


def _axes(to: Lowering) -> set[int]:
    """Return the axes that have more than one element, or any one if none has."""
    shape = to.input(0).shape
    axes = {axis % len(shape) for axis in to.integers(1)}
    return {axis for axis in axes if shape[axis] > 1} or set(list(axes)[:1])


def _groups(to: Lowering) -> _Groups:
    shape, axes = to.input(0).shape, _axes(to)
    if not axes:
        to.fail("reduces no axis")
    first, last = min(axes), max(axes)
    if any(shape[axis] > 1 for axis in range(first, last) if axis not in axes):
        to.fail(f"over axes {sorted(axes)}, which are not neighbours; reduce one after the other")
    groups = _Groups(
        math.prod(shape[:first]), math.prod(shape[first : last + 1]), math.prod(shape[last + 1 :])
    )
    if to.output.size != groups.outer * groups.inner:
        to.fail(f"{list(shape)} into {to.output.size} outputs")
    return groups


def _reduce(to: Lowering, groups: _Groups, factor: tuple[int, int]) -> list[Stage]:
    if (256 * groups.count) << max(factor[1], 0) > INT32_MAX:
        to.fail("the output's scale is too small for its input")
    source = to.view(to.input(0))
    if groups.outer == 1:
        return _by_rows(to, groups, factor, source)
    source, target, loops = _within_rows(to, groups, source)
    fields = {**loops.fields(), "mean": braced(_mean_fields(to, groups, factor))}
    return [to.stage("asc_reduce", fields, inputs=[Rows(source)], output=target)]


def _within_rows(to: Lowering, groups: _Groups, source: View) -> tuple[View, View, _Groups]:
    """Return input, output and the groups of a row, where each row becomes one, or all is one."""
    target, rows = to.view(to.output), source.rows
    if groups.outer % rows or target.rows != rows:
        target = to.reshaped_output(target, 1, to.output.size)
        source, rows = to.reshaped(source, 1, to.input(0).size), 1
    return source, target, _Groups(groups.outer // rows, groups.count, groups.inner)


def _rows_of(to: Lowering, groups: _Groups, source: View) -> View:
    """Return the input in rows that hold whole groups."""
    if source.row_size % groups.inner:
        return to.reshaped(source, 1, to.input(0).size)
    return source


def _by_rows(to: Lowering, groups: _Groups, factor: tuple[int, int], source: View) -> list[Stage]:
    """Add up rows as they come."""
    sums = View.of(Storage(f"sums{to.operator.index}", 1, 4 * groups.inner))
    source = _rows_of(to, groups, source)
    columns = {"width": str(source.row_size // groups.inner), "channels": str(groups.inner)}
    target = to.reshaped_output(to.view(to.output), 1, groups.inner)
    return [
        to.stage(
            "asc_sum",
            columns,
            inputs=[Rows(source)],
            output=sums,
            runs=source.rows,
            suffix="_sum",
        ),
        to.stage(
            "asc_mean",
            _mean_fields(to, groups, factor),
            inputs=[Rows(sums)],
            output=target,
            runs=1,
        ),
    ]


def _mean_fields(to: Lowering, groups: _Groups, factor: tuple[int, int]) -> dict[str, str]:
    return {
        "channels": str(groups.inner),
        "offset": str(-to.quantization(to.input(0))[1] * groups.count),
        "multiplier": str(factor[0]),
        "shift": str(factor[1]),
        "range": to.range(),
    }
