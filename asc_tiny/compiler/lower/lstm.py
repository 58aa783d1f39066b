"""Lowers UNIDIRECTIONAL_SEQUENCE_LSTM of 8-bit codes with 16-bit cells.

Source: TensorFlow Lite Micro, kernels/lstm_eval.cc, lstm_eval_common.cc and lstm_eval.h.
"""

from __future__ import annotations

import math

import numpy as np

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import LstmGate, LstmParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.recurrent import plain_weights, sums_with_zero_point
from asc_tiny.compiler.lower.requantization import (
    multiplier,
    product_scale,
    round_away,
)
from asc_tiny.compiler.lower.rule import lowering
from asc_tiny.compiler.lower.unary_s16 import logistic_table

_INPUTS = 24
_GATES = ("input", "forget", "cell", "output")
_INPUT_WEIGHTS, _HIDDEN_WEIGHTS, _BIASES = 1, 5, 12
"""Positions of these inputs of the first gate; those of the others follow."""
_HIDDEN, _CELLS = 18, 19
_VARIANTS = {9: "peepholes", 16: "a projection", 17: "a projection", 20: "layer normalisation"}
_GATE_SCALE, _ONE = 2.0**-12, 2.0**-15
_MOST_TANH_SHIFT = 14


@lowering(
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    conditions=(
        "batch- or time-major, any batch; TANH; constant weights with one scale each; no "
        "peepholes, projection or layer normalisation, which TensorFlow Lite Micro has not either"
    ),
    memory="step by step; hidden states and cells last from one inference to the next",
    types="int8, bias int32, cells int16",
    inputs=(_INPUTS, _INPUTS),
    signatures=(" ".join(["INT8"] * 12 + ["INT32"] * 4 + ["INT8"] * 3 + ["INT16"]) + " -> INT8",),
    states=(_HIDDEN, _CELLS),
)
def lower_sequence_lstm(ctx: LoweringContext) -> list[Stage]:
    """UNIDIRECTIONAL_SEQUENCE_LSTM, a step of a sequence in each run."""
    _check_variant(ctx)
    batch, steps, inputs = ctx.input(0).shape
    is_time_major = bool(ctx.options["time_major"])
    if is_time_major:
        batch, steps = steps, batch
    units = ctx.input(_HIDDEN).shape[-1]
    if ctx.input(_HIDDEN).size != batch * units or ctx.input(_CELLS).size != batch * units:
        ctx.error(f"states of {ctx.input(_HIDDEN).size} and {ctx.input(_CELLS).size} values")
    params = _params(ctx, batch, 1 if is_time_major else steps, inputs, units)
    runs = batch * steps
    source = ctx.reshaped(ctx.view(ctx.input(0)), runs, inputs)
    target = ctx.reshaped_output(ctx.view(ctx.output), runs, units)
    return [
        ctx.stage(
            "asc_lstm",
            params,
            inputs=[RowAccess(source)],
            output=target,
            macs=runs * 4 * units * (inputs + units),
            state=ctx.state(_CELLS, _HIDDEN),
        )
    ]


def _params(ctx: LoweringContext, batch: int, steps: int, inputs: int, units: int) -> LstmParams:
    """Return what the kernel is told.

    Args:
        ctx: the operator.
        batch, steps: the order of the runs, as ``LstmParams`` has it.
        inputs: values of an input at one step.
        units: values of a hidden state.
    """
    gates = {name: _gate(ctx, number, inputs, units) for number, name in enumerate(_GATES)}
    cell_scale, _ = ctx.quantization(ctx.input(_CELLS))
    hidden_scale, hidden_zero_point = ctx.quantization(ctx.input(_HIDDEN))
    forget = multiplier(_ONE * cell_scale / cell_scale)
    admit = multiplier(_ONE * _ONE / cell_scale)
    output = multiplier(_ONE * _ONE / hidden_scale)
    tanh = _tanh_position(ctx, cell_scale)
    return LstmParams(
        batch=batch,
        steps=steps,
        inputs=inputs,
        units=units,
        **gates,
        forget_multiplier=forget[0],
        forget_shift=forget[1],
        input_multiplier=admit[0],
        input_shift=admit[1],
        output_multiplier=output[0],
        output_shift=output[1],
        output_zero_point=hidden_zero_point,
        tanh_multiplier=tanh[0],
        tanh_shift=tanh[1],
        clip=_clip(ctx, cell_scale),
        table=logistic_table(ctx),
    )


