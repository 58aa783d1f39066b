"""Lowers SVDF with a state of 8 or of 16 bits.

Source: TensorFlow Lite Micro, kernels/svdf_common.cc.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    OutputRange,
    Svdf,
    SvdfS8Params,
    SvdfS16Params,
)
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.recurrent import plain_weights, sums_with_zero_point
from asc_tiny.compiler.lower.requantization import (
    INT8_MAX,
    INT8_MIN,
    multiplier,
    product_scale,
    ratio,
)
from asc_tiny.compiler.lower.rule import lowering

_STATE = 4
_BIAS_TOLERANCE = 1e-5


@lowering(
    "SVDF",
    conditions="a state of its own; any rank; constant weights and bias with one scale each",
    memory="all of the input; its state lasts from one inference to the next",
    types="int8, weights of time and state int8 or int16, bias int32",
    inputs=(5, 5),
    signatures=tuple(f"INT8 INT8 {state} INT32 {state} -> INT8" for state in ("INT8", "INT16")),
    states=(_STATE,),
)
def lower_svdf(ctx: LoweringContext) -> list[Stage]:
    """SVDF for each input of a batch."""
    features, times = plain_weights(ctx, 1), plain_weights(ctx, 2)
    svdf = _svdf(ctx, features, times)
    weights = ctx.array("times", times)
    is_16 = times.dtype == np.int16
    params = SvdfS16Params(svdf, weights) if is_16 else SvdfS8Params(svdf, weights)
    source = ctx.reshaped(ctx.view(ctx.input(0)), 1, svdf.batch * svdf.inputs)
    return [
        ctx.stage(
            "asc_svdf_s16" if is_16 else "asc_svdf_s8",
            params,
            inputs=[RowAccess(source)],
            output=ctx.reshaped_output(ctx.view(ctx.output), 1, ctx.output.size),
            macs=svdf.batch * (features.size + times.size),
            state=ctx.state(_STATE),
        )
    ]


def _svdf(ctx: LoweringContext, features: NDArray[Any], times: NDArray[Any]) -> Svdf:
    """Return what kernels of both types of state are told.

    Args:
        ctx: the operator.
        features: weights of an input, shape (filters, inputs).
        times: weights of what is kept of the inputs before, shape (filters, memory).
    """
    batch, inputs = ctx.input(0).shape
    filters, memory = times.shape
    outputs = ctx.output.size // batch
    rank = int(ctx.options["rank"])
    if rank < 1 or outputs * rank != filters or ctx.output.size != batch * outputs:
        ctx.error(f"has {filters} filters of rank {rank} for {outputs} outputs")
    if ctx.input(2).dtype != ctx.input(_STATE).dtype:
        ctx.error(f"weights of time are {ctx.input(2).dtype}, must be {ctx.input(_STATE).dtype}")
    to_state, to_output, step = _requantizations(ctx)
    zero_point = ctx.quantization(ctx.input(0))[1]
    state_zero_point = ctx.quantization(ctx.input(_STATE))[1]
    none = np.zeros(filters, np.int64)
    return Svdf(
        batch=batch,
        inputs=inputs,
        outputs=outputs,
        rank=rank,
        memory=memory,
        state_zero_point=state_zero_point,
        state_multiplier=to_state[0],
        state_shift=to_state[1],
        multiplier=to_output[0],
        shift=to_output[1],
        range=_range(ctx),
        features=ctx.array("features", features),
        feature_biases=ctx.array(
            "feature_biases", sums_with_zero_point(ctx, features, zero_point, none)
        ),
        biases=ctx.array("biases", _biases(ctx, times, rank, state_zero_point, step)),
    )


def _requantizations(ctx: LoweringContext) -> tuple[tuple[int, int], tuple[int, int], float]:
    """Return multiplier and shift to the state and to the output, and the scale of the bias."""
    state_scale = ctx.quantization(ctx.input(_STATE))[0]
    product = product_scale(ctx.quantization(ctx.input(0))[0], ctx.input(1).scales[0])
    to_state = multiplier(ratio(product, state_scale))
    product = product_scale(state_scale, ctx.input(2).scales[0])
    to_output = multiplier(ratio(product, ctx.quantization(ctx.output)[0]))
    if max(to_state[1], to_output[1]) > 30:
        ctx.error("a scale is too small for what it is computed from")
    return to_state, to_output, product


def _range(ctx: LoweringContext) -> OutputRange:
    """Return all codes: TensorFlow Lite Micro's kernel of codes has no fused activation."""
    zero_point = ctx.quantization(ctx.output)[1]
    return OutputRange(zero_point, INT8_MIN, INT8_MAX, clamps=0, narrow=0)


def _biases(
    ctx: LoweringContext, times: NDArray[np.int8], rank: int, zero_point: int, step: float
) -> NDArray[np.int32]:
    """Return the biases with what the state's zero point adds to the filters of each output."""
    (scale,) = ctx.input(3).scales or (0.0,)
    if not abs(scale - step) < _BIAS_TOLERANCE:
        ctx.error(f"the bias has the scale {scale:g}, state and weights of time have {step:g}")
    sums = times.astype(np.int64).reshape(len(times) // rank, -1)
    biases = ctx.constants(3, len(sums)).astype(np.int64)
    # What is added to them may leave 32 bits: the kernel goes on as TensorFlow Lite Micro's does.
    return sums_with_zero_point(ctx, sums, zero_point, biases, reach=0)
