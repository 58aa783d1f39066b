"""Shapes of operators that multiply by weights."""

from __future__ import annotations

from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.shapes.rule import (
    broadcast,
    check,
    check_size,
    constant,
    operand,
    shape_rule,
    window,
)


@shape_rule("CONV_2D")
def _conv_2d(op: OperatorView) -> None:
    batch, height, width, channels = op.input(0, dimensions=4).shape
    filters, rows, columns, depth = op.input(1, dimensions=4).shape
    # Of each group of channels
    if channels % depth or filters % (channels // depth):
        raise op.error(f"has {channels} input channels, filters of {depth}, {filters} filters")
    operand(op, 2, (filters,))
    places = window(op, height, rows, "h"), window(op, width, columns, "w")
    check(op, (batch, *places, filters))


@shape_rule("DEPTHWISE_CONV_2D")
def _depthwise_conv_2d(op: OperatorView) -> None:
    batch, height, width, channels = op.input(0, dimensions=4).shape
    one, rows, columns, filters = op.input(1, dimensions=4).shape
    if one != 1 or filters % channels:
        raise op.error(f"has {channels} input channels, weights {list(op.input(1).shape)}")
    operand(op, 2, (filters,))
    places = window(op, height, rows, "h"), window(op, width, columns, "w")
    check(op, (batch, *places, filters))


@shape_rule("TRANSPOSE_CONV")
def _transpose_conv(op: OperatorView) -> None:
    batch, height, width, channels = op.input(2, dimensions=4).shape
    filters, rows, columns, depth = op.input(1, dimensions=4).shape
    if depth != channels:
        raise op.error(f"has {channels} input channels, filters of {depth}")
    operand(op, 3, (filters,))
    out, stated = op.output.shape, constant(op, 0)
    if stated is not None:
        check(op, stated)
    fits = len(out) == 4 and (out[0], out[3]) == (batch, filters)
    if fits and stated is None:
        # The convolution of the output has the shape of the input; a stated size may cut it.
        fits = (window(op, out[1], rows, "h"), window(op, out[2], columns, "w")) == (height, width)
    if not fits:
        raise op.error(f"states the output {list(out)} for {list(op.input(2).shape)}")


@shape_rule("FULLY_CONNECTED")
def _fully_connected(op: OperatorView) -> None:
    units, depth = op.input(1, dimensions=2).shape
    if op.input(0).size % depth:
        raise op.error(f"has {op.input(0).size} inputs for weights of {depth}")
    operand(op, 2, (units,))
    # Kernels take the number of units from the output.
    if op.output.shape[-1:] != (units,):
        raise op.error(f"states the output {list(op.output.shape)} for {units} units")
    check_size(op, op.input(0).size // depth * units)


@shape_rule("BATCH_MATMUL")
def _batch_matmul(op: OperatorView) -> None:
    left, right = list(op.input(0).shape), list(op.input(1).shape)
    if len(left) < 2 or len(right) < 2:
        raise op.error(f"has inputs of shape {left} and {right}, 2 dimensions are needed")
    if op.options["adj_x"]:
        left[-2:] = reversed(left[-2:])
    if op.options["adj_y"]:
        right[-2:] = reversed(right[-2:])
    if left[-1] != right[-2]:
        raise op.error(f"multiplies matrices {left[-2:]} and {right[-2:]}")
    batches = broadcast(op, [tuple(left[:-2]), tuple(right[:-2])])
    check(op, (*batches, left[-2], right[-1]))


@shape_rule("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _sequence_lstm(op: OperatorView) -> None:
    first, second, depth = op.input(0, dimensions=3).shape
    cells, _ = op.input(2, dimensions=2).shape
    recurrent = op.input(6, dimensions=2).shape[1]
    for position in range(1, 5):
        operand(op, position, (cells, depth))
    for position in range(5, 9):
        operand(op, position, (cells, recurrent))
    operand(op, 16, (recurrent, cells))
    batch = second if op.options["time_major"] else first
    operand(op, 18, (batch, recurrent))
    operand(op, 19, (batch, cells))
    check(op, (first, second, recurrent))


@shape_rule("SVDF")
def _svdf(op: OperatorView) -> None:
    batch, depth = op.input(0, dimensions=2).shape
    filters, _ = op.input(1, dimensions=2).shape
    operand(op, 1, (filters, depth))
    operand(op, 2, (filters, op.input(2, dimensions=2).shape[1]))
    units = op.output.shape[-1] if op.output.shape else 0
    if units < 1 or filters % units:
        raise op.error(f"has {filters} filters for {units} units")
    operand(op, 3, (units,))
    operand(op, 4, (batch, filters * op.input(2).shape[1]))
    check(op, (batch, units))
