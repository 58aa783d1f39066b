"""Lowers comparisons, SELECT, and CAST.

Source: TFLite Micro, ComparisonsPrepare in micro/kernels/comparisons.cc, and select.cc and cast.cc
beside it. It has no SELECT but SELECT_V2; the other is as that of TensorFlow Lite.
"""

from __future__ import annotations

import itertools

import numpy as np

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    CastParams,
    CompareParams,
    LookupParams,
    Operand,
    SelectParams,
)
from asc_tiny.compiler.kernel_params.choice import Relation
from asc_tiny.compiler.lower.broadcast import broadcast
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import multiplier
from asc_tiny.compiler.lower.rule import BROADCAST, lowering
from asc_tiny.tflite.graph import Tensor

_ORDERED = ("INT8 -> BOOL", "INT32 -> BOOL", "INT64 -> BOOL")
_EQUAL = (*_ORDERED, "BOOL -> BOOL")
_COMPARED = f"{BROADCAST}; codes by the real numbers, with 8 more bits"


def _compare(ctx: LoweringContext, relations: Relation) -> list[Stage]:
    operands = ctx.input(0), ctx.input(1)
    size = operands[0].element_bytes
    inputs, counts, steps, before = broadcast(ctx, operands)
    first, second = ((outer * size, inner * size) for outer, inner in steps)
    scales = [_comparable(ctx, each) for each in operands]
    params = CompareParams(counts, first, second, size, int(relations), *scales)
    return [*before, ctx.stage("asc_compare", params, inputs=inputs)]


def _comparable(ctx: LoweringContext, operand: Tensor) -> Operand:
    """Return what brings codes to the scale of real numbers; truths stay as they are."""
    if operand.dtype != "INT8":
        return Operand(0, 2**30, 1)
    scale, zero_point = ctx.quantization(operand)
    value, shift = multiplier(scale)
    if shift > 0:
        ctx.error(f"scale {scale:g}, must be below 1 to be compared")
    return Operand(zero_point, value, shift)


@lowering(
    "EQUAL",
    conditions=_COMPARED,
    types="int8, int32, int64 or bool",
    inputs=(2, 2),
    signatures=_EQUAL,
)
def lower_equal(ctx: LoweringContext) -> list[Stage]:
    """EQUAL."""
    return _compare(ctx, Relation.EQUAL)


@lowering(
    "NOT_EQUAL",
    conditions="as EQUAL",
    types="int8, int32, int64 or bool",
    inputs=(2, 2),
    signatures=_EQUAL,
)
def lower_not_equal(ctx: LoweringContext) -> list[Stage]:
    """NOT_EQUAL."""
    return _compare(ctx, Relation.LESS | Relation.GREATER)


@lowering(
    "LESS",
    conditions="as EQUAL",
    types="int8, int32 or int64",
    inputs=(2, 2),
    signatures=_ORDERED,
)
def lower_less(ctx: LoweringContext) -> list[Stage]:
    """LESS."""
    return _compare(ctx, Relation.LESS)


@lowering(
    "LESS_EQUAL",
    conditions="as EQUAL",
    types="int8, int32 or int64",
    inputs=(2, 2),
    signatures=_ORDERED,
)
def lower_less_equal(ctx: LoweringContext) -> list[Stage]:
    """LESS_EQUAL."""
    return _compare(ctx, Relation.LESS | Relation.EQUAL)


@lowering(
    "GREATER",
    conditions="as EQUAL",
    types="int8, int32 or int64",
    inputs=(2, 2),
    signatures=_ORDERED,
)
def lower_greater(ctx: LoweringContext) -> list[Stage]:
    """GREATER."""
    return _compare(ctx, Relation.GREATER)


@lowering(
    "GREATER_EQUAL",
    conditions="as EQUAL",
    types="int8, int32 or int64",
    inputs=(2, 2),
    signatures=_ORDERED,
)
def lower_greater_equal(ctx: LoweringContext) -> list[Stage]:
    """GREATER_EQUAL."""
    return _compare(ctx, Relation.GREATER | Relation.EQUAL)


