"""Lowers operators that compute without weights: pooling, mean, add, softmax, activations."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.lower.context import Lowering, braces
from asc_tiny.compiler.lower.conv import Window
from asc_tiny.compiler.lower.requantization import INT8_MIN, multiplier, softmax_constants

# As many equal scores add up to 2^28 in 32 bits with 12 integer bits; with one more, the
# specification shifts a quotient by 32 bits.
_MOST_CLASSES = 2**9 - 1


def lower_max_pool_2d(to: Lowering) -> list[Stage]:
    """MAX_POOL_2D."""
    return _pool(to, "asc_max_pool")


def lower_average_pool_2d(to: Lowering) -> list[Stage]:
    """AVERAGE_POOL_2D; padding does not count into the average."""
    return _pool(to, "asc_average_pool")


def _pool(to: Lowering, kernel: str) -> list[Stage]:
    to.same_quantization(to.input(0), to.output)
    if to.image(to.input(0))[2] != to.image(to.output)[2]:
        to.fail("must keep the number of channels")
    height = int(to.operator.options["filter_height"])
    width = int(to.operator.options["filter_width"])
    window = Window.of(to, height, width)
    low, high = to.codes()
    fields = {**window.fields(to), "minimum": str(low), "maximum": str(high)}
    note = f", {height}x{width}"
    return [to.stage(kernel, fields, inputs=[window.rows(to)], c_type="asc_pool_t", note=note)]


def lower_quantize(to: Lowering) -> list[Stage]:
    """QUANTIZE from one int8 scale to another."""
    scale, target = to.quantization(to.input(0))[0], to.quantization(to.output)[0]
    return _rescale(to, scale / target, to.range())


def lower_relu(to: Lowering) -> list[Stage]:
    """RELU as an operator of its own."""
    scale, target = to.quantization(to.input(0))[0], to.quantization(to.output)[0]
    return _rescale(to, scale / target, to.range(activation="RELU"))


def lower_relu6(to: Lowering) -> list[Stage]:
    """RELU6 as an operator of its own: codes are clamped and stay the same."""
    to.same_quantization(to.input(0), to.output)
    return _rescale(to, 1.0, to.range(activation="RELU6"))


def _rescale(to: Lowering, real: float, output_range: str) -> list[Stage]:
    value, shift = multiplier(real)
    if shift > 22:
        to.fail("the output's scale is too small for its input")
    if to.input(0).size != to.output.size:
        to.fail(f"{to.input(0).size} elements into {to.output.size}")
    zero_point = to.quantization(to.input(0))[1]
    fields = {
        "size": str(to.view(to.output).row_size),
        "input": braces(zero_point, value, shift),
        "range": output_range,
    }
    operands = [to.like_output(to.input(0))]
    return [to.stage("asc_rescale", fields, inputs=operands, scales=("size",))]


def lower_softmax(to: Lowering) -> list[Stage]:
    """SOFTMAX over the last axis, with the output quantisation that the specification fixes."""
    source, output = to.input(0), to.output
    if to.quantization(output) != (1.0 / 256.0, INT8_MIN):
        to.fail("output must have scale 1/256 and zero point -128")
    if source.shape != output.shape or not source.shape:
        to.fail(f"shape {list(source.shape)} into {list(output.shape)}")
    if source.shape[-1] > _MOST_CLASSES:
        to.fail(f"over {source.shape[-1]} classes, at most {_MOST_CLASSES} are supported")
    beta = float(to.operator.options["beta"])
    try:
        value, shift, minimum = softmax_constants(beta, to.quantization(source)[0])
    except ValueError as error:
        to.fail(str(error))
    fields = {
        "rows": str(to.view(source).row_size // source.shape[-1]),
        "classes": str(source.shape[-1]),
        "multiplier": str(value),
        "shift": str(shift),
        "minimum": str(minimum),
    }
    return [to.stage("asc_softmax", fields)]
