"""Counting the work of operators: multiply-accumulates, other arithmetic, data movement.

docs/counting.md defines what counts as what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from asc_tiny.tflite.graph import Graph, Operator, called
from asc_tiny.tflite.operands import Call


@dataclass(frozen=True)
class Work:
    """What one inference does in an operator.

    Attributes:
        macs: multiply-accumulates of convolutions, dense layers and matrix products.
        operations: other arithmetic: additions, multiplications, comparisons, functions.
        moved_bytes: bytes that an operator writes which computes nothing.
    """

    macs: int = 0
    operations: int = 0
    moved_bytes: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.macs + other.macs,
            self.operations + other.operations,
            self.moved_bytes + other.moved_bytes,
        )


def work(graph: Graph, operator: Operator) -> Work:
    """Count the work of one operator of a model's first subgraph.

    Multiplies with padding count like any other; biases, fused activations and requantisation do
    not count.

    Raises:
        AscError: an operator without a rule, or operands that it cannot have.
    """
    return _work(Call(graph, operator))


def _work(call: Call) -> Work:
    rule = RULES.get(call.operator.name)
    if rule is None:
        raise call.fail("has no rule for its work: it cannot be counted (docs/counting.md)")
    return rule(call)


def _conv_2d(call: Call) -> Work:
    # Every output element sums over one filter: rows x columns x input channels of its group.
    _, height, width, depth = call.input(1, dimensions=4).shape
    return Work(macs=call.output.size * height * width * depth)


def _depthwise_conv_2d(call: Call) -> Work:
    _, height, width, _ = call.input(1, dimensions=4).shape
    return Work(macs=call.output.size * height * width)


def _transpose_conv(call: Call) -> Work:
    # Every input element is multiplied into one window of all output channels.
    depth, height, width, _ = call.input(1, dimensions=4).shape
    return Work(macs=call.input(2).size * height * width * depth)


def _fully_connected(call: Call) -> Work:
    _, depth = call.input(1, dimensions=2).shape
    return Work(macs=call.output.size * depth)


def _batch_matmul(call: Call) -> Work:
    left = call.input(0)
    if len(left.shape) < 2:
        raise call.fail(f"has input 0 of shape {list(left.shape)}, 2 dimensions or more are needed")
    depth = left.shape[-2] if call.operator.options["adj_x"] else left.shape[-1]
    return Work(macs=call.output.size * depth)


# Positions of the weights of an LSTM among its inputs, by the TFLite schema's kernel.
_LSTM_MATRICES = (*range(1, 9), 16)
_LSTM_PEEPHOLES = (9, 10, 11)
# Per cell and step, beside a function for each gate: 3 products, a sum and a hyperbolic tangent
_LSTM_CELL_OPERATIONS = 5


def _sequence_lstm(call: Call) -> Work:
    batch, steps, _ = call.input(0, dimensions=3).shape
    if call.operator.options["time_major"]:
        batch, steps = steps, batch
    runs = batch * steps

    def elements(positions: tuple[int, ...]) -> int:
        return sum(tensor.size for p in positions if (tensor := call.optional(p)) is not None)

    cells = call.input(2, dimensions=2).shape[0]
    gates = 4 if call.optional(1) is not None else 3
    return Work(
        macs=runs * elements(_LSTM_MATRICES),
        operations=runs * (cells * (gates + _LSTM_CELL_OPERATIONS) + elements(_LSTM_PEEPHOLES)),
    )


def _svdf(call: Call) -> Work:
    batch = call.input(0, dimensions=2).shape[0]
    features, memory = call.input(1, dimensions=2), call.input(2, dimensions=2)
    # The filters of a unit are added up.
    return Work(macs=batch * (features.size + memory.size), operations=batch * memory.shape[0])


def _pool(call: Call) -> Work:
    options = call.operator.options
    window = int(options["filter_height"]) * int(options["filter_width"])
    return Work(operations=call.output.size * window)


def _l2_pool(call: Call) -> Work:
    # Square and addition for each element of the window, then the root
    options = call.operator.options
    window = int(options["filter_height"]) * int(options["filter_width"])
    return Work(operations=call.output.size * (2 * window + 1))


def _reduce(call: Call) -> Work:
    return Work(operations=call.input(0).size)


def _each_output(operations: int) -> Callable[[Call], Work]:
    return lambda call: Work(operations=operations * call.output.size)


def _add_n(call: Call) -> Work:
    return Work(operations=(len(call.operator.inputs) - 1) * call.output.size)


def _move(call: Call) -> Work:
    return Work(moved_bytes=call.output_bytes)


def _assign(call: Call) -> Work:
    return Work(moved_bytes=call.input(1).byte_count)


def _nothing(call: Call) -> Work:
    return Work()


def _if(call: Call) -> Work:
    """Count the branch with more multiply-accumulates."""
    branches = [_subgraph(call, number) for number in called(call.operator)]
    return max(branches, key=lambda branch: (branch.macs, branch.operations, branch.moved_bytes))


_DEEPEST = 16
_subgraph_work: WeakKeyDictionary[Graph, dict[int, Work]] = WeakKeyDictionary()
"""What subgraphs were counted to, by the model: several operators may call the same one."""


def _subgraph(call: Call, number: int) -> Work:
    model, callers = call.model, (*call.callers, number)
    if len(callers) > _DEEPEST:
        raise call.fail(f"is {len(call.callers)} calls deep, allowed: {_DEEPEST - 1}")
    if not 1 <= number <= len(model.others) or number in call.callers:
        allowed = [n for n in range(1, 1 + len(model.others)) if n not in call.callers]
        raise call.fail(f"calls subgraph {number}, allowed: {allowed}")
    known = _subgraph_work.setdefault(model, {})
    if number not in known:
        graph = model.subgraph(number)
        calls = (Call(graph, operator, model, callers) for operator in graph.operators)
        known[number] = sum((_work(each) for each in calls), Work())
    return known[number]


_MATRIX_PRODUCTS: Mapping[str, Callable[[Call], Work]] = {
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm,
}
# One operation for each element of the output, whatever the function
_ELEMENTWISE_TEXT = """
    ABS ADD CAST CEIL COS CUMSUM DEQUANTIZE DIV ELU EQUAL EXP FLOOR FLOOR_DIV FLOOR_MOD
    GREATER GREATER_EQUAL HARD_SWISH LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT
    LOGICAL_OR LOGISTIC MAXIMUM MINIMUM MUL NEG NOT_EQUAL PRELU QUANTIZE RELU RELU6 ROUND
    RSQRT SELECT_V2 SIN SQRT SQUARE SUB TANH
