"""Lowers operators of two tensors element by element, of which either may be broadcast."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import (
    AddParams,
    BinaryParams,
    IntegersParams,
    Operand,
    OutputRange,
)
from asc_tiny.compiler.kernel_params.integers import Operation
from asc_tiny.compiler.lower.broadcast import broadcast
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import multiplier, product_scale, ratio
from asc_tiny.compiler.lower.rule import (
    BROADCAST,
    BY_ROW,
    CODES,
    EITHER,
    FUSED,
    INTEGERS,
    WHOLE,
    lowering,
)

# 255 times 255 shifted further left would leave 32 bits.
_MOST_PRODUCT_SHIFT = 14
_MOST_SHIFT = 22
# 2^15 times 2^15, or times 2^8 of an int8 slope
_MOST_S16_PRODUCT_SHIFT = {"INT16": 0, "INT8": 7}
_MOST_S16_SHIFT = 15
# Dividends have at least 23 bits of headroom, and 63 bits are the most that are shifted away.
_MOST_QUOTIENT_SHIFT = 23


class _Arithmetic(NamedTuple):
    """The quantization of an operator: of its operands, and of sum or product."""

    first: Operand
    second: Operand
    multiplier: int
    shift: int
    range: OutputRange


@lowering(
    "ADD",
    conditions=f"{BROADCAST}; {FUSED}",
    inputs=(2, 2),
    signatures=(*EITHER, *INTEGERS),
)
def lower_add(ctx: LoweringContext) -> list[Stage]:
    """ADD, with or without broadcast, of which one tensor may be constant."""
    if not ctx.has_codes:
        return _integers(ctx, Operation.ADD)
    if ctx.input(0).size == ctx.input(1).size == ctx.output.size and not ctx.has_int16:
        # Sizes that are all equal leave only dimensions of 1 to broadcast.
        inputs = [ctx.like_output(ctx.input(0)), ctx.like_output(ctx.input(1))]
        params = AddParams(ctx.view(ctx.output).row_elements, *_sum(ctx))
        return [ctx.stage("asc_add", params, inputs=inputs)]
    return _binary(ctx, "asc_add" if ctx.has_int16 else "asc_add_broadcast", _sum(ctx))


@lowering(
    "SUB",
    conditions=f"{BROADCAST}; {FUSED}",
    inputs=(2, 2),
    signatures=(*EITHER, *INTEGERS),
)
def lower_sub(ctx: LoweringContext) -> list[Stage]:
    """SUB, with or without broadcast."""
    if not ctx.has_codes:
        return _integers(ctx, Operation.SUB)
    return _binary(ctx, "asc_sub", _sum(ctx))


def _sum(ctx: LoweringContext) -> _Arithmetic:
    """Return the quantization of operators that add."""
    (scale1, zero1), (scale2, zero2) = _quantizations(ctx)
    # Both operands are brought to twice the larger scale, with so many more bits.
    common, bits = 2.0 * max(scale1, scale2), 15 if ctx.has_int16 else 20
    value, shift = multiplier(common / (2**bits * ctx.quantization(ctx.output)[0]))
    if shift > 0:
        ctx.error("the output's scale is too small for its inputs")
    first = Operand(zero1, *multiplier(scale1 / common))
    second = Operand(zero2, *multiplier(scale2 / common))
    return _Arithmetic(first, second, value, shift, ctx.range())


@lowering(
    "MUL",
    conditions=f"{BROADCAST}; {FUSED}",
    memory=f"{BY_ROW}; by a gate that depends on the {WHOLE} (squeeze and excite), the {WHOLE}",
    inputs=(2, 2),
    signatures=(*EITHER, *INTEGERS),
)
def lower_mul(ctx: LoweringContext) -> list[Stage]:
    """MUL, with or without broadcast."""
    if not ctx.has_codes:
        return _integers(ctx, Operation.MUL)
    (scale1, _), (scale2, _) = _quantizations(ctx)
    product = multiplier(scale1 * scale2 / ctx.quantization(ctx.output)[0])
    return _binary(ctx, "asc_mul", _product(ctx, (0, 0), product))


@lowering(
    "DIV",
    conditions=f"{BROADCAST}; {FUSED}; what the division by 0 gives means nothing",
    inputs=(2, 2),
    signatures=("INT8 -> INT8", *INTEGERS),
)
def lower_div(ctx: LoweringContext) -> list[Stage]:
    """DIV of codes."""
    if not ctx.has_codes:
        return _integers(ctx, Operation.DIV)
    (scale1, zero1), (scale2, zero2) = _quantizations(ctx)
    real = ratio(scale1, product_scale(scale2, ctx.quantization(ctx.output)[0]))
    value, shift = multiplier(real)
    if abs(shift) > _MOST_QUOTIENT_SHIFT:
        ctx.error("the scales of inputs and output are too far apart")
    operands = Operand(zero1, 0, 0), Operand(zero2, 0, 0)
    return _binary(ctx, "asc_div", _Arithmetic(*operands, value, shift, ctx.range()))


@lowering(
    "SQUARED_DIFFERENCE",
    conditions=BROADCAST,
    inputs=(2, 2),
    signatures=(*EITHER, *INTEGERS),
)
def lower_squared_difference(ctx: LoweringContext) -> list[Stage]:
    """SQUARED_DIFFERENCE, of operands with 7 more bits than those of int8 have."""
    if not ctx.has_codes:
        return _integers(ctx, Operation.SQUARED_DIFFERENCE)
    (scale1, zero1), (scale2, zero2) = _quantizations(ctx)
    common, bits = 2.0 * max(scale1, scale2), 0 if ctx.has_int16 else 14
    value, shift = multiplier(common * common / (2**bits * ctx.quantization(ctx.output)[0]))
    if shift > 0:
        ctx.error("the output's scale is too small for its inputs")
    first = Operand(zero1, *multiplier(scale1 / common))
    second = Operand(zero2, *multiplier(scale2 / common))
    arithmetic = _Arithmetic(first, second, value, shift, ctx.range())
    return _binary(ctx, "asc_squared_difference", arithmetic)


@lowering(
    "PRELU",
    conditions=BROADCAST,
    inputs=(2, 2),
    signatures=("INT8 -> INT8", "INT16 INT8 -> INT16"),
)
def lower_prelu(ctx: LoweringContext) -> list[Stage]:
    """PRELU with any slopes that can be broadcast."""
    (scale, _), (slope, _) = _quantizations(ctx)
    target = ctx.quantization(ctx.output)[0]
    identity = multiplier(scale / target)
    if identity[1] > (_MOST_S16_SHIFT if ctx.has_int16 else _MOST_SHIFT):
        ctx.error("the output's scale is too small for its input")
    params = _product(ctx, identity, multiplier(scale * slope / target))
    return _binary(ctx, "asc_prelu", params)


def _product(
    ctx: LoweringContext, identity: tuple[int, int], product: tuple[int, int]
) -> _Arithmetic:
    """Return the quantization of operators that multiply; ``identity`` scales the first operand."""
    most = _MOST_PRODUCT_SHIFT
    if ctx.has_int16:
        most = _MOST_S16_PRODUCT_SHIFT[ctx.input(1).dtype]
    if product[1] > most:
        ctx.error("the output's scale is too small for its inputs")
    (_, zero1), (_, zero2) = _quantizations(ctx)
    return _Arithmetic(Operand(zero1, *identity), Operand(zero2, 0, 0), *product, ctx.range())


@lowering(
    "MAXIMUM",
    conditions=f"{BROADCAST}; {CODES}",
    inputs=(2, 2),
    signatures=(*EITHER, *INTEGERS),
)
def lower_maximum(ctx: LoweringContext) -> list[Stage]:
    """MAXIMUM of codes."""
    if not ctx.has_codes:
        return _integers(ctx, Operation.MAXIMUM)
    return _binary(ctx, "asc_maximum", None)


@lowering(
    "MINIMUM",
    conditions=f"{BROADCAST}; {CODES}",
    inputs=(2, 2),
    signatures=(*EITHER, *INTEGERS),
)
def lower_minimum(ctx: LoweringContext) -> list[Stage]:
    """MINIMUM of codes."""
    if not ctx.has_codes:
        return _integers(ctx, Operation.MINIMUM)
    return _binary(ctx, "asc_minimum", None)


def _quantizations(ctx: LoweringContext) -> tuple[tuple[float, int], tuple[float, int]]:
    return ctx.quantization(ctx.input(0)), ctx.quantization(ctx.input(1))


def _binary(ctx: LoweringContext, kernel: str, arithmetic: _Arithmetic | None) -> list[Stage]:
    inputs, counts, (first, second), before = broadcast(ctx, (ctx.input(0), ctx.input(1)))
    params = BinaryParams(count=counts, first_step=first, second_step=second)
    if arithmetic:
        params = replace(params, **arithmetic._asdict())
    return [*before, ctx.stage(ctx.typed(kernel), params, inputs=inputs)]


def _integers(ctx: LoweringContext, operation: Operation) -> list[Stage]:
    """Combine integers that are no codes."""
    if ctx.options.get("fused_activation_function", "NONE") != "NONE":
        ctx.error(f"a fused activation of {ctx.output.dtype} is not supported")
    inputs, counts, steps, before = broadcast(ctx, (ctx.input(0), ctx.input(1)))
    size = ctx.output.element_bytes
    first, second = ((outer * size, inner * size) for outer, inner in steps)
    params = IntegersParams(counts, first, second, size, operation.value)
    return [*before, ctx.stage("asc_integers", params, inputs=inputs)]


@lowering(
    "LOGICAL_AND", conditions=BROADCAST, types="bool", inputs=(2, 2), signatures=("BOOL -> BOOL",)
)
def lower_logical_and(ctx: LoweringContext) -> list[Stage]:
    """LOGICAL_AND: the smaller one of 0 and 1."""
    return _binary(ctx, "asc_minimum", None)


@lowering(
    "LOGICAL_OR", conditions=BROADCAST, types="bool", inputs=(2, 2), signatures=("BOOL -> BOOL",)
)
def lower_logical_or(ctx: LoweringContext) -> list[Stage]:
    """LOGICAL_OR: the larger one of 0 and 1."""
    return _binary(ctx, "asc_maximum", None)
