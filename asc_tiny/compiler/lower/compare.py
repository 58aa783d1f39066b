"""Lowers comparisons of codes by their real numbers, of integers and of truths.

Source: TFLite Micro, ComparisonsPrepare in micro/kernels/comparisons.cc.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import CompareParams, Operand
from asc_tiny.compiler.kernel_params.compare import Relation
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
