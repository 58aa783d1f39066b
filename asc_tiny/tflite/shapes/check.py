"""Checking that the shapes of operators follow from each other.

Work and memory are counted from the shapes that a file states. A file whose convolution states a
smaller output than its input and stride give would pass a gate that it must not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest

from asc_tiny.tflite.graph import Graph
from asc_tiny.tflite.operands import Call
from asc_tiny.tflite.shapes import division, selection
from asc_tiny.tflite.shapes.rule import Shape, check, check_size, constant, operand


def check_shapes(graph: Graph) -> None:
    """Check the operators of a graph for which there is a rule here.

    Raises:
        AscError: shapes that the operator cannot have.
    """
    for operator in graph.operators:
        rule = _RULES.get(operator.name)
        if rule is not None:
            rule(Call(graph, operator))


def _window(call: Call, size: int, kernel: int, axis: str) -> int:
    """Return the positions of a window along the height (h) or width (w)."""
    options = call.operator.options
    stride, dilation = options[f"stride_{axis}"], options.get(f"dilation_{axis}_factor", 1)
    if stride < 1 or dilation < 1 or kernel < 1:
        raise call.fail(f"has stride {stride}, dilation {dilation}, kernel {kernel}")
    if options["padding"] == "VALID":
        size -= (kernel - 1) * dilation
    places: int = max(0, -(-size // stride))
    return places


def _conv_2d(call: Call) -> None:
    batch, height, width, channels = call.input(0, dimensions=4).shape
    filters, rows, columns, depth = call.input(1, dimensions=4).shape
    # Of each group of channels
    if channels % depth or filters % (channels // depth):
        raise call.fail(f"has {channels} input channels, filters of {depth}, {filters} filters")
    operand(call, 2, (filters,))
    places = _window(call, height, rows, "h"), _window(call, width, columns, "w")
    check(call, (batch, *places, filters))


def _depthwise_conv_2d(call: Call) -> None:
    batch, height, width, channels = call.input(0, dimensions=4).shape
    one, rows, columns, filters = call.input(1, dimensions=4).shape
    if one != 1 or filters % channels:
        raise call.fail(f"has {channels} input channels, weights {list(call.input(1).shape)}")
    operand(call, 2, (filters,))
    places = _window(call, height, rows, "h"), _window(call, width, columns, "w")
    check(call, (batch, *places, filters))


def _transpose_conv(call: Call) -> None:
    batch, height, width, channels = call.input(2, dimensions=4).shape
    filters, rows, columns, depth = call.input(1, dimensions=4).shape
    if depth != channels:
        raise call.fail(f"has {channels} input channels, filters of {depth}")
    operand(call, 3, (filters,))
    if (stated := constant(call, 0)) is not None:
        check(call, stated)
    out = call.output.shape
    # The convolution of the output has the shape of the input.
    places = (
        (_window(call, out[1], rows, "h"), _window(call, out[2], columns, "w"))
        if len(out) == 4
        else ()
    )
    if places != (height, width) or (out[0], out[3]) != (batch, filters):
        raise call.fail(f"states the output {list(out)} for {list(call.input(2).shape)}")


def _pool(call: Call) -> None:
    batch, height, width, channels = call.input(0, dimensions=4).shape
    options = call.operator.options
    places = (
        _window(call, height, options["filter_height"], "h"),
        _window(call, width, options["filter_width"], "w"),
    )
    check(call, (batch, *places, channels))


def _fully_connected(call: Call) -> None:
    units, depth = call.input(1, dimensions=2).shape
    if call.input(0).size % depth:
        raise call.fail(f"has {call.input(0).size} inputs for weights of {depth}")
    operand(call, 2, (units,))
    # Kernels take the number of units from the output.
    if call.output.shape[-1:] != (units,):
        raise call.fail(f"states the output {list(call.output.shape)} for {units} units")
    check_size(call, call.input(0).size // depth * units)


def _batch_matmul(call: Call) -> None:
    left, right = list(call.input(0).shape), list(call.input(1).shape)
    if len(left) < 2 or len(right) < 2:
        raise call.fail(f"has inputs of shape {left} and {right}, 2 dimensions are needed")
    if call.operator.options["adj_x"]:
        left[-2:] = reversed(left[-2:])
    if call.operator.options["adj_y"]:
        right[-2:] = reversed(right[-2:])
    if left[-1] != right[-2]:
        raise call.fail(f"multiplies matrices {left[-2:]} and {right[-2:]}")
    batches = _broadcast(call, [tuple(left[:-2]), tuple(right[:-2])])
    check(call, (*batches, left[-2], right[-1]))


def _sequence_lstm(call: Call) -> None:
    first, second, depth = call.input(0, dimensions=3).shape
    cells, _ = call.input(2, dimensions=2).shape
    recurrent = call.input(6, dimensions=2).shape[1]
    for position in range(1, 5):
        operand(call, position, (cells, depth))
    for position in range(5, 9):
        operand(call, position, (cells, recurrent))
    operand(call, 16, (recurrent, cells))
    batch = second if call.operator.options["time_major"] else first
    operand(call, 18, (batch, recurrent))
    operand(call, 19, (batch, cells))
    check(call, (first, second, recurrent))


def _svdf(call: Call) -> None:
    batch, depth = call.input(0, dimensions=2).shape
    filters, _ = call.input(1, dimensions=2).shape
    operand(call, 1, (filters, depth))
    operand(call, 2, (filters, call.input(2, dimensions=2).shape[1]))
    units = call.output.shape[-1] if call.output.shape else 0
    if units < 1 or filters % units:
        raise call.fail(f"has {filters} filters for {units} units")
    operand(call, 3, (units,))
    operand(call, 4, (batch, filters * call.input(2).shape[1]))
    check(call, (batch, units))


def _same(call: Call) -> None:
    check(call, call.input(0).shape)


def _same_size(call: Call) -> None:
    check_size(call, call.input(0).size)


def _elementwise(call: Call) -> None:
    shapes = [tensor.shape for tensor in call.graph.input_tensors(call.operator)]
    check(call, _broadcast(call, shapes))


def _broadcast(call: Call, shapes: Sequence[Shape]) -> Shape:
    sizes = []
    for column in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        wide = {size for size in column if size != 1}
        if len(wide) > 1:
            raise call.fail(f"has inputs of shapes {[list(shape) for shape in shapes]}")
        sizes.append(wide.pop() if wide else 1)
    return tuple(reversed(sizes))


def _concatenation(call: Call) -> None:
    shapes = [tensor.shape for tensor in call.graph.input_tensors(call.operator)]
    axis, dimensions = int(call.operator.options["axis"]), len(call.input(0).shape)
    if not -dimensions <= axis < dimensions or any(len(s) != dimensions for s in shapes):
        raise call.fail(f"joins {[list(shape) for shape in shapes]} along axis {axis}")
    columns = list(zip(*shapes, strict=True))
    joined = [column[0] for column in columns]
    joined[axis] = sum(columns[axis])
    if any(len(set(column)) > 1 for i, column in enumerate(columns) if i != axis % dimensions):
        raise call.fail(f"joins {[list(shape) for shape in shapes]} along axis {axis}")
    check(call, joined)


def _reduce(call: Call) -> None:
    """Check what is left of a shape: whether dimensions of 1 stay is an option."""
    shape, axes = call.input(0).shape, constant(call, 1)
    if axes is None:
        return
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise call.fail(f"reduces {list(shape)} along the axes {list(axes)}")
    gone = {axis % len(shape) for axis in axes}
    left = [size for axis, size in enumerate(shape) if axis not in gone]
    if _but_ones(call.output.shape) != _but_ones(left):
        raise call.fail(f"states the output {list(call.output.shape)}, its inputs give {left}")


def _but_ones(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


def _pad(call: Call) -> None:
    shape, amounts = call.input(0).shape, constant(call, 1)
    if amounts is None:
        return
    if len(amounts) != 2 * len(shape) or min(amounts, default=0) < 0:
        raise call.fail(f"pads {list(shape)} by {list(amounts)}")
    check(call, [n + amounts[2 * i] + amounts[2 * i + 1] for i, n in enumerate(shape)])


def _transpose(call: Call) -> None:
    shape, order = call.input(0).shape, constant(call, 1, dimensions=1)
    if order is None:
        return
    if sorted(order) != list(range(len(shape))):
        raise call.fail(f"orders {list(shape)} by {list(order)}")
    check(call, [shape[axis] for axis in order])


def _resize(call: Call) -> None:
    batch, _, _, channels = call.input(0, dimensions=4).shape
    size = constant(call, 1)
    if size is not None:
        check(call, (batch, *size, channels))


def _slice(call: Call) -> None:
    shape = call.input(0).shape
    begins, sizes = (constant(call, position, dimensions=1) for position in (1, 2))
    if begins is None or sizes is None:
        _not_more(call)
        return
    if not len(begins) == len(sizes) == len(shape):
        raise call.fail(f"takes {list(sizes)} at {list(begins)} out of {list(shape)}")
    # A size of -1 is all that is left.
    parts = [n - b if size == -1 else size for n, b, size in zip(shape, begins, sizes, strict=True)]
    if any(not 0 <= b <= b + part <= n for n, b, part in zip(shape, begins, parts, strict=True)):
        raise call.fail(f"takes {list(sizes)} at {list(begins)} out of {list(shape)}")
    check(call, parts)


def _strided_slice(call: Call) -> None:
    shape, options = call.input(0).shape, call.operator.options
    numbers = [constant(call, position, dimensions=1) for position in (1, 2, 3)]
    begins, ends, strides = numbers
    if begins is None or ends is None or strides is None:
        _not_more(call)
        return
    if options["ellipsis_mask"] or options["new_axis_mask"]:
        _not_more(call)
        return
    if not len(begins) == len(ends) == len(strides) <= len(shape) or 0 in strides:
        raise call.fail(f"takes {list(begins)} to {list(ends)} out of {list(shape)}")
    parts = []
    for axis, size in enumerate(shape):
        if axis >= len(begins):
            parts.append(size)
        elif not options["shrink_axis_mask"] >> axis & 1:
            end = begins[axis] + ends[axis] if options["offset"] else ends[axis]
            begin = None if options["begin_mask"] >> axis & 1 else begins[axis]
            bounds = slice(
                begin, None if options["end_mask"] >> axis & 1 else end, strides[axis]
            ).indices(size)
            parts.append(len(range(*bounds)))
    check(call, parts)


def _stated(call: Call, position: int) -> None:
    shape = constant(call, position)
    if shape is not None:
        check(call, shape)


def _not_more(call: Call) -> None:
    if call.output.size > call.input(0).size:
        raise call.fail(f"takes {list(call.output.shape)} out of {list(call.input(0).shape)}")


_UNARY_TEXT = """
    ABS CAST CEIL COS CUMSUM DEQUANTIZE ELU EXP FLOOR HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG
    LOGICAL_NOT LOGISTIC LOG_SOFTMAX NEG QUANTIZE RELU RELU6 REVERSE_V2 ROUND RSQRT SIN SOFTMAX SQRT
    SQUARE TANH ZEROS_LIKE
