"""Counting the work of operators: multiply-accumulates, other arithmetic, data movement.

docs/reference/counting.md defines what counts as what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from asc_tiny.tflite.graph import Graph, Operator, called
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.ops import Family, OpRules
from asc_tiny.util.errors import AscError


class UncountedError(AscError):
    """An operator whose work nobody but its author knows, or that its data decides."""


@dataclass(frozen=True)
class OpCost:
    """What one inference does in an operator.

    Attributes:
        macs: multiply-accumulates of convolutions, dense layers and matrix products.
        operations: other arithmetic: additions, multiplications, comparisons, functions.
        moved_bytes: bytes that an operator writes which computes nothing.
    """

    macs: int = 0
    operations: int = 0
    moved_bytes: int = 0

    def __add__(self, other: OpCost) -> OpCost:
        return OpCost(
            self.macs + other.macs,
            self.operations + other.operations,
            self.moved_bytes + other.moved_bytes,
        )


class CountedOperator(OperatorView):
    """An operator that is counted.

    Attributes:
        model: the graph of the whole file, which knows the subgraphs that control flow calls.
        callers: numbers of the subgraphs that are being counted, the outermost first.
    """

    def __init__(
        self, graph: Graph, operator: Operator, model: Graph, callers: tuple[int, ...]
    ) -> None:
        super().__init__(graph, operator)
        self.model = model
        self.callers = callers


def op_cost(graph: Graph, operator: Operator) -> OpCost:
    """Count the work of one operator of a model's first subgraph.

    Multiplies with padding count like any other; biases, fused activations and requantisation do
    not count.

    Raises:
        UncountedError: an operator without a rule, itself or in a subgraph that it calls.
        AscError: operands that it cannot have.
    """
    return _cost(CountedOperator(graph, operator, graph, (0,)))


def _cost(op: CountedOperator) -> OpCost:
    rule = cost_rule.get(op.name)
    if rule is None:
        raise UncountedError(
            str(op.error("has no rule for its work: not counted (docs/reference/counting.md)"))
        )
    return rule(op)


def _pool(op: OperatorView) -> OpCost:
    window = int(op.options["filter_height"]) * int(op.options["filter_width"])
    return OpCost(operations=op.output.size * window)


def _reduce(op: OperatorView) -> OpCost:
    return OpCost(operations=op.input(0).size)


def _each_output(operations: int) -> CostRule:
    return lambda op: OpCost(operations=operations * op.output.size)


def _move(op: OperatorView) -> OpCost:
    return OpCost(moved_bytes=sum(tensor.byte_count for tensor in op.outputs))


CostRule = Callable[[CountedOperator], OpCost]

cost_rule: OpRules[CostRule] = OpRules(
    {
        # One operation for each element of the output, whatever the function
        **dict.fromkeys((Family.UNARY, Family.BINARY, Family.COMPARISON), _each_output(1)),
        **dict.fromkeys((Family.MOVEMENT, Family.SELECTION, Family.SHAPE, Family.RESIZE), _move),
        Family.REDUCTION: _reduce,
        Family.WINDOW: _pool,
    }
)
"""How the work of each operator is counted: all that TensorFlow Lite Micro has but for custom
operators and WHILE, whose number of rounds is not in the file."""

# Square, addition, product with the reciprocal root
cost_rule("L2_NORMALIZATION")(_each_output(3))
# Comparison with the largest, exponential (logarithm), addition, division (subtraction)
cost_rule("LOG_SOFTMAX", "SOFTMAX")(_each_output(4))
# Four products, three additions
cost_rule("RESIZE_BILINEAR")(_each_output(7))
cost_rule("SELECT", "SELECT_V2")(_each_output(1))
# Difference, product
cost_rule("SQUARED_DIFFERENCE")(_each_output(2))
cost_rule("READ_VARIABLE", "TILE")(_move)


@cost_rule("CALL_ONCE", "VAR_HANDLE")
def _nothing(_: OperatorView) -> OpCost:
    # Initialisation is not part of an inference, and a handle is a constant.
    return OpCost()


@cost_rule("CONV_2D")
def _conv_2d(op: OperatorView) -> OpCost:
    # Every output element sums over one filter: rows x columns x input channels of its group.
    _, height, width, depth = op.input(1, dimensions=4).shape
    return OpCost(macs=op.output.size * height * width * depth)


@cost_rule("DEPTHWISE_CONV_2D")
def _depthwise_conv_2d(op: OperatorView) -> OpCost:
    _, height, width, _ = op.input(1, dimensions=4).shape
    return OpCost(macs=op.output.size * height * width)


@cost_rule("TRANSPOSE_CONV")
def _transpose_conv(op: OperatorView) -> OpCost:
    # Every input element is multiplied into one window of all output channels.
    depth, height, width, _ = op.input(1, dimensions=4).shape
    return OpCost(macs=op.input(2).size * height * width * depth)


@cost_rule("FULLY_CONNECTED")
def _fully_connected(op: OperatorView) -> OpCost:
    _, depth = op.input(1, dimensions=2).shape
    return OpCost(macs=op.output.size * depth)


@cost_rule("BATCH_MATMUL")
def _batch_matmul(op: OperatorView) -> OpCost:
    left = op.input(0)
    if len(left.shape) < 2:
        raise op.error(f"has input 0 of shape {list(left.shape)}, 2 dimensions or more are needed")
    depth = left.shape[-2] if op.options["adj_x"] else left.shape[-1]
    return OpCost(macs=op.output.size * depth)


# Positions of the weights of an LSTM among its inputs, by the TFLite schema's kernel.
_LSTM_MATRICES = (*range(1, 9), 16)
_LSTM_PEEPHOLES = (9, 10, 11)
# Per cell and step, beside a function for each gate: 3 products, a sum and a hyperbolic tangent
_LSTM_CELL_OPERATIONS = 5


@cost_rule("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _sequence_lstm(op: OperatorView) -> OpCost:
    batch, steps, _ = op.input(0, dimensions=3).shape
    if op.options["time_major"]:
        batch, steps = steps, batch
    runs = batch * steps

    def elements(positions: tuple[int, ...]) -> int:
        return sum(tensor.size for p in positions if (tensor := op.optional_input(p)) is not None)

    cells = op.input(2, dimensions=2).shape[0]
    gates = 4 if op.optional_input(1) is not None else 3
    return OpCost(
        macs=runs * elements(_LSTM_MATRICES),
        operations=runs * (cells * (gates + _LSTM_CELL_OPERATIONS) + elements(_LSTM_PEEPHOLES)),
    )


@cost_rule("SVDF")
def _svdf(op: OperatorView) -> OpCost:
    batch = op.input(0, dimensions=2).shape[0]
    features, memory = op.input(1, dimensions=2), op.input(2, dimensions=2)
    # The filters of a unit are added up.
    return OpCost(macs=batch * (features.size + memory.size), operations=batch * memory.shape[0])


@cost_rule("L2_POOL_2D")
def _l2_pool(op: OperatorView) -> OpCost:
    # Square and addition for each element of the window, then the root
    options = op.options
    window = int(options["filter_height"]) * int(options["filter_width"])
    return OpCost(operations=op.output.size * (2 * window + 1))


@cost_rule("ADD_N")
def _add_n(op: OperatorView) -> OpCost:
    return OpCost(operations=(len(op.operator.inputs) - 1) * op.output.size)


@cost_rule("ASSIGN_VARIABLE")
def _assign(op: OperatorView) -> OpCost:
    return OpCost(moved_bytes=op.input(1).byte_count)


@cost_rule("IF")
def _if(op: CountedOperator) -> OpCost:
    """Count the branch with more multiply-accumulates."""
    branches = [_subgraph(op, number) for number in called(op.operator)]
    return max(branches, key=lambda branch: (branch.macs, branch.operations, branch.moved_bytes))


_DEEPEST = 16
_subgraph_costs: WeakKeyDictionary[Graph, dict[int, OpCost]] = WeakKeyDictionary()
"""What subgraphs were counted to, by the model: several operators may call the same one."""


def _subgraph(op: CountedOperator, number: int) -> OpCost:
    model, callers = op.model, (*op.callers, number)
    if len(callers) > _DEEPEST:
        raise op.error(f"is {len(op.callers)} calls deep, allowed: {_DEEPEST - 1}")
    if not 1 <= number <= len(model.others) or number in op.callers:
        allowed = [n for n in range(1, 1 + len(model.others)) if n not in op.callers]
        raise op.error(f"calls subgraph {number}, allowed: {allowed}")
    known = _subgraph_costs.setdefault(model, {})
    if number not in known:
        graph = model.subgraph(number)
        ops = (CountedOperator(graph, operator, model, callers) for operator in graph.operators)
        known[number] = sum((_cost(each) for each in ops), OpCost())
    return known[number]