@lowering(
    "LOGICAL_NOT", conditions="a table of 256 bytes", types="bool", signatures=("BOOL -> BOOL",)
)
def lower_logical_not(ctx: LoweringContext) -> list[Stage]:
    """LOGICAL_NOT: a function of one byte."""
    table = ctx.shared_array("table", (np.arange(-128, 128) == 0).astype(np.int8))
    params = LookupParams(size=ctx.view(ctx.output).row_elements, table=table)
    return [ctx.stage("asc_lookup", params, inputs=[ctx.like_output(ctx.input(0))])]


_CHOSEN = ("INT8", "INT16", "INT32", "INT64", "BOOL", "FLOAT32")
_SELECTED = tuple(f"BOOL {dtype} {dtype} -> {dtype}" for dtype in _CHOSEN)


@lowering(
    "SELECT_V2",
    conditions=f"{BROADCAST}; values as they are, whatever the scales",
    types="bool, then int8, int16, int32, int64, bool or float32",
    inputs=(3, 3),
    signatures=_SELECTED,
)
def lower_select_v2(ctx: LoweringContext) -> list[Stage]:
    """SELECT_V2, whose three operands may be broadcast."""
    size = ctx.output.element_bytes
    operands = [ctx.input(number) for number in range(3)]
    inputs, counts, steps, before = broadcast(ctx, operands)
    condition, *values = steps
    first, second = ((outer * size, inner * size) for outer, inner in values)
    params = SelectParams(counts, condition, first, second, size)
    return [*before, ctx.stage("asc_select", params, inputs=inputs)]


@lowering(
    "SELECT",
    conditions="a condition of the shape of the values, of one value, or one for each of the first "
    "axis; as TensorFlow Lite has it, since TensorFlow Lite Micro has none",
    types="as SELECT_V2",
    inputs=(3, 3),
    signatures=_SELECTED,
)
def lower_select(ctx: LoweringContext) -> list[Stage]:
    """SELECT: by value, or by parts along the first axis."""
    output, condition = ctx.output, ctx.input(0)
    size = output.element_bytes
    if any(ctx.input(number).shape != output.shape for number in (1, 2)):
        ctx.error(f"operands of other shapes than the output {list(output.shape)}")
    if condition.shape == output.shape:
        return lower_select_v2(ctx)
    if condition.size not in (1, *output.shape[:1]) or len(condition.shape) > 1:
        ctx.error(f"condition {list(condition.shape)} for {list(output.shape)}")
    inner = output.size // condition.size
    views = [
        ctx.reshaped(ctx.view(each), 1, each.byte_count)
        for each in (condition, ctx.input(1), ctx.input(2))
    ]
    step = inner * size, size
    params = SelectParams((condition.size, inner), (1, 0), step, step, size)
    target = ctx.reshaped_output(ctx.view(output), 1, output.byte_count)
    inputs = [RowAccess(view) for view in views]
    return [ctx.stage("asc_select", params, inputs=inputs, output=target)]


_CAST = ("BOOL", "FLOAT32", "INT8", "INT16", "INT32", "INT64")


@lowering(
    "CAST",
    conditions=(
        "codes as integers, whatever the scales; the lower bits of what is too large, the nearest "
        "integer of a floating-point number that is"
    ),
    types="int8, int16, int32, int64, bool or float32 to any of them",
    signatures=tuple(f"{one} -> {other}" for one, other in itertools.product(_CAST, _CAST)),
)
def lower_cast(ctx: LoweringContext) -> list[Stage]:
    """CAST of integers and floating-point numbers."""
    source, output = ctx.input(0), ctx.output
    if source.shape != output.shape:
        ctx.error(f"shape {list(source.shape)} into {list(output.shape)}")
    params = CastParams(
        size=ctx.view(output).row_elements,
        source=source.element_bytes,
        target=output.element_bytes,
        is_truth=int(output.dtype == "BOOL"),
    )
    view, target = ctx.view(source), ctx.view(output)
    rows = ctx.reshaped(view, target.rows, source.byte_count // target.rows)
    return [ctx.stage(_cast_kernel(source.dtype, output.dtype), params, inputs=[RowAccess(rows)])]


def _cast_kernel(source: str, target: str) -> str:
    if source != target and "FLOAT32" in (source, target):
        return "asc_cast_from_float" if source == "FLOAT32" else "asc_cast_to_float"
    return "asc_cast"
