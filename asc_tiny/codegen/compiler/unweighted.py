"""Lowers operators that compute without weights: pooling, mean, add, softmax, activations."""

from __future__ import annotations

from asc_tiny.codegen.compiler.lowering import Lowering, braces
from asc_tiny.codegen.compiler.program import Rows, Stage, Storage, View
from asc_tiny.codegen.compiler.quantise import (
    INT8_MIN,
    INT32_MAX,
    mean_multiplier,
    multiplier,
    ratio,
    softmax_constants,
)
from asc_tiny.codegen.compiler.weighted import Window
from asc_tiny.complexity.graph import Tensor


def lower_max_pool_2d(to: Lowering) -> list[Stage]:
    """MAX_POOL_2D."""
    return _pool(to, "asc_max_pool")


def lower_average_pool_2d(to: Lowering) -> list[Stage]:
    """AVERAGE_POOL_2D; padding does not count into the average."""
    return _pool(to, "asc_average_pool")


def _pool(to: Lowering, kernel: str) -> list[Stage]:
    to.same_quantisation(to.input(0), to.output)
    if to.image(to.input(0))[2] != to.image(to.output)[2]:
        to.fail("must keep the number of channels")
    height = int(to.operator.options["filter_height"])
    width = int(to.operator.options["filter_width"])
    window = Window.of(to, height, width)
    low, high = to.codes()
    fields = {**window.fields(to), "minimum": str(low), "maximum": str(high)}
    note = f", {height}x{width}"
    return [to.stage(kernel, fields, inputs=[window.rows(to)], c_type="asc_pool_t", note=note)]


def lower_mean(to: Lowering) -> list[Stage]:
    """MEAN over height and width."""
    source = to.input(0)
    height, width, channels = to.image(source)
    axes = {int(axis) % 4 for axis in to.constants(1).ravel()}
    if axes != {1, 2}:
        to.fail(f"mean over axes {sorted(axes)}, only height and width are supported")
    if to.output.size != channels:
        to.fail(f"{channels} channels into {to.output.size} outputs")
    (scale, zero_point), (target_scale, _) = to.quantisation(source), to.quantisation(to.output)
    value, shift = mean_multiplier(scale / target_scale, height * width)
    if (256 * height * width) << max(shift, 0) > INT32_MAX:
        to.fail("the output's scale is too small for its input")
    sums = View.of(Storage(f"sums{source.index}", 1, 4 * channels))
    columns = {"width": str(width), "channels": str(channels)}
    fields = {
        "channels": str(channels),
        "offset": str(-zero_point * height * width),
        "multiplier": str(value),
        "shift": str(shift),
        "range": to.range(),
    }
    return [
        to.stage("asc_sum", columns, output=sums, runs=height, suffix="_sum"),
        to.stage("asc_mean", fields, inputs=[Rows(sums)], runs=1),
    ]


def lower_add(to: Lowering) -> list[Stage]:
    """ADD of two tensors of the same size, of which one may be constant."""
    first, second, output = to.input(0), to.input(1), to.output
    # Sizes that are all equal leave only dimensions of 1 to broadcast.
    if not first.size == second.size == output.size:
        to.fail(f"shapes {list(first.shape)} and {list(second.shape)} must be equal")
    (scale1, zero1), (scale2, zero2) = to.quantisation(first), to.quantisation(second)
    # Both operands are brought to twice the larger scale, with 20 more bits.
    common = 2.0 * max(scale1, scale2)
    value, shift = multiplier(common / (2**20 * to.quantisation(output)[0]))
    if shift > 0:
        to.fail("the output's scale is too small for its inputs")
    fields = {
        "size": str(to.view(output).row_size),
        "first": braces(zero1, *multiplier(scale1 / common)),
        "second": braces(zero2, *multiplier(scale2 / common)),
        "multiplier": str(value),
        "shift": str(shift),
        "range": to.range(),
    }
    operands = [_like(to, first), _like(to, second)]
    return [to.stage("asc_add", fields, inputs=operands, scales=("size",))]


def lower_quantize(to: Lowering) -> list[Stage]:
    """QUANTIZE from one int8 scale to another."""
    scale, target = to.quantisation(to.input(0))[0], to.quantisation(to.output)[0]
    return _rescale(to, scale / target, to.range())


def lower_relu(to: Lowering) -> list[Stage]:
    """RELU as an operator of its own."""
    scale, target = to.quantisation(to.input(0))[0], to.quantisation(to.output)[0]
    return _rescale(to, ratio(scale, target), to.range(activation="RELU"))


def lower_relu6(to: Lowering) -> list[Stage]:
    """RELU6 as an operator of its own: codes are clamped and stay the same."""
    to.same_quantisation(to.input(0), to.output)
    return _rescale(to, 1.0, to.range(activation="RELU6"))


def _rescale(to: Lowering, real: float, output_range: str) -> list[Stage]:
    value, shift = multiplier(real)
    if shift > 22:
        to.fail("the output's scale is too small for its input")
    if to.input(0).size != to.output.size:
        to.fail(f"{to.input(0).size} elements into {to.output.size}")
    zero_point = to.quantisation(to.input(0))[1]
    fields = {
        "size": str(to.view(to.output).row_size),
        "input": braces(zero_point, value, shift),
        "range": output_range,
    }
    operands = [_like(to, to.input(0))]
    return [to.stage("asc_rescale", fields, inputs=operands, scales=("size",))]


def _like(to: Lowering, tensor: Tensor) -> Rows:
    """Return an operand in the rows of the output, of which it has as many values."""
    target = to.view(to.output)
    return Rows(to.reshaped(to.view(tensor), target.rows, target.row_size))


def lower_softmax(to: Lowering) -> list[Stage]:
    """SOFTMAX over the last axis, with the output quantisation that the specification fixes."""
    source, output = to.input(0), to.output
    if to.quantisation(output) != (1.0 / 256.0, INT8_MIN):
        to.fail("output must have scale 1/256 and zero point -128")
    if source.shape != output.shape or not source.shape or source.shape[-1] > 2**12:
        to.fail(f"shape {list(source.shape)} is not supported")
    beta = float(to.operator.options["beta"])
    try:
        value, shift, minimum = softmax_constants(beta, to.quantisation(source)[0])
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
