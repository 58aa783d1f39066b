"""Lowers functions of one 16-bit code, for which there are too many codes for a table of all.

Sources: TFLite Micro, kernels/internal/reference/integer_ops/logistic.h and tanh.h,
kernels/internal/reference/leaky_relu.h and softmax.h, LUTPopulate in kernels/internal/common.h, and
the kernels' preparation in micro/kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import (
    AbsS16Params,
    Array,
    LeakyReluS16Params,
    Operand,
    RsqrtS16Params,
    SigmoidS16Params,
    SoftmaxS16Params,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import (
    INT16_MAX,
    INT16_MIN,
    INT32_MAX,
    multiplier,
)

_FRACTION = 1.0 / 2**15
_MOST_SHIFT = 15
# Roots of codes are at most 1, with 20 fractional bits, and shifted by so much less.
_ROOT_SHIFTS = (20 - 31, 20 + 10)
_MOST_CLASSES = 2**16 - 1
# Fractional bits of the input with which TensorFlow Lite Micro takes a position as it is.
_INPUT_BITS = 12
_STEPS, _SPAN = 512, np.float32(2**16 - 1)


def lower_logistic_s16(ctx: LoweringContext) -> list[Stage]:
    """LOGISTIC of 16-bit codes, with the output quantisation that the specification fixes."""
    return _sigmoid(ctx, "asc_logistic_s16", plain_shifts=(0,))


def lower_tanh_s16(ctx: LoweringContext) -> list[Stage]:
    """TANH of 16-bit codes, with the output quantisation that the specification fixes."""
    return _sigmoid(ctx, "asc_tanh_s16", plain_shifts=(0, 1))


def _sigmoid(ctx: LoweringContext, kernel: str, plain_shifts: tuple[int, ...]) -> list[Stage]:
    """Return the stage of a function that reads positions in a table of the logistic function.

    Args:
        ctx: the operator.
        kernel: its kernel.
        plain_shifts: bits to the left by which a scale that is a power of two may be beyond 2^-12
            to be multiplied by 3 alone.
    """
    _check_output(ctx)
    _check_size(ctx)
    factor, shift = _position(ctx, ctx.quantization(ctx.input(0))[0], plain_shifts)
    params = SigmoidS16Params(
        size=ctx.view(ctx.output).row_elements,
        multiplier=factor,
        shift=shift,
        table=logistic_table(ctx),
    )
    return [ctx.stage(kernel, params, inputs=[ctx.like_output(ctx.input(0))])]


def _check_output(ctx: LoweringContext) -> None:
    if ctx.quantization(ctx.output) != (_FRACTION, 0):
        ctx.error("output must have scale 1/32768 and zero point 0")


def _check_size(ctx: LoweringContext) -> None:
    if ctx.input(0).size != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} elements into {ctx.output.size}")


def _position(ctx: LoweringContext, scale: float, plain_shifts: tuple[int, ...]) -> tuple[int, int]:
    """Return multiplier and shift that bring a code to 12 fractional bits, times 3."""
    fraction, exponent = math.frexp(scale)
    left = _INPUT_BITS + exponent - 1
    if fraction == 0.5 and left in plain_shifts:
        return 3 << left, 0
    factor, shift = scale * 4096.0 * 3.0, 0
    while factor <= 32767.0 / 2.0 and shift <= 30:
        factor, shift = factor * 2.0, shift + 1
    if int(factor) > INT16_MAX:
        ctx.error(f"input scale {scale:g} is too large")
    if int(factor) == 0:
        ctx.error(f"input scale {scale:g} is too small")
    return int(factor), shift


def logistic_table(ctx: LoweringContext) -> Array:
    """Return the table that all kernels of a network share which need the logistic function."""
    return ctx.shared_array("table", logistic_values())


def logistic_values() -> NDArray[np.uint16]:
    """Return 1 / (1 + exp(-i / 24)) with 16 fractional bits, for i from 0 to 255.

    Values are moved by half of what a line between them is off in the middle. They equal
    ``sigmoid_table_uint16`` of TensorFlow Lite, kernels/internal/common.h.
    """

    def logistic(place: float) -> float:
        return 2.0**16 / (1.0 + math.exp(-place / 24.0))

    def moved(place: int) -> float:
        line = (logistic(place) + logistic(place + 1)) / 2.0
        return logistic(place) - (line - logistic(place + 0.5)) / 2.0

    return np.array([*(round(moved(i)) for i in range(255)), 2**16 - 1], np.uint16)


def lower_leaky_relu_s16(ctx: LoweringContext) -> list[Stage]:
    """LEAKY_RELU of 16-bit codes with any slope."""
    source, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    slope = source * float(ctx.options["alpha"]) / target
    identity, below = multiplier(source / target), multiplier(abs(slope))
    if max(identity[1], below[1]) > _MOST_SHIFT:
        ctx.error("the output's scale is too small for its input")
    _check_size(ctx)
    params = LeakyReluS16Params(
        size=ctx.view(ctx.output).row_elements,
        identity=Operand(0, *identity),
        below=Operand(0, *below),
        sign=-1 if slope < 0 else 1,
    )
    return [ctx.stage("asc_leaky_relu_s16", params, inputs=[ctx.like_output(ctx.input(0))])]


def lower_abs_s16(ctx: LoweringContext) -> list[Stage]:
    """ABS of 16-bit codes, from any scale to any."""
    source, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    factor, shift = multiplier(source / target)
    if shift > _MOST_SHIFT:
        ctx.error("the output's scale is too small for its input")
    _check_size(ctx)
    params = AbsS16Params(ctx.view(ctx.output).row_elements, factor, shift)
    return [ctx.stage("asc_abs_s16", params, inputs=[ctx.like_output(ctx.input(0))])]


def root_factor(ctx: LoweringContext) -> tuple[int, int]:
    """Return multiplier and shift of the code for the reciprocal root of a code of 1."""
    source, target = ctx.quantization(ctx.input(0))[0], ctx.quantization(ctx.output)[0]
    scale = math.sqrt(source) * target
    factor = multiplier(1.0 / scale) if scale else (0, INT32_MAX)
    if not _ROOT_SHIFTS[0] <= factor[1] <= _ROOT_SHIFTS[1]:
        ctx.error("the scales of input and output are too small or too large")
    return factor


def lower_rsqrt_s16(ctx: LoweringContext) -> list[Stage]:
    """RSQRT of 16-bit codes, of which 0 gives the largest code."""
    factor = root_factor(ctx)
    # Codes have zero points of 0, which this checks, too.
    ctx.quantization(ctx.output)
    _check_size(ctx)
    params = RsqrtS16Params(ctx.view(ctx.output).row_elements, *factor)
    return [ctx.stage("asc_rsqrt_s16", params, inputs=[ctx.like_output(ctx.input(0))])]


def lower_softmax_s16(ctx: LoweringContext) -> list[Stage]:
    """SOFTMAX of 16-bit codes over the last axis."""
    _check_output(ctx)
    source, classes = ctx.input(0), ctx.input(0).shape[-1]
    if classes > _MOST_CLASSES:
        ctx.error(f"over {classes} classes, at most {_MOST_CLASSES} are supported")
    real = ctx.quantization(source)[0] * float(ctx.options["beta"]) / (10.0 / 65535.0)
    value, shift = multiplier(real)
    if real < 0 or shift > _MOST_SHIFT - 1:
        ctx.error(f"input scale {ctx.quantization(source)[0]:g} is too large")
    params = SoftmaxS16Params(
        rows=ctx.view(source).row_elements // classes,
        classes=classes,
        multiplier=value,
        shift=shift,
        exponentials=ctx.shared_array("exponentials", _table(10.0, INT16_MAX, np.exp)),
        reciprocals=ctx.shared_array("reciprocals", _table(1.0, INT16_MIN, _reciprocal)),
    )
    return [ctx.stage("asc_softmax_s16", params)]


def _reciprocal(value: np.float32) -> np.float32:
    return np.float32(1.0) / (np.float32(1.0) + value)


def _table(
    reach: float, zero_point: int, function: Callable[[np.float32], Any]
) -> NDArray[np.int16]:
    """Return a function's values with 15 fractional bits at 513 places, in single precision.

    Values are moved by half of what a line between them is off in the middle (LUTPopulate).

    Args:
        reach: how far apart the first and the last place are.
        zero_point: the code of 0 among those of the places.
        function: the function of a place.
    """
    scale, target = np.float32(reach) / _SPAN, np.float32(2.0) / _SPAN
    first, last = (scale * np.float32(code - zero_point) for code in (INT16_MIN, INT16_MAX))
    step = (last - first) / np.float32(_STEPS)
    inverse = np.float32(2**16) / (target * np.float32(INT16_MAX) - target * np.float32(INT16_MIN))

    def code(place: np.float32) -> np.float32:
        return np.float32(function(place)) * inverse

    values = []
    for i in range(_STEPS):
        place = first + np.float32(i) * step
        value, following = code(place), code(first + np.float32(i + 1) * step)
        line = _rounded((following + _rounded(value)) / np.float32(2.0))
        off = line - _rounded(code(place + step / np.float32(2.0)))
        values.append(_rounded(value) - _rounded(off / np.float32(2.0)))
    values.append(_rounded(code(last)))
    return np.clip(values, INT16_MIN, INT16_MAX).astype(np.int16)


def _rounded(value: np.float32) -> np.float32:
    """Round to the nearest integer, halves away from zero."""
    return np.float32(math.copysign(math.floor(abs(float(value)) + 0.5), value))