"""
_BINARY_TEXT = """
    ADD ADD_N DIV EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND
    LOGICAL_OR MAXIMUM MINIMUM MUL NOT_EQUAL PRELU SELECT_V2 SQUARED_DIFFERENCE SUB
"""
_REDUCTIONS = ("MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM")

_RULES: Mapping[str, Callable[[Call], None]] = {
    **dict.fromkeys(_UNARY_TEXT.split(), _same),
    **dict.fromkeys(_BINARY_TEXT.split(), _elementwise),
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"), _pool),
    **dict.fromkeys(("DEPTH_TO_SPACE", "RESHAPE", "SPACE_TO_DEPTH"), _same_size),
    **dict.fromkeys(("MIRROR_PAD", "PAD", "PADV2"), _pad),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    **dict.fromkeys(("SPLIT", "SPLIT_V"), division.split),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), selection.arg_extreme),
    **dict.fromkeys(("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND"), selection.space_and_batch),
    "BATCH_MATMUL": _batch_matmul,
    "BROADCAST_TO": lambda call: _stated(call, 1),
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "DYNAMIC_UPDATE_SLICE": _same,
    "EMBEDDING_LOOKUP": selection.embedding,
    "EXPAND_DIMS": division.expand_dims,
    "FILL": lambda call: _stated(call, 0),
    "FULLY_CONNECTED": _fully_connected,
    "GATHER": selection.gather,
    "GATHER_ND": selection.gather_nd,
    "PACK": division.pack,
    "SHAPE": lambda call: check(call, (len(call.input(0).shape),)),
    "SLICE": _slice,
    "SQUEEZE": division.squeeze,
    "STRIDED_SLICE": _strided_slice,
    "SVDF": _svdf,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNPACK": division.unpack,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm,
}
