"""Lowers FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import DenseParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import EITHER, FUSED, WEIGHTED, WEIGHTS, lowering
from asc_tiny.compiler.lower.weighted_s16 import dense_stage
from asc_tiny.compiler.lower.weights import (
    activation_note,
    channels_of,
    narrowness,
    sums_of,
    weights_of,
)
from asc_tiny.compiler.weight_packing import GROUP, can_combine, paired
from asc_tiny.tflite.graph import Tensor


@lowering(
    "FULLY_CONNECTED",
    conditions=f"{FUSED}; {WEIGHTS}",
    memory="row by row on rows, else all of the input",
    dsp="pairs of filters",
    types=WEIGHTED + "int64 or int32",
    inputs=(2, 3),
    signatures=EITHER,
)
def lower_fully_connected(ctx: LoweringContext) -> list[Stage]:
    """FULLY_CONNECTED on every row of the input."""
    weights = weights_of(ctx, dimensions=2)
    outputs, inputs = weights.shape
    if ctx.options["weights_format"] != 0:
        ctx.error("shuffled weights are not supported; convert anew for microcontrollers")
    if ctx.input(0).size % inputs or ctx.input(0).size // inputs * outputs != ctx.output.size:
        ctx.error(f"{ctx.input(0).size} inputs do not fill rows of {inputs}")
    _check_bias_scale(ctx, weights)
    source, target = ctx.view(ctx.input(0)), ctx.view(ctx.output)
    if source.rows != target.rows or source.row_bytes * outputs != target.row_bytes * inputs:
        source = ctx.reshaped(source, 1, source.rows * source.row_bytes)
    if source.rows != target.rows:
        ctx.error(
            f"shape {list(ctx.input(0).shape)} into {list(ctx.output.shape)} is not supported"
        )
    if ctx.has_int16:
        return [dense_stage(ctx, RowAccess(source), weights)]
    matrix = paired(ctx.constants(1))
    is_combined = can_combine(matrix)
    order = "ASC_DENSE_WEIGHTS" if is_combined else ""
    filters = replace(ctx.array("weights", matrix, weights=True), order=order)
    channels = channels_of(ctx, weights, sums_of(ctx, 0), channel_axis=0)
    params = DenseParams(
        rows=source.row_elements // inputs,
        inputs=inputs,
        outputs=outputs,
        depth=matrix.shape[1] * GROUP,
        combined=int(is_combined),
        range=ctx.range(narrow=narrowness(channels, sums_of(ctx, 0))),
        weights=filters,
        channels=channels,
    )
    return [
        ctx.stage(
            "asc_dense",
            params,
            inputs=[RowAccess(source)],
            macs=ctx.output.size * inputs,
            note=activation_note(ctx),
        )
    ]


_BIAS_TOLERANCE = 0.02


def _check_bias_scale(ctx: LoweringContext, weights: Tensor) -> None:
    """Check that the bias counts in steps of the sums, as TensorFlow Lite Micro does here.

    Like it, take no scale for 0 and the first of several, and leave biases of weights with scales
    per channel.
    """
    bias = ctx.optional_input(2)
    if bias is None or len(weights.scales) != 1:
        return
    stated = bias.scales[0] if bias.scales and bias.zero_points else 0.0
    step = ctx.quantization(ctx.input(0))[0] * weights.scales[0]
    if abs(step - stated) / ctx.quantization(ctx.output)[0] > _BIAS_TOLERANCE:
        ctx.error(f"the bias has the scale {stated:g}, input and weights have {step:g}")
