"""Lowers means and sums over any axes that are neighbours.

Source of the arithmetic: TFLite Micro, QuantizedMeanOrSum in kernels/internal/reference/reduce.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from asc_tiny.codegen.compiler.lowering import Lowering, geometry
from asc_tiny.codegen.compiler.program import Rows, Stage, Storage, View
from asc_tiny.codegen.compiler.quantise import INT32_MAX, mean_multiplier, multiplier


@dataclass(frozen=True)
class _Groups:
    """An input as (outer, count, inner): ``count`` values become one."""

    outer: int
    count: int
    inner: int


def lower_mean(to: Lowering) -> list[Stage]:
    """MEAN over axes that are neighbours."""
    groups = _groups(to)
    return _reduce(to, groups, mean_multiplier(_scale(to), groups.count))


def lower_sum(to: Lowering) -> list[Stage]:
    """SUM over axes that are neighbours."""
    return _reduce(to, _groups(to), multiplier(_scale(to)))


def _scale(to: Lowering) -> float:
    return to.quantisation(to.input(0))[0] / to.quantisation(to.output)[0]


def _axes(to: Lowering) -> set[int]:
    """Return the axes that have more than one element, or any one if none has."""
    shape = to.input(0).shape
    axes = {int(axis) % len(shape) for axis in to.constants(1).ravel()}
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
    rows = geometry(to.input(0))[0]
    if groups.outer == 1 and groups.inner > 1:
        return _by_rows(to, groups, factor, source)
    target = to.view(to.output)
    if groups.outer % rows or target.rows != rows:
        # All of it as one row
        target = to.reshaped_output(target, 1, to.output.size)
        source, rows = to.reshaped(source, 1, to.input(0).size), 1
    fields = {
        "outer": str(groups.outer // rows),
        "count": str(groups.count),
        "inner": str(groups.inner),
        "mean": _braced(_mean_fields(to, groups, factor)),
    }
    return [to.stage("asc_reduce", fields, inputs=[Rows(source)], output=target)]


def _by_rows(to: Lowering, groups: _Groups, factor: tuple[int, int], source: View) -> list[Stage]:
    """Add up rows as they come."""
    sums = View.of(Storage(f"sums{to.operator.index}", 1, 4 * groups.inner))
    if source.row_size % groups.inner:
        source = to.reshaped(source, 1, to.input(0).size)
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
        "offset": str(-to.quantisation(to.input(0))[1] * groups.count),
        "multiplier": str(factor[0]),
        "shift": str(factor[1]),
        "range": to.range(),
    }


def _braced(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"
