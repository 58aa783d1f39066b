"""Counting parameters and multiply-accumulates (MACs) of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asc_tiny.complexity.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.errors import AscError

_UNCOUNTED = (
    "BATCH_MATMUL",
    "BIDIRECTIONAL_SEQUENCE_LSTM",
    "BIDIRECTIONAL_SEQUENCE_RNN",
    "CONV_3D",
    "CONV_3D_TRANSPOSE",
    "LSTM",
    "RNN",
    "SVDF",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
)


def _conv_2d(graph: Graph, operator: Operator) -> int:
    # Every output element sums over one filter: rows x columns x input channels of its group.
    _, height, width, depth = _weights(graph, operator, dimensions=4).shape
    return graph.tensor(operator.outputs[0]).size * height * width * depth


def _depthwise_conv_2d(graph: Graph, operator: Operator) -> int:
    _, height, width, _ = _weights(graph, operator, dimensions=4).shape
    return graph.tensor(operator.outputs[0]).size * height * width


def _fully_connected(graph: Graph, operator: Operator) -> int:
    _, depth = _weights(graph, operator, dimensions=2).shape
    return graph.tensor(operator.outputs[0]).size * depth


def _transpose_conv(graph: Graph, operator: Operator) -> int:
    # Every input element is multiplied into one window of all output channels.
    depth, height, width, _ = _weights(graph, operator, dimensions=4).shape
    return _input(graph, operator, 2).size * height * width * depth


_COUNTERS: Mapping[str, Callable[[Graph, Operator], int]] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transpose_conv,
}
# Positions of the operands that may hold learnt values. For the element-wise operators these are
# batch norms that could not be folded into a convolution.
_LEARNT: Mapping[str, tuple[int, ...]] = {
    "CONV_2D": (1, 2),
    "DEPTHWISE_CONV_2D": (1, 2),
    "FULLY_CONNECTED": (1, 2),
    "TRANSPOSE_CONV": (1, 3),
    "ADD": (0, 1),
    "DIV": (0, 1),
    "MUL": (0, 1),
    "PRELU": (1,),
    "SUB": (0, 1),
}


def macs(graph: Graph, operator: Operator) -> int:
    """Return the multiplies of one operator: convolution, depthwise, dense, else 0.

    Multiplies with padding count like any other, additions and requantisation do not count.

    Raises:
        AscError: an operator that multiplies and that this count does not know.
    """
    if operator.name in _UNCOUNTED or operator.name.startswith("CUSTOM"):
        raise AscError(
            f"{graph.source}: operator {operator.index} is {operator.name}, its multiplies are "
            f"not counted; counted are {', '.join(_COUNTERS)}"
        )
    counter = _COUNTERS.get(operator.name)
    return counter(graph, operator) if counter else 0


def parameters(graph: Graph, operator: Operator) -> tuple[Tensor, ...]:
    """Return the constant tensors of one operator that hold learnt values."""
    positions = [i for i in _LEARNT.get(operator.name, ()) if i < len(operator.inputs)]
    indices = [operator.inputs[i] for i in positions if operator.inputs[i] != ABSENT]
    tensors = [_origin(graph, graph.tensor(index)) for index in indices]
    return tuple(tensor for tensor in tensors if tensor.is_constant)


def _weights(graph: Graph, operator: Operator, *, dimensions: int) -> Tensor:
    tensor = _input(graph, operator, 1)
    if len(tensor.shape) != dimensions or tensor.size == 0:
        raise AscError(
            f"{graph.source}: operator {operator.index} ({operator.name}) has weights of shape "
            f"{list(tensor.shape)}, {dimensions} dimensions are needed"
        )
    return tensor


def _input(graph: Graph, operator: Operator, position: int) -> Tensor:
    if position >= len(operator.inputs) or operator.inputs[position] == ABSENT:
        raise AscError(
            f"{graph.source}: operator {operator.index} ({operator.name}) has no input {position}"
        )
    return graph.tensor(operator.inputs[position])


def _origin(graph: Graph, tensor: Tensor) -> Tensor:
    """Follow weights that are stored small and widened by a DEQUANTIZE operator."""
    for operator in graph.operators:
        if operator.name == "DEQUANTIZE" and operator.outputs == (tensor.index,):
            return _input(graph, operator, 0)
    return tensor