def _check_variant(ctx: LoweringContext) -> None:
    """Refuse what TensorFlow Lite Micro's kernel refuses."""
    for position in (*range(9, 12), 16, 17, *range(20, _INPUTS)):
        if ctx.optional_input(position) is not None:
            name = _VARIANTS[max(n for n in _VARIANTS if n <= position)]
            ctx.error(f"has {name}, which TensorFlow Lite Micro has not either; leave it out")
    activation = ctx.options["fused_activation_function"]
    if activation != "TANH":
        ctx.error(f"has the activation {activation}, must be TANH")


def _gate(ctx: LoweringContext, number: int, inputs: int, units: int) -> LstmGate:
    """Return the weights and the requantization of a gate."""
    name = _GATES[number]
    of_input = plain_weights(ctx, _INPUT_WEIGHTS + number)
    of_hidden = plain_weights(ctx, _HIDDEN_WEIGHTS + number)
    if of_input.shape != (units, inputs) or of_hidden.shape != (units, units):
        ctx.error(
            f"has weights {list(of_input.shape)} and {list(of_hidden.shape)} for {units} units of "
            f"{inputs} inputs"
        )
    if of_input.dtype != np.int8 or of_hidden.dtype != np.int8:
        ctx.error(f"weights of the gate {name} must be INT8")
    biases = ctx.constants(_BIASES + number, units)
    if biases.dtype != np.int32:
        ctx.error(f"bias is {ctx.input(_BIASES + number).dtype}, must be INT32")
    to_input = _requantization(ctx, 0, _INPUT_WEIGHTS + number)
    to_hidden = _requantization(ctx, _HIDDEN, _HIDDEN_WEIGHTS + number)
    none = np.zeros(units, np.int64)
    zero_points = [ctx.quantization(ctx.input(position))[1] for position in (0, _HIDDEN)]
    return LstmGate(
        input_multiplier=to_input[0],
        input_shift=to_input[1],
        hidden_multiplier=to_hidden[0],
        hidden_shift=to_hidden[1],
        input_weights=ctx.array(f"{name}_weights", of_input),
        input_biases=ctx.array(
            f"{name}_biases",
            sums_with_zero_point(ctx, of_input, zero_points[0], biases.astype(np.int64)),
        ),
        hidden_weights=ctx.array(f"{name}_hidden_weights", of_hidden),
        hidden_biases=ctx.array(
            f"{name}_hidden_biases", sums_with_zero_point(ctx, of_hidden, zero_points[1], none)
        ),
    )


def _requantization(ctx: LoweringContext, source: int, weights: int) -> tuple[int, int]:
    """Return multiplier and shift from sums to 12 fractional bits."""
    scale = ctx.quantization(ctx.input(source))[0]
    found = multiplier(product_scale(scale, ctx.input(weights).scales[0]) / _GATE_SCALE)
    if found[1] > 30:
        ctx.error(f"the scale of input {source} or of its weights is too large")
    return found


def _tanh_position(ctx: LoweringContext, scale: float) -> tuple[int, int]:
    """Return multiplier and shift from a cell to the argument of the hyperbolic tangent.

    The cell's scale is a power of 2, as TensorFlow Lite Micro takes it to be.
    """
    left = 12 + round_away(math.log2(scale))
    if left > _MOST_TANH_SHIFT:
        ctx.error(f"cells have the scale {scale:g}, at most 4 is supported")
    return (3 << left, 0) if left >= 0 else (3, -left)


def _clip(ctx: LoweringContext, scale: float) -> int:
    """Return the largest magnitude of a cell, 0 for none."""
    clip = float(ctx.options["cell_clip"])
    return int(min(clip / scale, 32767.0)) if clip > 0.0 else 0