"""
_ELEMENTWISE = tuple(_ELEMENTWISE_TEXT.split())
_REDUCTIONS = ["ARG_MAX", "ARG_MIN", "MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM"]
_POOLS = ["AVERAGE_POOL_2D", "MAX_POOL_2D"]
_SEVERAL_OPERATIONS = {
    # Square, addition, product with the reciprocal root
    "L2_NORMALIZATION": 3,
    # Comparison with the largest, exponential (logarithm), addition, division (subtraction)
    "LOG_SOFTMAX": 4,
    "SOFTMAX": 4,
    # Four products, three additions
    "RESIZE_BILINEAR": 7,
    # Difference, product
    "SQUARED_DIFFERENCE": 2,
}
_MOVEMENTS_TEXT = """
    BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CONCATENATION DEPTH_TO_SPACE
    DYNAMIC_UPDATE_SLICE EMBEDDING_LOOKUP EXPAND_DIMS FILL GATHER GATHER_ND MIRROR_PAD PACK
    PAD PADV2 READ_VARIABLE RESHAPE RESIZE_NEAREST_NEIGHBOR REVERSE_V2 SHAPE SLICE
    SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQUEEZE STRIDED_SLICE TRANSPOSE UNPACK
    ZEROS_LIKE
"""
_MOVEMENTS = tuple(_MOVEMENTS_TEXT.split())
# A handle is a constant, and initialisation is not part of an inference.
_FREE = ["CALL_ONCE", "VAR_HANDLE"]

RULES: Mapping[str, Callable[[Call], Work]] = {
    **_MATRIX_PRODUCTS,
    **dict.fromkeys(_ELEMENTWISE, _each_output(1)),
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(_POOLS, _pool),
    **{name: _each_output(count) for name, count in _SEVERAL_OPERATIONS.items()},
    **dict.fromkeys(_MOVEMENTS, _move),
    **dict.fromkeys(_FREE, _nothing),
    "ADD_N": _add_n,
    "ASSIGN_VARIABLE": _assign,
    "IF": _if,
    "L2_POOL_2D": _l2_pool,
}
"""How the work of each operator is counted: all that TensorFlow Lite Micro has but for custom
operators and WHILE, whose number of rounds is not in the file."""
