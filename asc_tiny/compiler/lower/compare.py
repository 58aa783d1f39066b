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


def _comparable(ctx: LoweringContext, operand: Tensor) -> Operand:
    """Return what brings codes to the scale of real numbers; truths stay as they are."""
    if operand.dtype != "INT8":
        return Operand(0, 2**30, 1)
    scale, zero_point = ctx.quantization(operand)
    value, shift = multiplier(scale)
    if shift > 0:
        ctx.error(f"scale {scale:g}, must be below 1 to be compared")
    return Operand(zero_point, value, shift)


_RELATIONS = {
    "EQUAL": Relation.EQUAL,
    "NOT_EQUAL": Relation.LESS | Relation.GREATER,
    "LESS": Relation.LESS,
    "LESS_EQUAL": Relation.LESS | Relation.EQUAL,
    "GREATER": Relation.GREATER,
    "GREATER_EQUAL": Relation.GREATER | Relation.EQUAL,
}
"""The relations of operand 0 to operand 1 for which each operator is true."""


@lowering(
    "LESS",
    "LESS_EQUAL",
    "GREATER",
    "GREATER_EQUAL",
    conditions="as EQUAL",
    types="int8, int32 or int64",
    inputs=(2, 2),
    signatures=_ORDERED,
)
@lowering(
    "NOT_EQUAL",
    conditions="as EQUAL",
    types="int8, int32, int64 or bool",
    inputs=(2, 2),
    signatures=_EQUAL,
)
@lowering(
    "EQUAL",
    conditions=_COMPARED,
    types="int8, int32, int64 or bool",
    inputs=(2, 2),
    signatures=_EQUAL,
)
def lower_comparison(ctx: LoweringContext) -> list[Stage]:
    """All six comparisons, by one kernel."""
    operands = ctx.input(0), ctx.input(1)
    size = operands[0].element_bytes
    inputs, counts, steps, before = broadcast(ctx, operands)
    first, second = ((outer * size, inner * size) for outer, inner in steps)
    scales = [_comparable(ctx, each) for each in operands]
    relations = int(_RELATIONS[ctx.operator.name])
    params = CompareParams(counts, first, second, size, relations, *scales)
    return [*before, ctx.stage("asc_compare", params, inputs=inputs)]
